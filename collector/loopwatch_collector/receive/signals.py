"""The kinds of OTLP request: their messages, how many items they hold, how rejected ones are reported."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from loopwatch_collector.errors import RequestRefused
from loopwatch_collector.receive import otlp_json, status


class Signal(NamedTuple):
    """One kind of OTLP request."""

    kind: str
    request: Callable[[], Message]
    response: Callable[[], Any]
    rejected_field: str


TRACES: Final = Signal("traces", ExportTraceServiceRequest, ExportTraceServiceResponse, "rejected_spans")
LOGS: Final = Signal("logs", ExportLogsServiceRequest, ExportLogsServiceResponse, "rejected_log_records")
METRICS: Final = Signal("metrics", ExportMetricsServiceRequest, ExportMetricsServiceResponse, "rejected_data_points")


def parse(signal: Signal, body: bytes, media_type: str) -> Any:
    """Reads a decompressed body.

    Args:
        signal: what it should be.
        body: protobuf or JSON.
        media_type: which of the two.

    Returns:
        The export request.

    Raises:
        RequestRefused: it does not decode.
    """
    message = signal.request()
    if media_type == status.JSON:
        return otlp_json.parse(body, message)
    try:
        message.ParseFromString(body)
    except DecodeError as fault:
        raise RequestRefused(f"the body is not an OTLP {signal.kind} request in protobuf: {fault}") from fault
    return message


def answer(signal: Signal, rejected: int, reason: str) -> Message:
    """The export response: empty when everything was taken.

    Args:
        signal: the request's kind.
        rejected: how many items were not taken.
        reason: why, in a sentence.
    """
    response = signal.response()
    if rejected:
        setattr(response.partial_success, signal.rejected_field, rejected)
        response.partial_success.error_message = reason
    return response
