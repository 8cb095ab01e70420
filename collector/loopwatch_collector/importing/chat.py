"""The `chat` format: OpenAI-style messages with tool calls and results.

A record is a list of messages, or an object that holds one. A message is `{"role", "content"}`; an
assistant's may have `tool_calls` (`{"id", "function": {"name", "arguments"}}`), a tool's has
`tool_call_id` and often `name`. Content is text, null, or a list of `{"type": "text", "text"}` parts.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from loopwatch_collector.importing.errors import InvalidRecord
from loopwatch_collector.importing.transcript import ToolCall, Transcript, Turn

MESSAGE_KEYS = ("messages", "traj", "conversation", "transcript", "history")
TIME_KEYS = ("timestamp", "created_at", "time")
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How one file's records are read.

    Attributes:
        agent: the agent's name on every run.
        model: the model of records that name none.
        messages_key: dotted path of the list of messages in a record; empty: the first of `MESSAGE_KEYS`.
        id_keys: dotted paths whose values name a run; empty: the messages themselves do.
        outcome_key: dotted path of the value that says how a run ended; empty: every run completed.
        success: values of `outcome_key` that mean `completed`, as text; every other value means `failed`.
        tool_error: a tool result this matches at its start is an error.
        tool_not_found: a tool result this matches at its start is legitimately empty; None: no result is.
        hand_over: a tool whose whole name this matches hands the run to a human.
        conversation_key: dotted path of the conversation's id; empty: none.
        customer_key: dotted path of the customer's id; empty: none.
        user_key: dotted path of the user's id; empty: none.
    """

    agent: str
    model: str = ""
    messages_key: str = ""
    id_keys: tuple[str, ...] = ()
    outcome_key: str = ""
    success: frozenset[str] = frozenset({"1", "1.0", "true", "success", "completed", "pass"})
    tool_error: re.Pattern[str] = re.compile(r"(?i)error\b")
    tool_not_found: re.Pattern[str] | None = None
    hand_over: re.Pattern[str] = re.compile(
        r"(?i)(transfer|escalate|hand_?(over|off))_?(to_)?(an?_)?(human|person|agent|support)\w*"
    )
    conversation_key: str = ""
    customer_key: str = ""
    user_key: str = ""


class _Answer(NamedTuple):
    position: int
    message: dict[str, Any]


def transcripts(records: Iterable[Any], options: ChatOptions) -> Iterator[Transcript]:
    """Reads records as transcripts, in their order.

    Args:
        records: the file's records, decoded from JSON.
        options: how to read them.

    Yields:
        One transcript a record.

    Raises:
        InvalidRecord: a record is not a transcript, or lacks a field the options name.
    """
    seen: Counter[str] = Counter()
    for position, record in enumerate(records):
        yield _transcript(record, position, options, seen)


def _transcript(record: Any, position: int, options: ChatOptions, seen: Counter[str]) -> Transcript:
    messages = _messages(record, position, options)
    instructions = [text_of(message) for message in messages if message["role"] in {"system", "developer"}]
    dialogue = [message for message in messages if message["role"] not in {"system", "developer"}]
    turns = tuple(_turns(dialogue, options, position))
    outcome, score = _outcome(record, position, options)
    return Transcript(
        identity=_identity(record, messages, position, options, seen),
        agent=options.agent,
        messages=tuple(_convention_message(message) for message in dialogue),
        times_ns=tuple(_time_ns(message, position) for message in dialogue),
        system="\n\n".join(instructions),
        turns=turns,
        outcome=outcome,
        outcome_reason=f"{score[0]} {score[1]:g}" if score and outcome == "failed" else "",
        hand_over=_hand_over(turns, options),
        score=score,
        conversation_id=_optional(record, options.conversation_key, position),
        customer_id=_optional(record, options.customer_key, position),
        user_id=_optional(record, options.user_key, position),
    )


def _messages(record: Any, position: int, options: ChatOptions) -> list[dict[str, Any]]:
    found: Any = record
    if isinstance(record, Mapping):
        keys = (options.messages_key,) if options.messages_key else MESSAGE_KEYS
        found = next(
            (value for key in keys if (value := _path(cast(Mapping[str, Any], record), key)) is not None),
            None,
        )
        if found is None:
            raise InvalidRecord(position, f"no messages under {' or '.join(keys)}; name the field with --messages")
    if not isinstance(found, list):
        raise InvalidRecord(position, f"its messages are {type(found).__name__}, not a list")
    return [_checked(message, index, position) for index, message in enumerate(cast(list[Any], found))]


def _checked(message: Any, index: int, position: int) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise InvalidRecord(position, f"message {index} is {type(message).__name__}, not an object")
    checked = cast(dict[str, Any], message)
    if checked.get("role") not in ROLES:
        raise InvalidRecord(
            position,
            f"message {index} has the role {checked.get('role')!r}, not one of {', '.join(sorted(ROLES))}",
        )
    return checked


def _path(value: Mapping[str, Any], dotted: str) -> Any:
    found: Any = value
    for key in dotted.split("."):
        if not isinstance(found, Mapping):
            return None
        found = cast(Mapping[str, Any], found).get(key)
    return found


def _required(record: Any, dotted: str, position: int) -> Any:
    found = _path(cast(Mapping[str, Any], record), dotted) if isinstance(record, Mapping) else None
    if found is None:
        raise InvalidRecord(position, f"no field {dotted}")
    return found


def _optional(record: Any, dotted: str, position: int) -> str:
    return str(_required(record, dotted, position)) if dotted else ""


