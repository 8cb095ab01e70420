"""The OTLP routes over HTTP."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from loopwatch_collector.auth import Principal, permit, require
from loopwatch_collector.errors import Unsupported
from loopwatch_collector.receive import body as bodies
from loopwatch_collector.receive import signals, status
from loopwatch_collector.receive.receiver import Receiver, Sending
from loopwatch_collector.receive.signals import Signal

# The Langfuse SDK appends a path of its own to its base URL.
TRACE_PATHS: Final = ("/v1/traces", "/api/public/otel/v1/traces")
OTLP_PATHS: Final = frozenset({*TRACE_PATHS, "/v1/logs", "/v1/metrics"})

router = APIRouter(tags=["ingest"])
_Ingester = Annotated[Principal, Depends(require("ingest"))]


async def receive(request: Request, signal: Signal, principal: Principal) -> Response:
    """Takes one OTLP request and answers in its encoding."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in {status.PROTOBUF, status.JSON}:
        raise Unsupported(f"the content type '{content_type[:60]}' is not OTLP; use {status.PROTOBUF} or {status.JSON}")
    is_import = request.headers.get("loopwatch-import", "").lower() == "true"
    if is_import:
        permit(principal, "admin")
    receiver: Receiver = request.app.state.receiver
    with receiver.allowance.hold() as hold:
        sending = Sending(
            signal=signal,
            principal=principal,
            body=await bodies.read(request, request.app.state.settings.max_body_bytes, hold),
            encoding=request.headers.get("content-encoding", "").strip().lower(),
            media_type=content_type,
            is_import=is_import,
        )
        return status.accepted(await receiver.take(sending, hold), content_type)


@router.post(TRACE_PATHS[0], summary="OTLP spans")
@router.post(TRACE_PATHS[1], summary="OTLP spans, the path Langfuse's SDK posts to")
async def traces(request: Request, principal: _Ingester) -> Response:
    """Takes an ExportTraceServiceRequest; answers 200 when every taken span is on disk."""
    return await receive(request, signals.TRACES, principal)


@router.post("/v1/logs", summary="OTLP log records")
async def logs(request: Request, principal: _Ingester) -> Response:
    """Takes an ExportLogsServiceRequest; GenAI events are kept and join their spans, other lines are rejected."""
    return await receive(request, signals.LOGS, principal)


@router.post("/v1/metrics", summary="OTLP metrics")
async def metrics(request: Request, principal: _Ingester) -> Response:
    """Takes an ExportMetricsServiceRequest; metrics about agents are kept, others are rejected."""
    return await receive(request, signals.METRICS, principal)
