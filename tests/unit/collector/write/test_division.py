"""Records halved to find the item at fault."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.journal.record import Record
from loopwatch_collector.write.division import halves


def _record(*scopes: int) -> tuple[Record, ExportTraceServiceRequest]:
    """A record with so many spans in each of some resources."""
    request = ExportTraceServiceRequest()
    number = 0
    for spans in scopes:
        scope = request.resource_spans.add().scope_spans.add()
        for _ in range(spans):
            scope.spans.add(name=str(number))
            number += 1
    return Record("traces", "shop", 1, "gzip", number, b"as it came"), request


def _names(record: Record) -> list[str]:
    request = ExportTraceServiceRequest.FromString(record.body)
    return [s.name for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]


def test_halves_hold_all_items_between_them() -> None:
    """Nothing is lost or doubled, across resources, and the bodies are plain protobuf."""
    record, request = _record(3, 0, 4)
    first, second = halves(record, request)
    assert _names(first) + _names(second) == [str(number) for number in range(7)]
    assert (first.items, second.items, first.encoding) == (3, 4, "")


def test_single_item_cannot_be_halved() -> None:
    """One item, or none, is where halving ends."""
    for record, request in (_record(1), _record(0), _record()):
        assert halves(record, request) == []
