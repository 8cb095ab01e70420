"""A journal record as rows."""

from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.compression import decompress
from loopwatch_collector.errors import RequestRefused
from loopwatch_collector.journal.record import Record
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.write import claude_code, lean_spans, logs, points
from loopwatch_collector.write.contents import Contents
from loopwatch_collector.write.errors import Undecodable
from loopwatch_collector.write.handovers import DEFAULT_HANDOVERS, Handovers
from loopwatch_collector.write.normalise import blank_of, normalise, origin_of
from loopwatch_collector.write.placing import Waiting
from loopwatch_collector.write.verdicts import verdict_rows

_MAX_BYTES: Final = 2**31  # bounded when it was received; the caps may have been lowered since
_REQUESTS: Final[dict[str, Any]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
_EVENT_NAMES: Final = SPAN_INDEX["event_names"]

Row = list[Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows by table, each in the order of its columns; the content of spans and events by hash.

    Attributes:
        contents: the bodies of messages, arguments and results.
        handovers: which tools hand a run over, for senders that do not say it.
        spans: of traces, and of logs that describe one.
        events: log records of spans.
        points: of metrics.
        verdicts: evaluation results.
        waiting: what those out of logs name, whose run the store has to find.
    """

    contents: Contents
    handovers: Handovers = DEFAULT_HANDOVERS
    spans: list[Row] = field(default_factory=list[Row])
    events: list[Row] = field(default_factory=list[Row])
    points: list[Row] = field(default_factory=list[Row])
    verdicts: list[Row] = field(default_factory=list[Row])
    waiting: list[Waiting] = field(default_factory=list[Waiting])


def message_of(record: Record) -> Any:
    """The export request of a record; the spans of a traces one are lean.

    Raises:
        Undecodable: the journal's bytes are not what was written.
    """
    return _parsed(record, lean_spans.request_class() if record.kind == "traces" else _REQUESTS[record.kind])


def request_of(record: Record) -> Any:
    """The export request of a record, of OTLP's own class.

    Raises:
        Undecodable: the journal's bytes are not what was written.
    """
    return _parsed(record, _REQUESTS[record.kind])


def _parsed(record: Record, message_class: Any) -> Any:
    message = message_class()
    try:
        raw = decompress(record.body, record.encoding, _MAX_BYTES) if record.raw is None else record.raw
        message.ParseFromString(raw)
    except (DecodeError, RequestRefused) as fault:
        raise Undecodable(f"the journal's record {record.id} does not decode: {fault}") from fault
    return message


def add_rows(rows: Rows, record: Record) -> None:
    """Adds what one record holds.

    Raises:
        Undecodable: the record does not decode.
    """
    message = message_of(record)
    if record.kind == "traces":
        try:
            _add_spans(rows, record, message)
        except (DecodeError, UnicodeDecodeError) as fault:
            raise Undecodable(f"an attribute in the journal's record {record.id} does not decode: {fault}") from fault
    elif record.kind == "logs":
        _add_logs(rows, record, message)
    else:
        _add_points(rows, record, message)


def _add_spans(rows: Rows, record: Record, message: Any) -> None:
    contents = rows.contents
    for resource_spans in message.resource_spans:
        origin = origin_of(resource_spans.resource, record.project, record.received_at_ns)
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope.name
            blank = blank_of(origin, scope)
            made = [normalise(span, blank, contents, rows.handovers) for span in scope_spans.spans]
            if scope.startswith(claude_code.SCOPE):
                claude_code.carry_failures(made)
            rows.spans.extend(made)
            for row in made:
                if row[_EVENT_NAMES]:
                    rows.verdicts.extend(verdict_rows(row))


def _add_logs(rows: Rows, record: Record, message: Any) -> None:
    found = logs.LogRows(rows.events, rows.spans, rows.verdicts, rows.waiting)
    for resource_logs in message.resource_logs:
        origin = origin_of(resource_logs.resource, record.project, record.received_at_ns)
        for scope_logs in resource_logs.scope_logs:
            scope = scope_logs.scope.name
            for log_record in scope_logs.log_records:
                logs.add_log_record(found, log_record, scope, origin, rows.contents)


def _add_points(rows: Rows, record: Record, message: Any) -> None:
    for resource_metrics in message.resource_metrics:
        origin = origin_of(resource_metrics.resource, record.project, record.received_at_ns)
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                rows.points.extend(points.point_rows(metric, origin))
