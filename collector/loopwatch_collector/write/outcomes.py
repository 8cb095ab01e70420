"""How a tool call and a run ended, for senders that do not say it in our words.

A tool call is an `error` when its span is (status, `error.type`, an exception event, a dialect's own mark) or when
its result says so: a JSON object with a true `is_error` or `isError`, a non-empty `error` and no data beside it,
or a `status` or `type` of "error". It is `not_found` when its result is empty: no JSON array element, no object
field, null, or an object of which the one list it holds is empty. An error is retryable when its type or message
speaks of time-outs, connections, overload or rate limits.

A run is `stopped` when its span failed with the exception by which a framework enforces a limit.
"""

import re
from typing import Any, Final, cast

import orjson

from loopwatch_collector.write.aliases import SLOTS

SUCCESS: Final = "success"
NOT_FOUND: Final = "not_found"
ERROR: Final = "error"
_OUTCOMES: Final = frozenset({SUCCESS, NOT_FOUND, ERROR})
_MAX_CHARS: Final = 65_536
_MAX_MESSAGE_CHARS: Final = 500
_EMPTY: Final = frozenset({"[]", "{}", "null", '""'})
_RETRYABLE: Final = re.compile(
    r"time.?out|timed out|connection|unavailable|overloaded|rate.?limit|too many requests|temporar"
    r"|\b(?:429|502|503|504|529)\b",
    re.IGNORECASE,
)
# The last part of the exception's name, and the limit of ours that it stands for.
_LIMITS: Final = {
    "UsageLimitExceeded": "tokens",  # Pydantic AI; its message says which
    "GraphRecursionError": "iterations",  # LangGraph
    "MaxTurnsExceeded": "iterations",  # OpenAI Agents
    "LlmCallsLimitExceededError": "iterations",  # Google ADK
    "MaxTokensReachedException": "tokens",  # Strands
    "EventLoopMaxTurnsReachedException": "iterations",  # the same
    "error_max_turns": "iterations",  # Claude Code
    "error_max_budget_usd": "cost_usd",  # the same
}
_OUTCOME: Final = SLOTS["tool_outcome"]
_RETRYABLE_SLOT: Final = SLOTS["tool_retryable"]
_STATUS: Final = SLOTS["status"]
_ERROR_TYPE: Final = SLOTS["error_type"]
_ERROR_MESSAGE: Final = SLOTS["error_message"]
_RESULT: Final = SLOTS["result"]
_LIMIT_NAME: Final = SLOTS["limit_name"]


def judge_tool_call(row: list[Any]) -> None:
    """Fills the outcome of a tool call in the making, unless its sender gave one."""
    if row[_OUTCOME] in _OUTCOMES:
        return
    result = (row[_RESULT] or b"").decode()
    outcome = ERROR if row[_STATUS] == ERROR else outcome_of(result)
    row[_OUTCOME] = outcome
    if outcome == ERROR:
        row[_ERROR_MESSAGE] = row[_ERROR_MESSAGE] or result[:_MAX_MESSAGE_CHARS]
        row[_ERROR_TYPE] = row[_ERROR_TYPE] or "tool_error"
        if row[_RETRYABLE_SLOT] is None:
            row[_RETRYABLE_SLOT] = retryable_of(row[_ERROR_TYPE], row[_ERROR_MESSAGE], result)


def retryable_of(error_type: str, error_message: str, result: str = "") -> int | None:
    """1 where an error speaks of something that passes; None where nothing is known."""
    return 1 if _RETRYABLE.search(f"{error_type} {error_message[:1024]} {result[:1024]}") else None


def outcome_of(result: str) -> str:
    """The outcome a result tells of.

    Args:
        result: the tool's result as text; "" when it was not captured.
    """
    if not result or len(result) > _MAX_CHARS:
        return SUCCESS
    text = result.strip()
    if text in _EMPTY:
        return NOT_FOUND
    if not text.startswith("{"):
        return SUCCESS
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return SUCCESS
    wrapped = found.get("output") if len(found) == 1 else None  # Genkit's way to hand a text on
    return outcome_of(wrapped) if isinstance(wrapped, str) else _outcome_of_object(cast("dict[str, Any]", found))


def _outcome_of_object(found: dict[str, Any]) -> str:
    if found.get("is_error") is True or found.get("isError") is True:
        return ERROR
    if ERROR in {found.get("status"), found.get("type")}:
        return ERROR
    if found.get(ERROR) and not any(found.get(name) for name in ("result", "results", "data", "content", "output")):
        return ERROR
    lists = [cast("list[Any]", value) for value in found.values() if isinstance(value, list)]
    return NOT_FOUND if len(lists) == 1 and not lists[0] else SUCCESS


def judge_run(row: list[Any]) -> None:
    """Names the limit that ended a run in the making, when its exception says so."""
    if row[_STATUS] == ERROR and not row[_LIMIT_NAME]:
        row[_LIMIT_NAME] = _LIMITS.get(row[_ERROR_TYPE].rpartition(".")[2], "")
