"""Which spans are taken."""

import math

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.receive.screening import DAY_NS, EVER, live_window, screen_metrics, screen_spans

NOW = 1_800_000_000 * 10**9
LIVE = live_window(NOW, 30)


def _request(
    *starts: int, trace: bytes = b"t" * 16, span: bytes = b"s" * 8, parent: bytes = b""
) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for start in starts:
        spans.add(trace_id=trace, span_id=span, parent_span_id=parent, start_time_unix_nano=start)
    return request


def test_believable_spans_stay_and_others_are_counted_by_reason() -> None:
    """Too old and too far ahead are taken out of the request and named; the rest stays in order."""
    request = _request(NOW - 31 * DAY_NS, NOW - 29 * DAY_NS, NOW, NOW + DAY_NS + 1)
    screening = screen_spans(request, LIVE)
    assert screening.taken == 2
    assert screening.rejected == {"a start time older than the retention": 1, "a start time in the future": 1}
    assert [span.start_time_unix_nano for span in request.resource_spans[0].scope_spans[0].spans] == [
        NOW - 29 * DAY_NS,
        NOW,
    ]
    assert "1 with a start time in the future" in screening.reason


@pytest.mark.parametrize(
    ("trace", "span", "parent"),
    [(b"", b"s" * 8, b""), (b"t" * 15, b"s" * 8, b""), (b"\x00" * 16, b"s" * 8, b""), (b"t" * 16, b"", b""),
     (b"t" * 16, b"\x00" * 8, b""), (b"t" * 16, b"s" * 9, b""), (b"t" * 16, b"s" * 8, b"p" * 7)],
)  # fmt: skip
def test_wrong_ids_are_rejected(trace: bytes, span: bytes, parent: bytes) -> None:
    """An id of the wrong length, or of nothing but zeros, is no identity."""
    assert screen_spans(_request(NOW, trace=trace, span=span, parent=parent), LIVE).taken == 0


@pytest.mark.parametrize("start", [0, EVER.newest_ns + 1, 2**63, 2**64 - 1])
def test_import_takes_any_time_the_store_can_hold(start: int) -> None:
    """Recorded spans may be old, but need a time, and one the store's type can hold."""
    request = _request(1, EVER.newest_ns, start)
    assert screen_spans(request, EVER).taken == 2


def test_points_need_a_time_and_a_number() -> None:
    """Points of times that are not believed, without a time, or without a finite value are taken out and named."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    gauge = metrics.add(name="gen_ai.x").gauge.data_points
    for time_ns, value in (
        (NOW, 1.0),
        (0, 1.0),
        (10**17, 1.0),
        (NOW + 2 * DAY_NS, 1.0),
        (NOW, math.nan),
        (NOW, math.inf),
    ):
        gauge.add(time_unix_nano=time_ns, as_double=value)
    gauge.add(time_unix_nano=NOW)
    gauge.add(time_unix_nano=NOW, as_double=1.0, flags=1)
    histogram = metrics.add(name="gen_ai.y").histogram.data_points
    histogram.add(time_unix_nano=NOW, sum=2.0, count=1)
    histogram.add(time_unix_nano=NOW, sum=math.nan, count=1)
    screening = screen_metrics(request, LIVE)
    assert screening.taken == 2
    assert screening.rejected == {"a point's time outside the retention": 3, "a point without a finite value": 5}
    assert [point.as_double for point in gauge] == [1.0]
    assert [point.sum for point in histogram] == [2.0]
