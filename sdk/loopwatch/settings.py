"""Every setting of the SDK, read once from the environment and `configure`'s arguments."""

import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from loopwatch import capture
from loopwatch.breakers import DEFAULT_POLL_S
from loopwatch.capture import Capture, CaptureChoice
from loopwatch.errors import ConfigurationError

HTTP_PORT = 4318
GRPC_PORT = 4317
DEFAULT_ENDPOINT = f"http://127.0.0.1:{HTTP_PORT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `configure` decided.

    Args:
        service_name: the resource's service.name; None leaves it to OTEL_SERVICE_NAME or OpenTelemetry's default.
        service_version: the resource's service.version.
        environment: deployment.environment.name of every run that does not say otherwise.
        protocol: "http/protobuf" or "grpc".
        traces_url: where spans are sent; with gRPC the address alone.
        metrics_url: where counts of drops are sent; with gRPC the same address.
        api_url: where prices and breakers are asked for, always over HTTP.
        headers: sent with each request.
        compression: "gzip" or "none".
        timeout_s: of one request.
        tls: certificates, by urllib3's names.
        capture: kinds of content that may leave the process.
        redact: whether secrets are taken out of content.
        redact_patterns: the author's further patterns.
        kept_prefixes: beginnings of other libraries' attribute names that carry no content.
        max_content_chars: of one attribute.
        spool_dir: where batches wait that could not be sent.
        max_spool_bytes: the spool's bound.
        max_queue_spans: ended spans that may wait in memory.
        max_queue_bytes: content that may wait there with them.
        breaker_poll_s: seconds between looks at the fleet's breakers; 0 for never.
        disabled: OTEL_SDK_DISABLED: nothing is recorded at all.
    """

    service_name: str | None
    service_version: str | None
    environment: str | None
    protocol: str
    traces_url: str
    metrics_url: str
    api_url: str
    headers: Mapping[str, str]
    compression: str
    timeout_s: float
    tls: Mapping[str, Any]
    capture: Capture
    redact: bool
    redact_patterns: tuple[str, ...]
    kept_prefixes: tuple[str, ...]
    max_content_chars: int
    spool_dir: Path
    max_spool_bytes: int
    max_queue_spans: int
    max_queue_bytes: int
    breaker_poll_s: float
    disabled: bool


def load(
    environ: Mapping[str, str] | None = None,
    *,
    service_name: str | None = None,
    service_version: str | None = None,
    environment: str | None = None,
    endpoint: str | None = None,
    api_key: str | None = None,
    capture_choice: CaptureChoice = None,
    redact: bool = True,
    redact_patterns: Sequence[str] = (),
    keep_attributes: Sequence[str] = (),
    spool_dir: str | os.PathLike[str] | None = None,
) -> Settings:
    """Reads the settings; an argument goes before LOOPWATCH_*, which goes before OTEL_*.

    Args:
        environ: the environment; the process's own when None.
        service_name: see `Settings`.
        service_version: see `Settings`.
        environment: see `Settings`.
        endpoint: the collector's base URL; the path of a signal at its end is left out.
        api_key: sent as Bearer.
        capture_choice: see `loopwatch.capture.parse`.
        redact: see `Settings`; LOOPWATCH_REDACT=false turns it off too.
        redact_patterns: see `Settings`.
        keep_attributes: see `Settings.kept_prefixes`.
        spool_dir: see `Settings`.

    Returns:
        The settings.

    Raises:
        ConfigurationError: naming every setting that cannot be honoured.
    """
    reader = _Reader(os.environ if environ is None else environ)
    base = _base_of(endpoint or reader.text("LOOPWATCH_ENDPOINT"))
    settings: dict[str, Any] = {
        "service_name": service_name or reader.text("LOOPWATCH_SERVICE_NAME"),
        "service_version": service_version or reader.text("LOOPWATCH_SERVICE_VERSION"),
        "environment": environment or reader.text("LOOPWATCH_ENVIRONMENT"),
        **reader.addresses(base),
        "headers": reader.headers(api_key or reader.text("LOOPWATCH_API_KEY")),
        "compression": reader.choice("OTEL_EXPORTER_OTLP_COMPRESSION", reader.otlp("COMPRESSION"), ("gzip", "none")),
        "timeout_s": reader.number("OTEL_EXPORTER_OTLP_TIMEOUT", 10.0, given=reader.otlp("TIMEOUT")),
        "tls": reader.tls(),
        "capture": reader.capture(capture_choice),
        "redact": redact and reader.environ.get("LOOPWATCH_REDACT", "").strip().lower() not in {"0", "false"},
        "redact_patterns": reader.listed("redact_patterns", redact_patterns),
        "kept_prefixes": reader.listed("keep_attributes", keep_attributes),
        "max_content_chars": int(reader.number("LOOPWATCH_MAX_CONTENT_CHARS", 256 * 1024)),
        "spool_dir": Path(spool_dir or reader.text("LOOPWATCH_SPOOL_DIR") or _default_spool_dir(reader.environ)),
        "max_spool_bytes": int(reader.number("LOOPWATCH_MAX_SPOOL_BYTES", 256 * 1024 * 1024)),
        "max_queue_spans": int(reader.number("LOOPWATCH_MAX_QUEUE_SPANS", 65_536)),
        "max_queue_bytes": int(reader.number("LOOPWATCH_MAX_QUEUE_BYTES", 128 * 1024 * 1024)),
        "breaker_poll_s": reader.number("LOOPWATCH_BREAKER_POLL_S", DEFAULT_POLL_S, least=0.0),
        "disabled": reader.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true",
    }
    if reader.faults:
        raise ConfigurationError("; ".join(reader.faults))
    return Settings(**settings)


def _default_spool_dir(environ: Mapping[str, str]) -> Path:
    state = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".local" / "state")
    return Path(state) / "loopwatch" / "spool"


def _base_of(url: str | None) -> str | None:
    """The collector's base URL, also where somebody wrote the whole one of a signal: its path would be there twice."""
    if url is None:
        return None
    return re.sub(r"/v1/(traces|metrics|logs)/?$", "", url)


