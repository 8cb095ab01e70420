"""`loopwatch doctor`: what is wrong with an installation, and how to mend it."""

import argparse
import importlib.util
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast
from urllib.parse import urlsplit

from loopwatch_collector.counted import counted
from loopwatch_collector.doctor_files import examine_files
from loopwatch_collector.finding import Finding
from loopwatch_collector.settings import HTTP_PORT, Settings
from loopwatch_collector.spelling import unknown_variables

_TIMEOUT_S: Final = 5
_MAX_SKEW_S: Final = 60
_WANTED_ENDPOINT: Final = f"set LOOPWATCH_ENDPOINT to an address such as http://127.0.0.1:{HTTP_PORT}"
_EXTRAS: Final = {
    "collector": ("fastapi", "uvicorn", "clickhouse_connect", "chdb", "genai_prices", "isal", "orjson"),
    "dashboards": ("streamlit", "altair", "httpx"),
    "agent": ("anthropic",),
}


def main(argv: list[str]) -> int:
    """Looks at an installation and prints what it finds.

    Args:
        argv: the words after `loopwatch doctor`.

    Returns:
        0 when nothing is broken, 1 when something is.
    """
    parser = argparse.ArgumentParser(prog="loopwatch doctor", description="Say what is wrong and how to mend it.")
    parser.add_argument("--endpoint", help="the collector to look at (LOOPWATCH_ENDPOINT)")
    parser.add_argument("--json", action="store_true", help="findings as JSON")
    arguments = parser.parse_args(argv)
    endpoint = arguments.endpoint or os.environ.get("LOOPWATCH_ENDPOINT") or f"http://127.0.0.1:{HTTP_PORT}"
    findings = list(examine(os.environ, endpoint))
    sys.stdout.write(_as_json(findings) if arguments.json else _as_text(findings))
    return int(any(finding.status == "problem" for finding in findings))


def examine(environment: Mapping[str, str], endpoint: str) -> Iterator[Finding]:
    """Looks at everything, the foundations first.

    Args:
        environment: the variables the collector and the SDK would read.
        endpoint: the collector's base URL.

    Yields:
        What was found.
    """
    yield _python()
    yield from _extras()
    settings, faults = Settings.understood(environment)
    yield from _settings(environment, faults)
    yield from _sender_settings(environment)
    yield from examine_files(settings, environment)
    yield from _collector(endpoint, environment.get("LOOPWATCH_API_KEY", ""))


def _python() -> Finding:
    # An older one could not have imported this.
    return Finding("ok", "python", f"Python {'.'.join(map(str, sys.version_info[:3]))}")


def _extras() -> Iterator[Finding]:
    for extra, modules in _EXTRAS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            mend = f"pip install 'loopwatch[{extra}]' if this machine needs it"
            yield Finding("note", f"extra {extra}", f"not installed: {', '.join(missing)}", mend)
        else:
            yield Finding("ok", f"extra {extra}", "installed")


def _settings(environment: Mapping[str, str], faults: list[str]) -> Iterator[Finding]:
    unknown = unknown_variables(environment)
    for fault in faults:
        yield Finding("problem", "settings", fault, "correct the variable; the rest is looked at without it")
    for one in unknown:
        status = "problem" if one.near else "note"
        yield Finding(status, "settings", str(one), "correct its name, or unset it")
    if not faults and not unknown:
        yield Finding("ok", "settings", "all LOOPWATCH_* variables are understood")


def _sender_settings(environment: Mapping[str, str]) -> Iterator[Finding]:
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield Finding("problem", "OpenTelemetry", "OTEL_SDK_DISABLED is true: nothing is recorded", "unset it")
    sampler = environment.get("OTEL_TRACES_SAMPLER", "")
    if sampler and not sampler.endswith("always_on"):
        yield Finding("note", "OpenTelemetry", f"the sampler {sampler} leaves runs out", "unset OTEL_TRACES_SAMPLER")
    full = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
    try:
        is_bare = bool(full) and not urlsplit(full).path.strip("/")
    except ValueError as fault:
        text = f"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={full} is no URL: {fault}"
        yield Finding("problem", "OpenTelemetry", text, "correct it, or set OTEL_EXPORTER_OTLP_ENDPOINT instead")
        return
    if is_bare:
        yield Finding(
            "problem",
            "OpenTelemetry",
            f"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={full} is used as it is, without /v1/traces",
            f"set it to {full.rstrip('/')}/v1/traces, or set OTEL_EXPORTER_OTLP_ENDPOINT instead",
        )


