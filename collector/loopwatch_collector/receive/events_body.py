"""What `POST /v1/events` takes: single events, records of whole requests, and how a body holds several of them."""

from typing import Any, Final, Literal, NamedTuple, cast

import orjson
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from loopwatch_collector.errors import RequestRefused

MAX_EVENTS: Final = 10_000
_MAX_ID_CHARS: Final = 512
_Id = str | int
_OUTCOMES = Literal["completed", "escalated", "failed", "stopped"]


class _Record(BaseModel):
    """What both forms may say about whose run it is; other fields are ignored."""

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
    timestamp: float = Field(gt=0, lt=9.2e12, description="when it happened, ms since the epoch")
    event_type: Literal["plan", "tool_call", "tool_result", "observation", "response"] = Field(alias="eventType")
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
    timestamp: float | None = Field(None, gt=0, lt=9.2e12, description="when it began, ms since the epoch; else now")
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


class Taken(NamedTuple):
    """A body's events: those that are well formed with their place, and why the others are not."""

    events: list[tuple[int, Event]]
    requests: list[tuple[int, RequestRecord]]
    rejected: list[Refusal]


def ns_of(milliseconds: float) -> int:
    """Milliseconds as ns, exact to the microsecond: a product with 10^6 would leave the floats' precision."""
    return round(milliseconds * 1_000) * 1_000


def parse(body: bytes) -> Taken:
    """Reads a body: one JSON object, an array of them, or one a line.

    Raises:
        RequestRefused: it is none of these, or holds too many.
    """
    taken = Taken([], [], [])
    for index, item in enumerate(_items(body)):
        try:
            _sort(taken, index, item)
        except ValidationError as fault:
            taken.rejected.append(Refusal(index=index, reason=_reason(fault)))
    return taken


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
    if "request_id" in record and "eventType" not in record:
        taken.requests.append((index, RequestRecord.model_validate(record)))
    else:
        taken.events.append((index, Event.of(record, sent)))


class _Unreadable(NamedTuple):
    reason: str


def _items(body: bytes) -> list[Any]:
    text = body.strip()
    if not text:
        raise RequestRefused("the body is empty; send an event, an array of events, or one event a line")
    try:
        found: Any = orjson.loads(text)
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
        return orjson.loads(line)
    except orjson.JSONDecodeError as fault:
        return _Unreadable(f"the line is not JSON: {fault}")


def _reason(fault: ValidationError) -> str:
    found = [
        f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
        for error in fault.errors(include_url=False, include_input=False, include_context=False)
    ]
    return "; ".join(found[:5])