def _identity(
    record: Any, messages: list[dict[str, Any]], position: int, options: ChatOptions, seen: Counter[str]
) -> str:
    # Equal transcripts are told apart by their count, not their position, so that a file may be re-ordered.
    if options.id_keys:
        key = json.dumps([_required(record, name, position) for name in options.id_keys])
    else:
        key = hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()
    seen[key] += 1
    return json.dumps([options.agent, key, seen[key]])


def _outcome(record: Any, position: int, options: ChatOptions) -> tuple[str, tuple[str, float] | None]:
    if not options.outcome_key:
        return "completed", None
    value = _required(record, options.outcome_key, position)
    outcome = "completed" if str(value).lower() in options.success else "failed"
    is_number = isinstance(value, int | float)
    return outcome, (options.outcome_key, float(value) if is_number else float(outcome == "completed"))


def _turns(dialogue: Sequence[dict[str, Any]], options: ChatOptions, position: int) -> Iterator[Turn]:
    for index, message in enumerate(dialogue):
        if message["role"] != "assistant":
            continue
        usage = cast(Mapping[str, Any], message.get("usage") or {})
        yield Turn(
            history=index,
            model=str(message.get("model") or options.model),
            input_tokens=_count(usage, "input_tokens", "prompt_tokens"),
            output_tokens=_count(usage, "output_tokens", "completion_tokens"),
            tool_calls=tuple(_tool_calls(dialogue, index, options, position)),
        )


def _count(usage: Mapping[str, Any], *names: str) -> int | None:
    return next((int(usage[name]) for name in names if isinstance(usage.get(name), int)), None)


def _tool_calls(
    dialogue: Sequence[dict[str, Any]], asked_at: int, options: ChatOptions, position: int
) -> Iterator[ToolCall]:
    answers = _answers_after(dialogue, asked_at)
    for call in cast(list[Any], dialogue[asked_at].get("tool_calls") or []):
        if not isinstance(call, Mapping):
            raise InvalidRecord(position, f"a tool call of message {asked_at} is not an object")
        name = _path(cast(Mapping[str, Any], call), "function.name")
        if not name:
            raise InvalidRecord(position, f"a tool call of message {asked_at} has no function name")
        yield _tool_call(cast(Mapping[str, Any], call), str(name), answers, options)


def _tool_call(call: Mapping[str, Any], tool: str, answers: list[_Answer], options: ChatOptions) -> ToolCall:
    call_id = str(call.get("id") or "")
    answer = _take_answer(answers, call_id, tool)
    arguments = _path(call, "function.arguments")
    return ToolCall(
        tool=tool,
        call_id=call_id,
        arguments=arguments if isinstance(arguments, str) else json.dumps(arguments or {}),
        result=text_of(answer.message) if answer else None,
        answered_at=answer.position if answer else None,
        outcome=_tool_outcome(answer, options),
    )


def _answers_after(dialogue: Sequence[dict[str, Any]], asked_at: int) -> list[_Answer]:
    # Results stand between the request and the next assistant message; a user may speak in between.
    following: list[_Answer] = []
    for position, message in enumerate(dialogue[asked_at + 1 :], start=asked_at + 1):
        if message["role"] == "assistant":
            break
        if message["role"] in {"tool", "function"}:
            following.append(_Answer(position, message))
    return following


def _take_answer(answers: list[_Answer], call_id: str, tool: str) -> _Answer | None:
    by_id = (answer for answer in answers if call_id and answer.message.get("tool_call_id") == call_id)
    by_name = (
        answer for answer in answers if not answer.message.get("tool_call_id") and answer.message.get("name") == tool
    )
    found = next(by_id, next(by_name, None))
    if found:
        answers.remove(found)
    return found


def _tool_outcome(answer: _Answer | None, options: ChatOptions) -> str:
    if answer is None:
        return "error"
    text = text_of(answer.message).lstrip()
    if options.tool_not_found and options.tool_not_found.match(text):
        return "not_found"
    return "error" if options.tool_error.match(text) else "success"


def _hand_over(turns: Sequence[Turn], options: ChatOptions) -> tuple[ToolCall, int] | None:
    for number, turn in enumerate(turns, start=1):
        for call in turn.tool_calls:
            if options.hand_over.fullmatch(call.tool) and call.outcome != "error":
                return call, number
    return None


def _time_ns(message: Mapping[str, Any], position: int) -> int | None:
    value = next((message[key] for key in TIME_KEYS if message.get(key) is not None), None)
    if value is None:
        return None
    if isinstance(value, int | float):
        # Epoch seconds until the year 5138 stay below 1e11; milliseconds are above it since 1973.
        return round(value * 1_000_000) if value > 1e11 else round(value * 1_000_000_000)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise InvalidRecord(position, f"{value!r} is not a time; write ISO 8601 or seconds since the epoch") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000) * 1_000


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message whose content is text, null, or a list of parts."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return json.dumps(content)
    parts = cast(list[Any], content)
    return "\n".join(str(cast(dict[str, Any], part).get("text", "")) for part in parts if isinstance(part, dict))


def _convention_message(message: Mapping[str, Any]) -> dict[str, Any]:
    if message["role"] in {"tool", "function"}:
        part = {"type": "tool_call_response", "id": message.get("tool_call_id"), "response": text_of(message)}
        return {"role": "tool", "parts": [part]}
    parts: list[dict[str, Any]] = []
    if text := text_of(message):
        parts.append({"type": "text", "content": text})
    parts.extend(
        {
            "type": "tool_call",
            "id": call.get("id"),
            "name": _path(call, "function.name"),
            "arguments": _path(call, "function.arguments"),
        }
        for call in cast(list[Mapping[str, Any]], message.get("tool_calls") or [])
    )
    return {"role": message["role"], "parts": parts}
