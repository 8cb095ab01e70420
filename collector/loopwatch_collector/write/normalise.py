"""One span of any dialect as one row: a single walk over its attributes, then what follows from kind and dialect."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from loopwatch import names
from loopwatch_collector import event_parts
from loopwatch_collector.store.rows import NO_SPAN, SPAN_COLUMNS
from loopwatch_collector.write import answers, dialects, kinds, messages, models, outcomes, usage, values
from loopwatch_collector.write.aliases import SLOTS, row_in_the_making
from loopwatch_collector.write.attributes import MAX_TEXT_CHARS, REMEMBERED_BYTES, readings_of
from loopwatch_collector.write.call_rank import call_rank
from loopwatch_collector.write.contents import Contents, messages_of
from loopwatch_collector.write.evaluations import add_evaluations
from loopwatch_collector.write.events import MAX_EVENTS, add_events
from loopwatch_collector.write.handovers import DEFAULT_HANDOVERS, Handovers, reason_of

_COLUMNS: Final = len(SPAN_COLUMNS)
_MAX_ATTRIBUTES: Final = 512
DROPPED_ATTRIBUTES: Final = "loopwatch.dropped_attributes"
DROPPED_EVENTS: Final = "loopwatch.dropped_events"
CUT_ATTRIBUTES: Final = "loopwatch.cut_attributes"
_STATUS: Final = ("unset", "ok", "error")

(
    _PROJECT, _TRACE, _SPAN, _PARENT, _START, _DURATION, _VERSION, _KIND, _NAME, _SCOPE, _DIALECT, _STATUS_SLOT,
    _ERROR_TYPE, _ERROR_MESSAGE, _SERVICE, _SERVICE_VERSION, _ENVIRONMENT, _PROCESS, _RUN_ID, _AGENT, _RESPONSE_ID,
    _CALL_RANK, _INPUT_TOKENS, _OUTPUT_TOKENS, _WRITE_5M, _WRITE_1H, _TOOL, _TOOL_OUTCOME,
    _ROLES, _HASHES, _ATTRIBUTES, _ENTITY, _FLAT, _STEP, _ITERATION, _STOP_REASON, _ESCALATION_REASON, _SPAN_TYPE,
    _COMPLETION_START, _TTFT, _COST_DETAILS, _REPORTED_COST, _PROMPT_COST, _COMPLETION_COST,
    _TOOL_CALL_ID, _REQUEST_MODEL, _LEVEL, _TOOL_STATUS, _SUCCESS,
) = (
    SLOTS[name]
    for name in (
        "project", "trace_id", "span_id", "parent_span_id", "start_time", "duration_ns", "row_version", "kind", "name",
        "scope", "dialect", "status", "error_type", "error_message", "service", "service_version", "environment",
        "process_id", "run_id", "agent", "response_id", "call_rank", "input_tokens", "output_tokens",
        "cache_write_5m_tokens", "cache_write_1h_tokens", "tool", "tool_outcome", "content_roles", "content_hashes",
        "attributes", "agent_entity", "flat", "step", "iteration", "stop_reason", "escalation_reason",
        "span_type", "completion_start", "ttft_ns", "cost_details", "reported_cost_usd",
        "prompt_cost", "completion_cost", "tool_call_id", "request_model", "level", "tool_status", "success",
    )
)  # fmt: skip


class Origin(NamedTuple):
    """What all spans of one resource share.

    Attributes:
        project: whose they are.
        row_version: when they were received, ns since the epoch.
        service: service.name.
        service_version: service.version.
        environment: the deployment environment; a span's own wins.
        process_id: the sending process; "" when it does not say.
        attributes: the rest of the resource.
    """

    project: str
    row_version: int
    service: str
    service_version: str
    environment: str
    process_id: str
    attributes: dict[str, str]


def origin_of(resource: Any, project: str, row_version: int) -> Origin:
    """Reads an OTLP resource.

    Args:
        resource: the Resource message.
        project: whose data it is.
        row_version: when it was received, ns since the epoch.
    """
    found = {pair.key: values.attribute_text(pair.value) for pair in resource.attributes[:_MAX_ATTRIBUTES]}
    environment = found.pop(names.ENVIRONMENT, "") or found.pop("deployment.environment", "")
    return Origin(
        project=project,
        row_version=row_version,
        service=found.pop(names.SERVICE_NAME, "")[: values.MAX_TEXT_CHARS],
        service_version=found.pop(names.SERVICE_VERSION, "")[: values.MAX_TEXT_CHARS],
        environment=environment[: values.MAX_TEXT_CHARS],
        process_id=(found.pop(names.PROCESS_ID, "") or found.get("service.instance.id", ""))[: values.MAX_TEXT_CHARS],
        attributes={f"resource.{key}": text[: values.MAX_TEXT_CHARS] for key, text in found.items()},
    )


class Blank(NamedTuple):
    """The row that all spans of one scope start from.

    Attributes:
        row: a row in the making, with what their resource and scope say filled in.
        dialect: of the scope; "" when its name says nothing.
        resource_attributes: what the attributes of their runs begin with.
        is_of_events: whether plain events are told by them (event_parts.py).
    """

    row: list[Any]
    dialect: str
    resource_attributes: dict[str, str]
    is_of_events: bool


def blank_of(origin: Origin, scope: str) -> Blank:
    """What is the same for all spans of one scope, found out once.

    Args:
        origin: what their resource says.
        scope: the name of their instrumentation scope.
    """
    row = row_in_the_making()
    row[_PROJECT] = origin.project
    row[_VERSION] = origin.row_version
    row[_SCOPE] = scope[: values.MAX_TEXT_CHARS]
    row[_SERVICE] = origin.service
    row[_SERVICE_VERSION] = origin.service_version
    row[_ENVIRONMENT] = origin.environment
    row[_PROCESS] = origin.process_id
    return Blank(row, dialects.of_scope(scope), origin.attributes, scope == event_parts.SCOPE)


def normalise(span: Any, blank: Blank, contents: Contents, handovers: Handovers = DEFAULT_HANDOVERS) -> list[Any]:
    """Makes the row of one span.

    Args:
        span: an OTLP span, lean, whose identity and start time were checked when it was received.
        blank: the row that the spans of its scope start from.
        contents: where its content goes; the row holds the hashes.
        handovers: which tools hand a run over, for senders that do not say it.

    Returns:
        Values in the order of SPAN_COLUMNS; the cost columns are for the pricer.
    """
    row = blank.row.copy()
    name, events = span.name, span.events
    dialect = "claude_code" if name.startswith("claude_code.") else blank.dialect
    rest: dict[str, str] = {}
    ranks = _walk(span.attributes[:], dialect, row, rest)  # a copy is made in one go, and looked through faster
    _identify(row, span, name)
    _classify(row, ranks, dialect, name)
    if events:
        add_events(row, events)
    _judge(row, span.status)
    if row[_FLAT]:
        messages.unflatten(row)
        add_evaluations(row)
    _place_values(row)
    _finish(row, ranks, handovers)
    if blank.is_of_events and rest.get(event_parts.PART) in event_parts.TOLD_BY_ANOTHER:
        row[_KIND] = event_parts.HIDDEN_KIND  # until the store has found out what it is part of
    _store_content(row, contents)
    if row[_PARENT] == NO_SPAN or row[_KIND] == kinds.RUN:
        rest.update(blank.resource_attributes)
    _note_losses(rest, span, len(events))
    row[_ATTRIBUTES] = rest
    del row[_COLUMNS:]
    return row


def _walk(attributes: Iterable[bytes], dialect: str, row: list[Any], rest: dict[str, str]) -> dict[int, int]:
    """Puts each attribute where its alias says; what no field holds goes to the rest. Returns rank by slot."""
    readings = readings_of(dialect)
    read = readings.read
    ranks: dict[int, int] = {}
    dropped = 0
    for raw in attributes:
        slot, rank, found, key, text = readings[raw] if len(raw) <= REMEMBERED_BYTES else read(raw)
        if rank < 0:
            row[slot] = {} if row[slot] is None else row[slot]
            row[slot][key] = found
        elif slot not in ranks or rank < ranks[slot]:
            if found is not None:
                row[slot] = found
                ranks[slot] = rank
            elif len(rest) < _MAX_ATTRIBUTES:
                rest[key] = text
            else:
                dropped += 1
    if dropped:
        rest[DROPPED_ATTRIBUTES] = str(dropped)
    return ranks


def _note_losses(rest: dict[str, str], span: Any, events: int) -> None:
    """Says what of a span was not kept: by its sender, by the caps on attributes and events, by the cap on a text."""
    if span.dropped_attributes_count:
        rest["otel.dropped_attributes_count"] = str(span.dropped_attributes_count)
    if span.dropped_events_count:
        rest["otel.dropped_events_count"] = str(span.dropped_events_count)
    if events > MAX_EVENTS:
        rest[DROPPED_EVENTS] = str(events - MAX_EVENTS)
    # A text of exactly this length is taken for a cut one: looking at each before it is cut would cost every span.
    if rest and max(map(len, rest.values())) >= MAX_TEXT_CHARS:
        rest[CUT_ATTRIBUTES] = str(sum(len(text) == MAX_TEXT_CHARS for text in rest.values()))


def _identify(row: list[Any], span: Any, name: str) -> None:
    row[_TRACE] = trace_id = span.trace_id
    row[_SPAN] = span.span_id
    row[_PARENT] = span.parent_span_id or NO_SPAN
    row[_START] = start_ns = span.start_time_unix_nano
    row[_DURATION] = max(0, span.end_time_unix_nano - start_ns)  # 0 as well when the sender's clock stepped back
    row[_NAME] = name[: values.MAX_TEXT_CHARS]
    row[_RUN_ID] = row[_RUN_ID] or trace_id.hex()


def _classify(row: list[Any], ranks: dict[int, int], dialect: str, name: str) -> None:
    rank = ranks.get(_KIND)
    if rank is None:
        row[_KIND] = _kind_without_a_word(row, ranks, name)
    else:
        dialect = dialect or dialects.of_kind_source(rank)
    if row[_KIND] == kinds.WORKFLOW:
        row[_KIND] = kinds.RUN if row[_PARENT] == NO_SPAN else kinds.STEP
    row[_DIALECT] = dialect


_STAND_INS: Final = frozenset({"logfire", "google_adk"})


def _is_stand_in(row: list[Any], ranks: dict[int, int]) -> bool:
    """Whether a span only looks like a call.

    Logfire opens one when a stream begins and reports the call by another when it ended; Google's ADK adds one
    for tool calls it ran together.
    """
    if row[_KIND] == kinds.MODEL_CALL:
        return row[_SPAN_TYPE] == "span" and _INPUT_TOKENS not in ranks and row[_STATUS_SLOT] != "error"
    return row[_TOOL] == "(merged tools)"


def _kind_without_a_word(row: list[Any], ranks: dict[int, int], name: str) -> str:
    if _TOOL in ranks or _TOOL_CALL_ID in ranks or name.startswith("running tool "):
        return kinds.TOOL_CALL
    if _REQUEST_MODEL in ranks and (_INPUT_TOKENS in ranks or _OUTPUT_TOKENS in ranks):
        return kinds.MODEL_CALL
    return kinds.OTHER


def _judge(row: list[Any], status: Any) -> None:
    code = status.code
    if 0 <= code < len(_STATUS):
        row[_STATUS_SLOT] = _STATUS[code]
    if row[_LEVEL] == "ERROR" or row[_TOOL_STATUS] == "error" or row[_SUCCESS] == 0:
        row[_STATUS_SLOT] = "error"
    if row[_STATUS_SLOT] == "error":
        row[_ERROR_MESSAGE] = status.message[:MAX_TEXT_CHARS] or row[_ERROR_MESSAGE]
        row[_ERROR_TYPE] = row[_ERROR_TYPE] or "_OTHER"


def _finish(row: list[Any], ranks: dict[int, int], handovers: Handovers) -> None:
    if row[_DIALECT] in _STAND_INS and _is_stand_in(row, ranks):
        row[_KIND] = kinds.OTHER
    kind = row[_KIND]
    if kind == kinds.MODEL_CALL:
        _finish_model_call(row, ranks)
    elif kind == kinds.TOOL_CALL:
        _finish_tool_call(row)
        if _RUN_ID not in ranks and handovers.has(row[_TOOL]) and row[_TOOL_OUTCOME] != outcomes.ERROR:
            row[_ESCALATION_REASON] = row[_ESCALATION_REASON] or reason_of(row[_TOOL], row[_ARGUMENTS])
    elif kind == kinds.RUN:
        row[_AGENT] = row[_AGENT] or row[_ENTITY] or _agent_in(row[_NAME], row[_DIALECT])
        outcomes.judge_run(row)
    elif kind == kinds.STEP:
        row[_STEP] = row[_STEP] or row[_ENTITY] or row[_NAME].removeprefix("step ")
    row[_ITERATION] = min(row[_ITERATION], 2**32 - 1)


# Their agents' spans are named by the library, not by whom they show.
_NAMED_BY_LIBRARY: Final = frozenset({"anthropic", "claude_code", "vercel"})
# The convention's span names: the operation, then the agent; the operation alone where the agent has no name.
_OPERATIONS: Final = ("invoke_agent", "invoke_workflow")


def _agent_in(name: str, dialect: str) -> str:
    operation, _, agent = name.partition(" ")
    if operation in _OPERATIONS:
        return agent
    return "" if dialect in _NAMED_BY_LIBRARY else name


def _finish_model_call(row: list[Any], ranks: dict[int, int]) -> None:
    if row[_DIALECT] in answers.DIALECTS and not row[_RESPONSE_ID]:
        answers.complete(row, ranks)
    models.complete(row)
    usage.complete(row, ranks)
    if row[_COMPLETION_START] and not row[_TTFT]:
        row[_TTFT] = max(0, (values.time_ns_of(row[_COMPLETION_START]) or 0) - row[_START])
    if row[_COST_DETAILS] and row[_REPORTED_COST] is None:
        row[_REPORTED_COST] = values.usd_of(row[_COST_DETAILS].get("total"))
    if row[_REPORTED_COST] is None and (row[_PROMPT_COST] or row[_COMPLETION_COST]):
        row[_REPORTED_COST] = (row[_PROMPT_COST] or 0) + (row[_COMPLETION_COST] or 0)
    row[_CALL_RANK] = call_rank(
        row[_DIALECT],
        has_input=row[_INPUT_TOKENS] > 0,
        has_output=row[_OUTPUT_TOKENS] > 0,
        has_write_split=_WRITE_5M in ranks or _WRITE_1H in ranks,
    )


def _finish_tool_call(row: list[Any]) -> None:
    row[_TOOL] = row[_TOOL] or row[_ENTITY] or row[_NAME].removeprefix("execute_tool ").removeprefix("running tool ")
    outcomes.judge_tool_call(row)


def _store_content(row: list[Any], contents: Contents) -> None:
    roles: list[str] = []
    hashes: list[int] = []
    for role, slot, is_split, size_slot, hash_slot in _CONTENT:
        body: bytes | None = row[slot]
        if not body:
            continue
        for message in messages_of(body) if is_split else (body,):
            roles.append(role)
            hashes.append(contents.add(row[_PROJECT], row[_TRACE], row[_START], message))
        if size_slot and not row[size_slot]:
            row[size_slot] = len(body)
        if hash_slot and not row[hash_slot]:
            row[hash_slot] = f"{hashes[-1]:016x}"
    if roles:
        row[_ROLES] = roles
        row[_HASHES] = hashes


_VALUE_IN: Final = SLOTS["value_in"]
_VALUE_OUT: Final = SLOTS["value_out"]
_INPUT: Final = SLOTS["input"]
_OUTPUT: Final = SLOTS["output"]
_ARGUMENTS: Final = SLOTS["arguments"]
_RESULT: Final = SLOTS["result"]
# role, where its text is, whether it is split into messages, and where size and hash go that the sender did not give
_CONTENT: Final = (
    ("system", SLOTS["system"], False, 0, 0),
    ("input", SLOTS["input"], True, SLOTS["input_bytes"], 0),
    ("output", SLOTS["output"], True, SLOTS["output_bytes"], 0),
    ("tools", SLOTS["tools"], False, SLOTS["tools_schema_bytes"], 0),
    ("arguments", SLOTS["arguments"], False, SLOTS["arguments_bytes"], SLOTS["arguments_hash"]),
    ("result", SLOTS["result"], False, SLOTS["result_bytes"], SLOTS["result_hash"]),
)


def _place_values(row: list[Any]) -> None:
    """Gives content of undecided role the one its span's kind implies."""
    if row[_KIND] == kinds.TOOL_CALL:
        row[_ARGUMENTS] = row[_ARGUMENTS] or row[_VALUE_IN] or row[_INPUT]
        row[_RESULT] = row[_RESULT] or row[_VALUE_OUT] or row[_OUTPUT]
        row[_INPUT] = row[_OUTPUT] = None
    else:
        row[_INPUT] = row[_INPUT] or row[_VALUE_IN]
        row[_OUTPUT] = row[_OUTPUT] or row[_VALUE_OUT]