def _collector(endpoint: str, key: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(endpoint)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError as fault:
        yield Finding("problem", "collector", f"{endpoint} is no URL: {fault}", _WANTED_ENDPOINT)
        return
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        yield Finding("problem", "collector", f"{endpoint} does not begin with http:// or https://", _WANTED_ENDPOINT)
        return
    try:
        with socket.create_connection((parts.hostname, port), _TIMEOUT_S):
            pass
    except OSError as fault:
        mend = "start it with `loopwatch serve`, or point LOOPWATCH_ENDPOINT at it"
        yield Finding("problem", "collector", f"nothing listens at {endpoint}: {fault}", mend)
        return
    yield from _readiness(endpoint)
    yield from _access(endpoint, key)


def _readiness(endpoint: str) -> Iterator[Finding]:
    sent = time.time()
    status, body, date = _get(f"{endpoint}/readyz", "")
    if "status" not in body:
        mend = "point LOOPWATCH_ENDPOINT at the collector; what listens there is something else"
        yield Finding("problem", "collector", f"{endpoint} answers {status}, but not as a Loopwatch collector", mend)
        return
    for fault in body.get("faults", []):
        mend = "give disk or memory to the store where it lacks either; else the collector's log says more"
        yield Finding("problem", "collector", str(fault), mend)
    if status == 200:
        yield Finding("ok", "collector", f"{endpoint} receives and writes")
    skew_s = abs(parsedate_to_datetime(date).timestamp() - sent) if date else 0.0
    if skew_s > _MAX_SKEW_S:
        text = f"its clock differs from this machine's by {skew_s:.0f} s"
        yield Finding("problem", "clocks", text, "synchronise both; spans a day ahead are rejected")


def _access(endpoint: str, key: str) -> Iterator[Finding]:
    status, body, _ = _get(f"{endpoint}/api/v1/system", key)
    if status == 401:
        text = "it wants a key, and LOOPWATCH_API_KEY is not one it knows" if key else "it wants a key"
        yield Finding("problem", "key", text, "set LOOPWATCH_API_KEY to a key of the collector's LOOPWATCH_KEYS")
    elif status == 403:
        yield Finding("ok", "key", "the key may send, and not read")
    elif body:
        yield Finding("ok", "key", "the key is known" if key else "no key is needed")
        yield from _state(body)
        yield from _rules(_get(f"{endpoint}/api/v1/rules", key)[1])


def _rules(answer: dict[str, Any]) -> Iterator[Finding]:
    for fault in answer.get("faults", []):
        where = f"the rules file, line {fault['line']}" if fault.get("line") else "the rules file"
        yield Finding(
            "problem", "rules", f"{where}: {fault.get('message')}", "correct it: rules with faults are not evaluated"
        )
    for rule in answer.get("rules", []):
        if rule.get("enabled") and (error := rule.get("state", {}).get("error")):
            text = f"the rule {rule['name']} cannot be evaluated: {error}"
            yield Finding("problem", "rules", text, "see the collector's log; until then it watches nothing")


def _state(system: dict[str, Any]) -> Iterator[Finding]:
    if system.get("dead_letters"):
        text = f"{counted(system['dead_letters'], 'item')} could not be stored since the start"
        yield Finding("problem", "dead letters", text, "list them with `loopwatch dead-letters list`")
    dropped = sum(sum(sender["dropped"].values()) for sender in system.get("senders", []))
    if dropped:
        mend = "see their reasons with `curl /api/v1/system`; a larger queue or spool helps against bursts"
        yield Finding("note", "senders", f"SDKs say they dropped {counted(dropped, 'span')}", mend)
    reasons = system.get("reasons", [])
    for reason in reasons:
        yield Finding("note", "collector", str(reason), "look again in a minute; then see its log")


def _get(url: str, key: str) -> tuple[int, dict[str, Any], str | None]:
    """Status, the JSON object of the answer (empty when it is none) and its date."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # the operator's own endpoint
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply:  # noqa: S310  # the same
            return reply.status, _json(reply.read()), reply.headers.get("date")
    except urllib.error.HTTPError as refusal:
        return refusal.code, _json(refusal.read()), refusal.headers.get("date")
    except OSError:
        return 0, {}, None


def _json(body: bytes) -> dict[str, Any]:
    try:
        found: Any = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _as_json(findings: list[Finding]) -> str:
    return json.dumps([finding._asdict() for finding in findings], indent=2) + "\n"


def _as_text(findings: list[Finding]) -> str:
    return "".join(_line(finding) for finding in findings)


def _line(finding: Finding) -> str:
    sign = {"ok": "ok", "note": "note"}.get(finding.status, "PROBLEM")
    mend = f"         -> {finding.mend}\n" if finding.mend else ""
    return f"{sign:<7}  {finding.subject}: {finding.text}\n{mend}"
