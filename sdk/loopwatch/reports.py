"""What an agent says about its own run: decisions, verdicts and escalation."""

from difflib import get_close_matches
from typing import Any, Final

from opentelemetry import trace

from loopwatch import names, process
from loopwatch.faults import swallow, warn
from loopwatch.scopes import current_scope

PRIORITIES: Final = ("low", "normal", "high", "urgent", "critical")
"""The usual words; any other is kept as it is, and asked about where it looks like one of these misspelt."""


def decide(name: str, choice: str, *, confidence: float | None = None, reasoning: str | None = None) -> None:
    """Records what the agent decided, as an event on the current span.

    Args:
        name: what was to be decided, such as "root_cause".
        choice: what was chosen.
        confidence: how sure the agent is, 0..1; values outside are moved to the nearer bound, and the log says so.
        reasoning: a summary of why.
    """
    if process.active is None:
        return
    try:
        said: dict[str, Any] = {names.DECISION_NAME: str(name), names.DECISION_CHOICE: str(choice)}
        if confidence is not None:
            said[names.DECISION_CONFIDENCE] = _bounded(str(name), float(confidence))
        if reasoning is not None:
            said[names.DECISION_REASONING] = str(reasoning)
        trace.get_current_span().add_event(names.DECISION_EVENT, said)
    except Exception as fault:  # noqa: BLE001 - a report must not stop the agent
        swallow("decide", fault, _agent())


def _bounded(decision: str, confidence: float) -> float:
    bounded = min(max(confidence, 0.0), 1.0)
    if bounded != confidence:
        warn(
            "decide",
            f"{_agent()}: {decision}",
            f"decide({decision!r}, confidence={confidence:g}): a confidence is a number from 0 to 1 (85 % is 0.85); "
            f"{bounded:g} was recorded",
        )
    return bounded


def _agent() -> str:
    scope = current_scope()
    return "" if scope is None else scope.run.agent


def escalate(reason: str, *, priority: str = "normal") -> None:
    """Records that the run is handed to a human; its outcome will be `escalated`.

    Args:
        reason: why.
        priority: how urgent: "low", "normal", "high", "urgent", "critical", or a word of your own.
    """
    scope = current_scope()
    if process.active is None or scope is None:
        return
    try:
        run = scope.run
        _ask_about(run.agent, str(priority))
        run.escalation = (str(reason), str(priority))
        said: dict[str, Any] = {
            names.ESCALATION_REASON: str(reason),
            names.ESCALATION_PRIORITY: str(priority),
            names.ESCALATION_ITERATION: run.iterations,
        }
        if run.last_tool is not None:
            said[names.ESCALATION_LAST_TOOL] = run.last_tool
        if run.cost_usd is not None:
            said[names.ESCALATION_COST_USD] = run.cost_usd
        run.span.add_event(names.ESCALATION_EVENT, said)
    except Exception as fault:  # noqa: BLE001 - a report must not stop the agent
        swallow("escalate", fault, _agent())


def _ask_about(agent: str, priority: str) -> None:
    meant = get_close_matches(priority.lower(), PRIORITIES, n=1)
    if meant and priority != meant[0]:
        warn("escalate", f"{agent}: {priority}", f"escalate(priority={priority!r}): did you mean {meant[0]!r}?")


def feedback(
    name: str = "feedback", *, score: float | None = None, label: str | None = None, explanation: str | None = None
) -> None:
    """Records a verdict on the current run: a user's, an evaluator's, a test case's.

    Args:
        name: what is judged, such as "helpful"; the last verdict of a name counts.
        score: a number, by convention 0..1.
        label: a word, such as "pass".
        explanation: why.
    """
    scope = current_scope()
    if process.active is None or scope is None:
        return
    try:
        said: dict[str, Any] = {names.EVALUATION_NAME: str(name)}
        if score is not None:
            said[names.EVALUATION_SCORE] = float(score)
        if label is not None:
            said[names.EVALUATION_LABEL] = str(label)
        if explanation is not None:
            said[names.EVALUATION_EXPLANATION] = str(explanation)
        scope.run.span.add_event(names.EVALUATION_EVENT, said)
    except Exception as fault:  # noqa: BLE001 - a report must not stop the agent
        swallow("feedback", fault, _agent())
