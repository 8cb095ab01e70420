"""The OTLP routes over HTTP."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from loopwatch_collector.auth import Principal, permit, require
from loopwatch_collector.errors import Unsupported
from loopwatch_collector.receive import body as bodies
from loopwatch_collector.receive import signals, status
from loopwatch_collector.receive.receiver import Receiver, Sending
from loopwatch_collector.receive.signals import Signal

# The Langfuse SDK appends a path of its own to its base URL.
TRACE_PATHS: Final = ("/v1/traces", "/api/public/otel/v1/traces")
OTLP_PATHS: Final[dict[str, Signal]] = {
    **dict.fromkeys(TRACE_PATHS, signals.TRACES),
    "/v1/logs": signals.LOGS,
    "/v1/metrics": signals.METRICS,
}

_REFUSALS: Final = {
    400: "The body does not decode",
    401: "No key, one that is not known, or one whose role may not send",
    413: "The body is too large, before or after decompression",
    415: "Neither protobuf nor JSON, or an unknown content encoding",
    503: "Not now: send again after Retry-After seconds",
}

router = APIRouter(tags=["ingest"])


def signal_of(path: str) -> Signal | None:
    """What the OTLP route at a path takes; None where there is none. A slash at its end makes no difference."""
    return OTLP_PATHS.get(path.removesuffix("/"))


_principal_of = require("ingest")


async def ingester(request: Request) -> Principal:
    """Lets ingest and admin keys pass; on the event loop, where a plain function would cost a thread's turn."""
    return _principal_of(request)


_Ingester = Annotated[Principal, Depends(ingester)]


def _described(message: str) -> dict[str, Any]:
    """The OpenAPI of an OTLP route, whose bodies FastAPI does not see."""
    content = {
        status.PROTOBUF: {"schema": {"type": "string", "format": "binary", "description": f"OTLP {message}"}},
        status.JSON: {"schema": {"type": "object", "description": f"OTLP/JSON {message}"}},
    }
    answered = {
        status.PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
        status.JSON: {"schema": {"type": "object"}},
    }
    refusals = {
        code: {"description": f"{text}; a google.rpc.Status", "content": answered} for code, text in _REFUSALS.items()
    }
    return {
        "response_class": Response,
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
        "responses": {
            200: {"description": "On disk; a partial success says what was not taken", "content": answered},
            **refusals,
        },
    }


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
            encoding=bodies.encoding_of(request),
            media_type=content_type,
            is_import=is_import,
        )
        answer = status.accepted(await receiver.take(sending, hold), content_type)
    request.app.state.metrics.requests.labels(signal.kind, answer.status_code).inc()
    return answer


@router.post(TRACE_PATHS[0], summary="OTLP spans", **_described("ExportTraceServiceRequest"))
@router.post(f"{TRACE_PATHS[0]}/", include_in_schema=False)
@router.post(
    TRACE_PATHS[1],
    summary="OTLP spans, the path Langfuse's SDK posts to",
    **_described("ExportTraceServiceRequest"),
)
@router.post(f"{TRACE_PATHS[1]}/", include_in_schema=False)
async def traces(request: Request, principal: _Ingester) -> Response:
    """Takes spans; answers 200 when every one that was taken is on disk."""
    return await receive(request, signals.TRACES, principal)


@router.post("/v1/logs/", include_in_schema=False)
@router.post("/v1/logs", summary="OTLP log records", **_described("ExportLogsServiceRequest"))
async def logs(request: Request, principal: _Ingester) -> Response:
    """Takes log records; GenAI events are kept and join their spans, other lines are rejected."""
    return await receive(request, signals.LOGS, principal)


@router.post("/v1/metrics/", include_in_schema=False)
@router.post("/v1/metrics", summary="OTLP metrics", **_described("ExportMetricsServiceRequest"))
async def metrics(request: Request, principal: _Ingester) -> Response:
    """Takes metrics; those about agents are kept, others are rejected."""
    return await receive(request, signals.METRICS, principal)