def _at_port(url: str, port: int) -> str:
    """The same scheme and host at another port."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


class _Reader:
    """Reads one environment and collects what is wrong with it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []

    def text(self, name: str) -> str | None:
        return self.environ.get(name, "").strip() or None

    def number(self, name: str, default: float, least: float | None = None, given: str | None = None) -> float:
        text = given or self.text(name)
        if text is None:
            return default
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if number < 0 or (least is None and number == 0):
            self.faults.append(f"{name}={text!r}: write a positive number")
            return default
        return number

    def choice(self, name: str, given: str | None, choices: tuple[str, ...]) -> str:
        """One of the choices, the first by default."""
        text = (given or choices[0]).lower()
        if text not in choices:
            self.faults.append(f"{name}={text!r}: choose from {', '.join(choices)}")
        return text

    def capture(self, choice: CaptureChoice) -> Capture:
        try:
            return capture.parse(self.environ.get("LOOPWATCH_CAPTURE", "") if choice is None else choice)
        except ConfigurationError as fault:
            self.faults.append(str(fault))
            return capture.NOTHING

    def listed(self, name: str, given: Sequence[str]) -> tuple[str, ...]:
        """An argument that is a list; one text alone would be taken apart into its letters."""
        if isinstance(given, str):
            self.faults.append(f"{name}={given!r}: write a list: {name}=[{given!r}]")
            return ()
        return tuple(given)

    def otlp(self, name: str) -> str | None:
        """A setting of the exporter: OTEL's variable for traces goes before its general one."""
        return self.text(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or self.text(f"OTEL_EXPORTER_OTLP_{name}")

    def addresses(self, base: str | None) -> Mapping[str, str]:
        """The protocol, and the URLs it goes to; `base` is the collector's, as ours and not OTEL's settings say."""
        protocol = self.choice("OTEL_EXPORTER_OTLP_PROTOCOL", self.otlp("PROTOCOL"), ("http/protobuf", "grpc"))
        if protocol == "grpc":
            return {"protocol": protocol, **self._grpc_addresses(base)}
        traces_url = self._signal_url(base, "TRACES", "v1/traces")
        return {
            "protocol": protocol,
            "traces_url": traces_url,
            "metrics_url": self._signal_url(base, "METRICS", "v1/metrics"),
            "api_url": traces_url.removesuffix("/v1/traces"),
        }

    def _signal_url(self, base: str | None, signal: str, path: str) -> str:
        """The URL of one signal: ours is a base, and so is OTEL's general one; OTEL's own of the signal is whole."""
        whole = None if base else self.text(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
        return self._url(
            whole
            or f"{(base or _base_of(self.text('OTEL_EXPORTER_OTLP_ENDPOINT')) or DEFAULT_ENDPOINT).rstrip('/')}/{path}"
        )

    def _grpc_addresses(self, base: str | None) -> Mapping[str, str]:
        """Spans go to OTEL's endpoint, the rest to our base; the one that is missing is the other's host."""
        if importlib.util.find_spec("grpc") is None:
            self.faults.append("OTEL_EXPORTER_OTLP_PROTOCOL='grpc' needs grpcio: pip install 'loopwatch[grpc]'")
        endpoint = self.otlp("ENDPOINT") or _at_port(base or DEFAULT_ENDPOINT, GRPC_PORT)
        if "://" not in endpoint:
            is_insecure = (self.otlp("INSECURE") or "").lower() == "true"
            endpoint = f"{'http' if is_insecure else 'https'}://{endpoint}"
        url = self._url(endpoint)
        return {
            "traces_url": url,
            "metrics_url": url,
            "api_url": self._url(base or _at_port(endpoint, HTTP_PORT)).rstrip("/"),
        }

    def _url(self, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            self.faults.append(f"endpoint {url!r}: write an http:// or https:// URL")
        return url

    def tls(self) -> Mapping[str, Any]:
        """Certificates, by OTEL's names and urllib3's."""
        files = {
            "ca_certs": self.otlp("CERTIFICATE"),
            "key_file": self.otlp("CLIENT_KEY"),
            "cert_file": self.otlp("CLIENT_CERTIFICATE"),
        }
        self.faults += [
            f"{name} {path!r}: there is no such file"
            for name, path in files.items()
            if path and not Path(path).is_file()
        ]
        return {name: path for name, path in files.items() if path}

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        """W3C Baggage form: name=value pairs with commas, percent-encoded."""
        pairs = [pair.partition("=") for pair in (self.otlp("HEADERS") or "").split(",") if "=" in pair]
        headers = {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}
        return {**headers, "authorization": f"Bearer {api_key}"} if api_key else headers
