"""GenAI events out of logs.

A log record of a span is read like a span's own attributes: the conventions put the same names into both. Where the
record belongs to a span it is kept as a log event and joined when the run is read; where its sender writes no
spans at all (Claude Code with logs only), it becomes the span it describes, or is kept with one of those.
"""

from typing import Any, Final, NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loopwatch import names
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.write import claude_code, claude_code_logs, values
from loopwatch_collector.write.contents import Contents, identity_hash
from loopwatch_collector.write.lean_spans import lean
from loopwatch_collector.write.normalise import Origin, blank_of, normalise
from loopwatch_collector.write.placing import RESPONSE, Waiting
from loopwatch_collector.write.verdicts import verdict_row

# Events of the conventions up to 1.36: one message each, in the body. Which content they carry.
_MESSAGE_EVENTS: Final = {
    "gen_ai.system.message": "gen_ai.system_instructions",
    "gen_ai.user.message": "gen_ai.input.messages",
    "gen_ai.assistant.message": "gen_ai.input.messages",
    "gen_ai.tool.message": "gen_ai.input.messages",
    "gen_ai.choice": "gen_ai.output.messages",
}
_COPIED: Final = tuple(
    SPAN_INDEX[name]
    for name in (
        "project", "trace_id", "parent_span_id", "start_time", "row_version", "name", "service", "environment",
        "conversation_id", "customer_id", "user_id", "content_roles", "content_hashes", "attributes",
    )
)  # fmt: skip


class LogRows(NamedTuple):
    """What log records become.

    Attributes:
        events: rows in the order of LOG_EVENT_COLUMNS.
        spans: rows in the order of SPAN_COLUMNS.
        verdicts: rows in the order of VERDICT_COLUMNS.
        waiting: what the verdicts name, whose run the store has to find.
    """

    events: list[list[Any]]
    spans: list[list[Any]]
    verdicts: list[list[Any]]
    waiting: list[Waiting]


def event_name_of(record: Any) -> str:
    """The name of the event a log record is; "" for a plain line."""
    if record.event_name:
        return record.event_name
    return next((pair.value.string_value for pair in record.attributes if pair.key == "event.name"), "")


def add_log_record(rows: LogRows, record: Any, scope: str, origin: Origin, contents: Contents) -> None:
    """Adds the row of one log record.

    Args:
        rows: where it goes.
        record: an OTLP LogRecord that passed the screening.
        scope: the name of its instrumentation scope.
        origin: what its resource says.
        contents: where its content goes.
    """
    name = event_name_of(record)
    digest = identity_hash(record.SerializeToString())
    if name == names.EVALUATION_EVENT:
        _add_verdict(rows, record, origin)
        return
    if len(record.trace_id) != 16 or len(record.span_id) != 8:  # then it is Claude Code's
        event = name.removeprefix(claude_code_logs.PREFIX)
        if (span := claude_code_logs.described(record, event, digest)) is not None:
            rows.spans.append(normalise(lean(span), blank_of(origin, scope), contents))
            return
        record = claude_code_logs.placed(record, event)
    row = normalise(lean(_as_span(record, name, scope, digest)), blank_of(origin, scope), contents)
    project, trace_id, parent, time_ns, *rest = (row[index] for index in _COPIED)
    rows.events.append([project, trace_id, parent, time_ns, digest, *rest])


def _add_verdict(rows: LogRows, record: Any, origin: Origin) -> None:
    """Adds an evaluation result under what it names: its run, else its trace and span, else a response."""
    found = {pair.key: values.attribute_text(pair.value) for pair in record.attributes}
    response = RESPONSE + found.get(names.RESPONSE_ID, "")
    run_id = found.get(names.RUN_ID, "")
    trace_id = record.trace_id.hex() if len(record.trace_id) == 16 else ""
    span_id = record.span_id.hex() if len(record.span_id) == 8 else ""
    named = span_id or (response if response != RESPONSE else "")
    time_ns = record.time_unix_nano or record.observed_time_unix_nano
    key = run_id or trace_id or response
    rows.verdicts.append(verdict_row(origin.project, key, named, origin.service, time_ns, found))
    if not run_id:
        rows.waiting.append((origin.project, key, time_ns))


def _as_span(record: Any, name: str, scope: str, digest: int) -> Span:
    is_claude_code = name.startswith(claude_code_logs.PREFIX) or scope.startswith(claude_code.SCOPE)
    event = name.removeprefix(claude_code_logs.PREFIX)
    span = Span(
        trace_id=record.trace_id,
        span_id=digest.to_bytes(8, "big"),
        parent_span_id=record.span_id,
        name=name,
        start_time_unix_nano=record.time_unix_nano or record.observed_time_unix_nano,
        attributes=claude_code_logs.attributes(record, event) if is_claude_code else record.attributes,
    )
    if name in _MESSAGE_EVENTS:
        message = {"role": name.split(".")[1], **_body(record)}
        span.attributes.append(_pair(_MESSAGE_EVENTS[name], values.json_text([message])))
    elif record.body.WhichOneof("value") == "kvlist_value":  # the details event of 1.37 had everything in its body
        span.attributes.extend(record.body.kvlist_value.values)
    return span


def _body(record: Any) -> dict[str, Any]:
    body = values.plain(record.body)
    return body if isinstance(body, dict) else {"content": body}  # pyright: ignore[reportUnknownVariableType]  # JSON of any shape


def _pair(key: str, text: str) -> KeyValue:
    pair = KeyValue(key=key)
    pair.value.string_value = text
    return pair
