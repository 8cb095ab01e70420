"""A run in one sentence, made from its numbers."""

from collections.abc import Mapping
from typing import Any, Final

from loopwatch_dashboards import formatting
from loopwatch_dashboards.text import one_line

_MAX_REASON: Final = 600
_BEGINNINGS: Final = {
    "completed": "completed after",
    "escalated": "was handed to a human after",
    "failed": "failed after",
    "stopped": "was stopped after",
    "open": "is still going after",
    "abandoned": "was abandoned after",
}


def story(run: Mapping[str, Any]) -> str:
    """Tells a run: how it ended, after how much, what failed on the way, and why.

    Args:
        run: a RunSummary of the API.

    Returns:
        One sentence without its full stop, such as
        "completed after 6 iterations in 1 m 20 s, $0.042, 1 of 9 tool calls failed".
    """
    parts = [
        f"{_BEGINNINGS.get(run['outcome'], 'ended after')} {formatting.plural(run['iterations'], 'iteration')} "
        f"in {formatting.duration(run['duration_ns'])}",
        _cost(run),
        _tool_calls(run),
        _reason(run),
    ]
    return ", ".join(part for part in parts if part)


def _cost(run: Mapping[str, Any]) -> str:
    unpriced = run.get("unpriced_tokens") or 0
    if not run["total_tokens"]:
        return "no tokens reported" if run["model_calls"] else ""
    if run["cost_usd"] is None:
        return f"{formatting.count(run['total_tokens'])} tokens without a price"
    more = f" and {formatting.count(unpriced)} tokens without a price" if unpriced else ""
    return formatting.usd(run["cost_usd"]) + more


def _tool_calls(run: Mapping[str, Any]) -> str:
    calls, errors = run["tool_calls"], run["tool_errors"]
    if not calls:
        return "no tool called"
    if not errors:
        return f"{formatting.plural(calls, 'tool call')}, none failed" if calls > 1 else "1 tool call, which succeeded"
    return f"{formatting.count(errors)} of {formatting.plural(calls, 'tool call')} failed"


def _because(reason: str | None) -> str:
    return f"because: {one_line(reason, _MAX_REASON).rstrip('.')}" if reason else ""


def _reason(run: Mapping[str, Any]) -> str:
    if run["outcome"] == "escalated" and run.get("escalation_reason"):
        return _because(run["escalation_reason"])
    if run["outcome"] == "stopped":
        limit = (run.get("limit") or "").replace("_", " ")
        return f"by the limit on {one_line(limit)}" if limit else _because(run.get("outcome_reason"))
    if run["outcome"] == "failed":
        said = ": ".join(part for part in (run.get("error_type"), run.get("error_message")) if part)
        return f"with {one_line(said, _MAX_REASON)}" if said else ""
    return ""
