"""The hand-written protobuf, read back by the official classes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

from loopwatch import otlp
from loopwatch.drops import Drops
from tests.sdk_sink import mapping, value

text = st.text(st.characters(exclude_categories=("Cs",)))
values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | text | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
    max_leaves=10,
)


@given(values)
def test_any_value_is_read_back(given_value: Any) -> None:
    """Every kind of attribute value survives."""
    assert value(AnyValue.FromString(otlp.any_value(given_value))) == given_value


@given(
    text,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.dictionaries(text, values, max_size=5),
    st.sampled_from(SpanKind),
    st.sampled_from(StatusCode),
    text,
)
def test_span_is_read_back(
    name: str,
    trace_id: int,
    span_id: int,
    attributes: dict[str, Any],
    kind: SpanKind,
    status: StatusCode,
    message: str,
) -> None:
    """A span with parent, event, link and status is what the official decoder reads."""
    parent = SpanContext(trace_id, span_id // 2 + 1, True)
    encoded = otlp.span(
        name,
        trace_id,
        span_id,
        parent.span_id,
        kind.value,
        5,
        2**63,
        otlp.attributes(otlp.ATTRIBUTE, attributes),
        is_parent_remote=True,
        trace_state="a=b",
        events=[Event("happened", {"at": 1}, 7)],
        links=[Link(parent, {"why": "x"})],
        status_code=status,
        status_message=message,
    )
    scope = otlp.scope_spans("scope", "1", [encoded])
    read = ResourceSpans.FromString(otlp.resource_spans({"service.name": "s"}, [scope])[_header(otlp, scope) :])
    span: Span = read.scope_spans[0].spans[0]
    assert (span.name, span.trace_id, span.span_id) == (name, trace_id.to_bytes(16, "big"), span_id.to_bytes(8, "big"))
    assert (span.start_time_unix_nano, span.end_time_unix_nano, span.trace_state) == (5, 2**63, "a=b")
    assert (span.parent_span_id, span.flags) == (parent.span_id.to_bytes(8, "big"), 0x300)
    assert mapping(span.attributes) == attributes
    assert (span.events[0].name, span.events[0].time_unix_nano, mapping(span.events[0].attributes)) == (
        "happened",
        7,
        {"at": 1},
    )
    assert mapping(span.links[0].attributes) == {"why": "x"}
    assert span.kind == kind.value + 1
    assert (span.status.code, span.status.message) == (status.value, "" if status is StatusCode.UNSET else message)
    assert mapping(read.resource.attributes) == {"service.name": "s"}


def _header(module: Any, scope: bytes) -> int:
    """The bytes of the outer field's tag and length, which ResourceSpans itself does not have."""
    body = module.field(b"\x0a", module.attributes(b"\x0a", {"service.name": "s"})) + scope
    return 1 + len(module.varint(len(body)))


def test_drops_are_a_cumulative_sum_by_reason() -> None:
    """The metric is monotonic, cumulative, and has a point per reason."""
    drops = Drops()
    drops.add("queue_full", 3)
    drops.add("queue_full", 2)
    drops.add("rejected", 1)
    counts = drops.unreported()
    assert counts == {"queue_full": 5, "rejected": 1}
    drops.reported(counts)
    assert drops.unreported() is None
    metric = (
        ExportMetricsServiceRequest.FromString(drops.encode(counts, {"service.name": "s"}))
        .resource_metrics[0]
        .scope_metrics[0]
        .metrics[0]
    )
    assert (metric.name, metric.sum.is_monotonic, metric.sum.aggregation_temporality) == (
        "loopwatch.sdk.dropped_spans",
        True,
        2,
    )
    assert {
        mapping(point.attributes)["loopwatch.drop.reason"]: point.as_int for point in metric.sum.data_points
    } == counts
