"""What the tool results of an incident say: who blames whom, what a log line means, what a metric shows."""

import re
from typing import Any, Final, NamedTuple

from loopwatch_reference.messages_api.conversation import Conversation, ToolExchange

_MAP_LINE: Final = re.compile(r"^- (?P<service>[a-z-]+)(?: calls (?P<callees>[a-z, -]+))?\.?$", re.MULTILINE)
_BLAME: Final = re.compile(r"call to (?P<callee>[a-z-]+) failed")
_ANOMALY_FACTOR: Final = 1.5
_ANOMALOUS_ERROR_RATE: Final = 0.02

_SIGNATURES: Final = (
    ("NullPointerException", "the latest release fails on a missing value", True),
    ("OutOfMemoryError", "memory leak, the container is killed and restarted", True),
    ("certificate has expired", "its TLS certificate has expired", False),
    ("No space left on device", "its data volume is full", False),
    ("too many connections", "its connection slots are used up", False),
    ("publishers are blocked", "its queue grows faster than it is consumed", False),
)


class Diagnosis(NamedTuple):
    """A cause read from a service's own errors.

    Attributes:
        by_release: such a cause comes with a release, so a deployment confirms it.
    """

    service: str
    cause: str
    by_release: bool


class Evidence(NamedTuple):
    """All that is known so far.

    Attributes:
        calls: the service map, from the system prompt.
        suspect: the service at the end of the chain of blame.
        diagnosis: what is wrong with the suspect, once its own errors were seen.
        confirmed: a metric or a deployment of the suspect agrees.
        ticket: the ticket's name, once it exists.
    """

    calls: dict[str, tuple[str, ...]]
    suspect: str
    diagnosis: Diagnosis | None
    confirmed: bool
    ticket: str | None


def weigh(conversation: Conversation) -> Evidence | None:
    """Reads the evidence out of a conversation.

    Returns:
        The evidence, or None when the question names no service of the map.
    """
    calls = _service_map(conversation.system)
    named = [word for word in re.findall(r"[a-z]+-[a-z]+", conversation.question) if word in calls]
    if not named:
        return None
    lines = [line for one in conversation.exchanges for line in _log_lines(one)]
    suspect = _follow_blame(named[0], lines)
    diagnosis = _diagnose(suspect, lines)
    return Evidence(calls, suspect, diagnosis, _confirmed(suspect, conversation), _ticket(conversation))


def _service_map(system: str) -> dict[str, tuple[str, ...]]:
    return {
        line["service"]: tuple(name.strip() for name in (line["callees"] or "").split(",") if name.strip())
        for line in _MAP_LINE.finditer(system)
    }


def _log_lines(exchange: ToolExchange) -> list[dict[str, str]]:
    data = exchange.data() if exchange.tool == "search_logs" and not exchange.is_error else None
    lines = data.get("lines") if isinstance(data, dict) else data
    return [line for line in lines or [] if line.get("level") == "ERROR"]


def _follow_blame(service: str, lines: list[dict[str, str]]) -> str:
    blamed: dict[str, str] = {}
    for line in lines:
        if found := _BLAME.search(line["message"]):
            blamed.setdefault(line["service"], found["callee"])
    seen = {service}
    while service in blamed and blamed[service] not in seen:
        service = blamed[service]
        seen.add(service)
    return service


def _diagnose(suspect: str, lines: list[dict[str, str]]) -> Diagnosis | None:
    for line in lines:
        for words, cause, by_release in _SIGNATURES:
            if line["service"] == suspect and words in line["message"]:
                return Diagnosis(suspect, cause, by_release)
    return None


def _confirmed(suspect: str, conversation: Conversation) -> bool:
    answers = [(one.tool, one.data()) for one in conversation.exchanges if not one.is_error]
    return any(
        (tool == "get_metrics" and _is_anomalous(data, suspect))
        or (tool == "list_recent_deployments" and _was_deployed(data, suspect))
        for tool, data in answers
    )


def _is_anomalous(data: Any, suspect: str) -> bool:
    if not isinstance(data, dict) or data.get("service") != suspect or not data.get("values"):
        return False
    last, usual = data["values"][-1], data["usual"]
    if data["metric"] == "error_rate":
        return last > _ANOMALOUS_ERROR_RATE
    return last > usual * _ANOMALY_FACTOR or last < usual / _ANOMALY_FACTOR


def _was_deployed(data: Any, suspect: str) -> bool:
    return isinstance(data, list) and any(one.get("service") == suspect for one in data)


def _ticket(conversation: Conversation) -> str | None:
    for one in conversation.exchanges:
        data = one.data() if one.tool == "create_incident_ticket" and not one.is_error else None
        if isinstance(data, dict) and "ticket" in data:
            return data["ticket"]
    return None
