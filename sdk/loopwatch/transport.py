"""One POST of OTLP over HTTP, and what the answer means for the batch.

Imported by `configure`, before there are threads: an import that a fork interrupts in another thread never ends in the
child.
"""

import encodings.idna  # noqa: F401  # pyright: ignore[reportUnusedImport]  # a host look-up imports it; after a fork it would be too late
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from loopwatch.settings import Settings

_REFUSED: Final = frozenset({400, 413, 415, 422})
"""The collector will never take this body. Everything else may pass: overload, a wrong key, a proxy's error."""
MAX_RETRY_AFTER_S: Final = 60.0
FIRST_BACK_OFF_S: Final = 0.5
LONGEST_BACK_OFF_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt.

    Args:
        verdict: "taken"; "refused", for ever; or "later".
        reason: why not, for the log.
        retry_after_s: how long the collector asks to wait.
        rejected_spans: spans of a taken batch that the collector rejected one by one.
    """

    verdict: Literal["taken", "refused", "later"]
    reason: str = ""
    retry_after_s: float = 0.0
    rejected_spans: int = 0


class HttpTransport:
    """Posts over a kept-alive connection. Used by one thread.

    Args:
        settings: the URLs, headers and timeout.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: Any = None

    def post(self, kind: str, body: bytes) -> Answer:
        """Posts one request.

        Args:
            kind: "traces" or "metrics".
            body: the request, compressed as the settings say.

        Returns:
            What came of it.
        """
        url = self._settings.traces_url if kind == "traces" else self._settings.metrics_url
        try:
            answer = self._connections().request("POST", url, body=body, headers=self._headers())
        except (urllib3.exceptions.HTTPError, OSError) as fault:
            return Answer("later", f"{url} cannot be reached: {fault}")
        return _read(url, answer.status, answer.headers, answer.data)

    def _headers(self) -> dict[str, str]:
        encoding = {"content-encoding": "gzip"} if self._settings.compression == "gzip" else {}
        return {"content-type": "application/x-protobuf", **encoding, **self._settings.headers}

    def _connections(self) -> Any:
        if self._pool is None:
            self._pool = _pool(self._settings)
        return self._pool

    def close(self) -> None:
        """Closes the connections."""
        if self._pool is not None:
            self._pool.clear()


def _pool(settings: Settings) -> Any:
    """Connections as the environment wants them: through a proxy, with its own certificates."""
    address = urlsplit(settings.traces_url)
    options: dict[str, Any] = {
        "maxsize": 1,
        "retries": False,
        "timeout": urllib3.Timeout(connect=min(settings.timeout_s, 3.0), read=settings.timeout_s),
        **settings.tls,
    }
    proxy = getproxies().get(address.scheme)
    if proxy and not proxy_bypass(address.hostname or ""):
        return urllib3.ProxyManager(proxy, **options)
    return urllib3.PoolManager(**options)


def _read(url: str, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    if status < 300:
        return Answer("taken", rejected_spans=rejected_spans(body))
    verdict: Literal["refused", "later"] = "refused" if status in _REFUSED else "later"
    said = _said(body)
    reason = f"{url} answered {status}{f': {said}' if said else ''}{_HINTS.get(status, '')}"
    return Answer(verdict, reason, _seconds(headers.get("retry-after", "")))


_KEY_HINT: Final = "; set LOOPWATCH_API_KEY, or configure(api_key=...), to a key of the collector with the role ingest"
_HINTS: Final = {
    401: _KEY_HINT,
    403: _KEY_HINT,
    404: "; the endpoint is the collector's base URL, such as http://127.0.0.1:4318",
}
_MAX_REASON_CHARS: Final = 200


def _said(body: bytes) -> str:
    """The reason in an answer: the message of a google.rpc.Status (field 2), else plain text on one line."""
    position = 0
    while position < len(body) and body[position] == 0x08:  # its code, a varint
        position += 1
        while position < len(body) and body[position] >= 0x80:
            position += 1
        position += 1
    if position < len(body) and body[position] == 0x12:
        size, shift, position = 0, 0, position + 1
        while position < len(body):
            size |= (body[position] & 0x7F) << shift
            position, shift = position + 1, shift + 7
            if body[position - 1] < 0x80:
                break
        body = body[position : position + size]
    text = " ".join(body.decode("utf-8", "replace").split())
    return text[:_MAX_REASON_CHARS] if text.isprintable() and not text.startswith("<") else ""


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), MAX_RETRY_AFTER_S)
    except ValueError:
        return 0.0


def rejected_spans(body: bytes) -> int:
    """Reads rejected_spans of an ExportTraceServiceResponse: field 1, inside it field 1, a varint."""
    if len(body) < 4 or body[0] != 0x0A or body[2] != 0x08:
        return 0
    number = shift = 0
    for byte in body[3:13]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number
    return 0


def back_off_s(failures: int, asked_s: float = 0.0) -> float:
    """Returns how long to wait before the next attempt.

    Args:
        failures: how many attempts failed in a row, from 1.
        asked_s: what the collector asked for.

    Returns:
        Seconds: doubling up to half a minute, with jitter so that a fleet does not return as one; never less than
        was asked.
    """
    longest = min(LONGEST_BACK_OFF_S, FIRST_BACK_OFF_S * 2 ** min(failures - 1, 10))
    return max(asked_s, random.uniform(longest / 2, longest))  # noqa: S311 - spreads load, guards nothing
