"""What the simulated model answers: a policy that reads the conversation, never the number of the turn.

It investigates as an operator would: errors of the service in question, then of the service that is blamed
for them, a metric or a deployment to confirm, a ticket, a summary. A temperament, drawn from the seed, the
model and the question, decides how straight the way is: how often it looks at something beside the point, how
long it repeats a call whose answer says "later", how many tools it asks for at once. So runs differ, and the
same conversation gets the same answer.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, Final, NamedTuple

from loopwatch_reference.messages_api.conversation import Conversation, ToolExchange
from loopwatch_reference.messages_api.evidence import Diagnosis, Evidence, weigh
from loopwatch_reference.seeding import seeded

_METRICS: Final = ("error_rate", "latency_ms", "memory_mb", "cpu_ratio", "connections", "disk_ratio", "queue_depth")
_LATER: Final = ("try again", "may return lines later", "timed out")


class ToolRequest(NamedTuple):
    """One tool call the model asks for."""

    tool: str
    arguments: dict[str, Any]


class Reply(NamedTuple):
    """What the model says: its reasoning, its text, and the tools it asks for (none: it is done)."""

    thinking: str
    text: str
    calls: tuple[ToolRequest, ...] = ()


class Temperament(NamedTuple):
    """How a model goes about it.

    Attributes:
        distraction: the chance of looking at something beside the point, per turn.
        persistence: how often it makes a call again that answers "later".
        parallel: tools it asks for at once.
    """

    distraction: float
    persistence: int
    parallel: int


_TEMPERAMENTS: Final = {
    "opus": Temperament(0.08, 2, 2),
    "fable": Temperament(0.05, 1, 2),
    "mythos": Temperament(0.05, 1, 2),
    "sonnet": Temperament(0.28, 5, 1),
    "haiku": Temperament(0.55, 12, 1),
}


def temperament_of(conversation: Conversation, seed: int) -> Temperament:
    """Draws the temperament of one conversation: the model's, shifted by the seed and the question."""
    usual = next((t for name, t in _TEMPERAMENTS.items() if name in conversation.model), _TEMPERAMENTS["sonnet"])
    rng = seeded(seed, conversation.model, conversation.question)
    return Temperament(
        distraction=min(0.85, usual.distraction * rng.choice((0.4, 1.0, 1.0, 1.7))),
        persistence=max(1, usual.persistence + rng.choice((-1, 0, 0, 2))),
        parallel=usual.parallel,
    )


def reply_to(conversation: Conversation, seed: int) -> Reply:
    """Answers one request.

    Args:
        conversation: what the model sees.
        seed: of the simulated API.
    """
    evidence = weigh(conversation)
    if evidence is None or "search_logs" not in conversation.tools:
        return Reply("", f"I have read the request: {conversation.question[:200]}")
    temperament = temperament_of(conversation, seed)
    if repeated := _ask_again(conversation, temperament):
        return repeated
    if evidence.diagnosis and evidence.confirmed:
        return _conclude(conversation, evidence, evidence.diagnosis)
    rng = seeded(seed, conversation.question, len(conversation.exchanges))
    return _investigate(conversation, evidence, temperament, rng)


def _ask_again(conversation: Conversation, temperament: Temperament) -> Reply | None:
    if not conversation.exchanges or not _says_later(last := conversation.exchanges[-1]):
        return None
    if conversation.times_called(last.tool, last.arguments) > temperament.persistence:
        return None
    return Reply(
        "The answer may be there in a moment, so the same call is worth repeating.",
        "The backend was not ready. I ask the same again.",
        (ToolRequest(last.tool, last.arguments),),
    )


def _says_later(exchange: ToolExchange) -> bool:
    return any(words in exchange.result for words in _LATER)


def _conclude(conversation: Conversation, evidence: Evidence, diagnosis: Diagnosis) -> Reply:
    confidence = 0.93 if diagnosis.by_release else 0.86
    if evidence.ticket:
        return Reply(
            "The cause is confirmed and the ticket exists; what is left is the summary.",
            f"ROOT CAUSE: {diagnosis.service}: {diagnosis.cause}\nCONFIDENCE: {confidence}\nTICKET: {evidence.ticket}\n"
            f"The errors begin at {diagnosis.service}; the services that call it only pass them on.",
        )
    if any(one.tool == "create_incident_ticket" for one in conversation.exchanges):
        return _give_up(f"{diagnosis.service}: {diagnosis.cause}, but the ticket could not be created", 0.8)
    severity = "critical" if diagnosis.service.endswith(("-db", "gateway")) else "high"
    title = f"{diagnosis.service}: {diagnosis.cause}"
    return Reply(
        f"The logs of {diagnosis.service} name the cause and a second source agrees.",
        f"{diagnosis.service} is at fault: {diagnosis.cause}. I open a ticket.",
        (ToolRequest("create_incident_ticket", {"title": title, "severity": severity}),),
    )


def _investigate(conversation: Conversation, evidence: Evidence, temperament: Temperament, rng: Random) -> Reply:
    wanted = [one for one in _useful(conversation, evidence) if not conversation.times_called(*one)]
    if not wanted:
        return _give_up(f"no errors, metrics or deployments explain the alert on {evidence.suspect}", 0.2)
    calls = wanted[: temperament.parallel]
    if rng.random() < temperament.distraction:
        aside = [one for one in _asides(evidence, rng) if not conversation.times_called(*one)]
        calls = aside[:1] or calls
    return Reply(
        f"The suspect is {evidence.suspect}. "
        + (
            "Its errors are known but nothing confirms them yet."
            if evidence.diagnosis
            else "Its own errors are not known yet."
        ),
        f"I look at {', '.join(_in_words(call) for call in calls)}.",
        tuple(calls),
    )


def _useful(conversation: Conversation, evidence: Evidence) -> Iterator[ToolRequest]:
    suspect = evidence.suspect
    if "deployments first" in conversation.system:
        yield ToolRequest("list_recent_deployments", {})
    if evidence.diagnosis is None:
        yield ToolRequest("search_logs", {"query": f"{suspect} error", "minutes": 30})
    yield ToolRequest("get_metrics", {"service": suspect, "metric": "error_rate"})
    yield ToolRequest("list_recent_deployments", {})
    yield ToolRequest("get_metrics", {"service": suspect, "metric": "latency_ms"})
    if evidence.diagnosis is None:
        yield ToolRequest("search_logs", {"query": f"{suspect} error", "minutes": 120})
        for callee in evidence.calls.get(suspect, ()):
            yield ToolRequest("search_logs", {"query": f"{callee} error", "minutes": 60})
    yield ToolRequest("get_metrics", {"service": suspect, "metric": "memory_mb"})


def _asides(evidence: Evidence, rng: Random) -> Iterator[ToolRequest]:
    for service in rng.sample(sorted(evidence.calls), min(3, len(evidence.calls))):
        yield ToolRequest("get_metrics", {"service": service, "metric": rng.choice(_METRICS)})
    yield ToolRequest("search_logs", {"query": f"{rng.choice(sorted(evidence.calls))} error", "minutes": 60})


def _in_words(call: ToolRequest) -> str:
    if call.tool == "search_logs":
        return f"logs matching '{call.arguments['query']}' of the last {call.arguments['minutes']} minutes"
    if call.tool == "get_metrics":
        return f"{call.arguments['metric']} of {call.arguments['service']}"
    return "recent deployments"


def _give_up(reason: str, confidence: float) -> Reply:
    return Reply(
        "Nothing is left to look at that would change the picture.",
        f"NO ROOT CAUSE\nCONFIDENCE: {confidence}\nREASON: {reason}",
    )
