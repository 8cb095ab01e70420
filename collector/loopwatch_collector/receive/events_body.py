"""What `POST /v1/events` takes: single events, records of whole requests, and how a body holds several of them."""

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal, NamedTuple, cast, get_args

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails

from loopwatch_collector.errors import RequestRefused
from loopwatch_collector.receive import json_text
from loopwatch_collector.receive.events_fields import Ignored, IgnoredFields, Known

MAX_EVENTS: Final = 10_000
_MAX_ID_CHARS: Final = 512
_MAX_WORD_CHARS: Final = 60
_OUTCOMES = Literal["completed", "escalated", "failed", "stopped"]
_EVENT_TYPES = Literal["plan", "tool_call", "tool_result", "observation", "response"]
_WORDS: Final[tuple[str, ...]] = (*get_args(_OUTCOMES), *get_args(_EVENT_TYPES))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _milliseconds(value: Any) -> Any:
    """A time as ms since the epoch; one that is written out is taken as UTC unless it says another zone."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        pass
    try:
        time = datetime.fromisoformat(value)
    except ValueError as fault:
        raise ValueError(f"'{value[:60]}' is neither ms since the epoch nor an ISO 8601 time") from fault
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) / timedelta(milliseconds=1)


_Time = Annotated[
    float,
    BeforeValidator(_milliseconds),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}]}),
]


class _Record(BaseModel):
    """What both forms may say about whose run it is; other fields are ignored, and null is as good as absent."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore", coerce_numbers_to_str=True)

    conversation_id: str | None = Field(None, alias="conversationId", max_length=_MAX_ID_CHARS)
    customer_id: str | None = Field(None, alias="customerId", max_length=_MAX_ID_CHARS)
    user_id: str | None = Field(None, alias="userId", max_length=_MAX_ID_CHARS)
    agent: str | None = Field(None, max_length=_MAX_ID_CHARS)
    agent_version: str | None = Field(None, alias="agentVersion", max_length=_MAX_ID_CHARS)
    service: str | None = Field(None, max_length=_MAX_ID_CHARS)
    environment: str | None = Field(None, max_length=_MAX_ID_CHARS)
    tags: list[str] = Field(default_factory=list, max_length=64)
    model: str | None = Field(None, max_length=_MAX_ID_CHARS)
    outcome: _OUTCOMES | None = Field(None, description="how the run ended, on its last event")


class TokensUsed(BaseModel):
    """Tokens of one model call; `input` counts cached ones in."""

    model_config = ConfigDict(extra="ignore")

    input: int = Field(0, ge=0, le=10**12)
    output: int = Field(0, ge=0, le=10**12)
    cacheRead: int = Field(0, ge=0, le=10**12)  # noqa: N815 the name on the wire
    cacheWrite: int = Field(0, ge=0, le=10**12)  # noqa: N815 the same


class Event(_Record):
    """One thing an agent did."""

    trace_id: str = Field(alias="traceId", min_length=1, max_length=_MAX_ID_CHARS, description="of the run, any form")
    timestamp: _Time = Field(gt=0, lt=9.2e12, description="when it happened: ms since the epoch, or ISO 8601")
    event_type: _EVENT_TYPES = Field(alias="eventType")
    tokens_used: TokensUsed | None = Field(None, alias="tokensUsed")
    latency_ms: float = Field(0, alias="latencyMs", ge=0, le=9.2e9, description="how long it took, up to timestamp")
    data: Any = Field(
        None,
        description="what it said: a text, or an object; of a tool call its tool (or name), arguments and toolCallId, "
        "of a result the same with result, error or isError",
    )
    event_id: str | None = Field(
        None, alias="eventId", max_length=_MAX_ID_CHARS, description="else a hash of the event, which then counts once"
    )
    _sent: bytes = PrivateAttr(b"")

    @property
    def identity(self) -> str | bytes:
        """What tells it from other events of its trace: its own id, else all it says as JSON with sorted keys."""
        return self._sent if self.event_id is None else self.event_id

    @classmethod
    def of(cls, item: dict[str, Any], sent: bytes) -> "Event":
        """Reads an event.

        Args:
            item: its JSON.
            sent: the same as text, its keys sorted.

        Raises:
            ValidationError: it is not of the form.
        """
        event = cls.model_validate(item)
        event._sent = sent
        return event


class RequestRecord(_Record):
    """One record per request, as a log of finished requests has it."""

    request_id: str = Field(min_length=1, max_length=_MAX_ID_CHARS)
    timestamp: _Time | None = Field(
        None, gt=0, lt=9.2e12, description="when it began: ms since the epoch, or ISO 8601; else now"
    )
    latency_ms: float = Field(0, ge=0, le=9.2e9)
    user_query: Any = None
    claude_reasoning: Any = None
    tool_calls: list[Any] = Field(default_factory=list, max_length=1_000)
    tool_results: list[Any] = Field(default_factory=list, max_length=1_000)
    final_response: Any = None
    total_tokens: int | None = Field(None, ge=0, le=10**12)
    input_tokens: int | None = Field(None, ge=0, le=10**12)
    output_tokens: int | None = Field(None, ge=0, le=10**12)
    cost_usd: float | None = Field(None, ge=0, lt=100_000)
    error: str | None = None


class Refusal(BaseModel):
    """An event that was not taken."""

    index: int = Field(description="its place in the body, from 0")
    reason: str


class Answer(BaseModel):
    """What became of a body's events."""

    accepted: int
    rejected: list[Refusal]
    ignored: list[Ignored] = Field(description="fields that look as if they should have been read, and were not")


