"""Reads simulated requests back with the generated protobuf classes, which share no code with what wrote them."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from loopwatch_collector.simulate.requests import SimulatedRequest


class ReadSpan(NamedTuple):
    scope: str
    process_id: str
    span: Any
    attributes: dict[str, Any]

    @property
    def key(self) -> tuple[bytes, bytes]:
        return self.span.trace_id, self.span.span_id

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        return [(event.name, plain(event.attributes)) for event in self.span.events]


def plain(attributes: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind)


def read(requests: Iterable[SimulatedRequest]) -> Iterator[ReadSpan]:
    for request in requests:
        decoded = ExportTraceServiceRequest.FromString(request.body)
        spans = list(_spans(decoded))
        assert len(spans) == request.spans
        yield from spans


def _spans(request: Any) -> Iterator[ReadSpan]:
    for resource_spans in request.resource_spans:
        resource = plain(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield ReadSpan(scope_spans.scope.name, resource["loopwatch.process.id"], span, plain(span.attributes))


def messages(span: ReadSpan, name: str) -> Any:
    return json.loads(span.attributes[name])
