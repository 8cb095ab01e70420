"""A journal record as rows."""

from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.compression import decompress
from loopwatch_collector.errors import RequestRefused
from loopwatch_collector.journal.record import Record
from loopwatch_collector.write.contents import Contents
from loopwatch_collector.write.errors import Undecodable
from loopwatch_collector.write.normalise import normalise, origin_of

_MAX_BYTES: Final = 2**31  # bounded when it was received; the caps may have been lowered since


def message_of(record: Record) -> Any:
    """The export request of a record.

    Raises:
        Undecodable: the journal's bytes are not what was written.
    """
    if record.damage:
        raise Undecodable(record.damage)
    if record.message is not None:
        return record.message
    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(decompress(record.body, record.encoding, _MAX_BYTES))
    except (DecodeError, RequestRefused) as fault:
        raise Undecodable(f"the journal's record {record.id} does not decode: {fault}") from fault
    return message


def rows_of(record: Record, contents: Contents) -> list[list[Any]]:
    """The span rows of one record; its content is added to `contents`.

    Raises:
        Undecodable: the record does not decode.
    """
    rows: list[list[Any]] = []
    for resource_spans in message_of(record).resource_spans:
        origin = origin_of(resource_spans.resource, record.project, record.received_at_ns)
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope.name
            rows.extend(normalise(span, scope, origin, contents) for span in scope_spans.spans)
    return rows