class Taken(NamedTuple):
    """A body's events.

    Attributes:
        events: those that are well formed, with their place.
        requests: the same of records of whole requests.
        rejected: why the others are not.
        ignored: fields nobody reads that somebody may have meant to be read.
    """

    events: list[tuple[int, Event]]
    requests: list[tuple[int, RequestRecord]]
    rejected: list[Refusal]
    ignored: IgnoredFields


_EVENT_FIELDS: Final = Known.of(Event)
_REQUEST_FIELDS: Final = Known.of(RequestRecord)
_TOKEN_FIELDS: Final = Known.of(TokensUsed, names_all=True)


def ns_of(milliseconds: float) -> int:
    """Milliseconds as ns, exact to the microsecond: a product with 10^6 would leave the floats' precision."""
    return round(milliseconds * 1_000) * 1_000


def parse(body: bytes) -> Taken:
    """Reads a body: one JSON object, an array of them, or one a line.

    Raises:
        RequestRefused: it is none of these, or holds too many.
    """
    taken = Taken([], [], [], IgnoredFields())
    for index, item in enumerate(_items(body)):
        try:
            _sort(taken, index, item)
        except ValidationError as fault:
            taken.rejected.append(Refusal(index=index, reason=_reason(fault)))
    return taken


def disbelieve(taken: Taken, oldest_ns: int, newest_ns: int) -> None:
    """Moves what happened at a time that is not believed to the rejected ones.

    Args:
        taken: a body's events; changed in place.
        oldest_ns: the first moment that is believed, ns since the epoch.
        newest_ns: the last.
    """
    gone: set[int] = set()
    for index, item in (*taken.events, *taken.requests):
        reason = _disbelief(item, oldest_ns, newest_ns)
        if reason:
            gone.add(index)
            taken.rejected.append(Refusal(index=index, reason=reason))
    taken.events[:] = [item for item in taken.events if item[0] not in gone]
    taken.requests[:] = [item for item in taken.requests if item[0] not in gone]


def _disbelief(item: Event | RequestRecord, oldest_ns: int, newest_ns: int) -> str:
    if item.timestamp is None:
        return ""
    at_ns = ns_of(item.timestamp)
    if oldest_ns <= at_ns <= newest_ns:
        lasted_ns = ns_of(item.latency_ms) if isinstance(item, Event) else 0
        began_ns = max(1, at_ns - lasted_ns)
        return "" if began_ns >= oldest_ns else "latencyMs: it began before the retention"
    reason = "older than the retention" if at_ns < oldest_ns else "more than a day ahead"
    hint = "; is it in ms since the epoch?" if item.timestamp < 1e11 else ""
    return f"timestamp: {item.timestamp:.0f} is {reason}{hint}"


def _sort(taken: Taken, index: int, item: Any) -> None:
    if isinstance(item, _Unreadable):
        taken.rejected.append(Refusal(index=index, reason=item.reason))
        return
    if not isinstance(item, dict):
        taken.rejected.append(Refusal(index=index, reason="it is not a JSON object"))
        return
    record = cast("dict[str, Any]", item)
    try:
        sent = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # the writer of JSON goes less deep than its reader
        taken.rejected.append(Refusal(index=index, reason="it is nested too deeply"))
        return
    said = _without_nulls(record)
    if "request_id" in said and "eventType" not in said:
        taken.requests.append((index, RequestRecord.model_validate(said)))
        known = _REQUEST_FIELDS
    else:
        taken.events.append((index, Event.of(said, sent)))
        known = _EVENT_FIELDS
    taken.ignored.note(index, said, known)
    tokens = said.get("tokensUsed")
    if isinstance(tokens, dict):
        taken.ignored.note(index, cast("dict[str, Any]", tokens), _TOKEN_FIELDS, "tokensUsed.")


def _without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in record.items() if value is not None}
    tokens = said.get("tokensUsed")
    if isinstance(tokens, dict):
        counts = cast("dict[str, Any]", tokens)
        said["tokensUsed"] = {name: count for name, count in counts.items() if count is not None}
    return said


class _Unreadable(NamedTuple):
    reason: str


def _items(body: bytes) -> list[Any]:
    text = body.strip()
    if not text:
        raise RequestRefused("the body is empty; send an event, an array of events, or one event a line")
    try:
        found: Any = json_text.loads(text)
    except orjson.JSONDecodeError as fault:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise RequestRefused(f"the body is not JSON: {fault}") from fault
        items = [_line(line) for line in lines]
        if all(isinstance(item, _Unreadable) for item in items):
            raise RequestRefused(f"the body is neither JSON nor one JSON object a line: {fault}") from fault
    else:
        items = cast("list[Any]", found) if isinstance(found, list) else [found]
    if len(items) > MAX_EVENTS:
        raise RequestRefused(f"the body holds {len(items)} events, over {MAX_EVENTS}; send smaller batches")
    return items


def _line(line: bytes) -> Any:
    try:
        return json_text.loads(line)
    except orjson.JSONDecodeError as fault:
        return _Unreadable(f"the line is not JSON: {fault}")


def _reason(fault: ValidationError) -> str:
    return "; ".join(_sentence(error) for error in fault.errors(include_url=False, include_context=False)[:5])


def _sentence(error: ErrorDetails) -> str:
    place = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    meant = _meant(error.get("input")) if error["type"] == "literal_error" else ""
    return f"{place}: {message}" + (f"; did you mean '{meant}'?" if meant else "")


def _meant(given: Any) -> str:
    """The word of ours that one comes near to."""
    if not isinstance(given, str) or len(given) > _MAX_WORD_CHARS:
        return ""
    return next(iter(get_close_matches(given.lower(), _WORDS, 1, 0.6)), "")
