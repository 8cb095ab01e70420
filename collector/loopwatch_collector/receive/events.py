"""`POST /v1/events`: for agents without OpenTelemetry."""

import asyncio
import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loopwatch import names
from loopwatch_collector import event_parts
from loopwatch_collector.auth import Principal, permit, require_to_change
from loopwatch_collector.compression import decompress
from loopwatch_collector.errors import RequestRefused, TooLarge, Unsupported
from loopwatch_collector.receive import body as bodies
from loopwatch_collector.receive import events_body, screening, signals, status
from loopwatch_collector.receive.allowance import json_memory_bytes
from loopwatch_collector.receive.events_body import Answer, Event, Refusal, RequestRecord, Taken, ns_of
from loopwatch_collector.receive.events_spans import spans_of_event, spans_of_request
from loopwatch_collector.receive.receiver import Receiver, Sending
from loopwatch_collector.receive.request_starts import RequestStarts
from loopwatch_collector.settings import Settings

PATH: Final = "/v1/events"
_TYPES: Final = frozenset(
    {"application/json", "application/x-ndjson", "application/ndjson", "application/jsonl", "text/plain", ""}
)
_MAX_TOOL_CALLS: Final = 25_000  # each becomes a span, before they are counted
_DEFAULT_SERVICE: Final = "events"
_SCHEMAS: Final = [
    model.model_json_schema(ref_template="#/components/schemas/{model}") for model in (Event, RequestRecord)
]

router = APIRouter(tags=["ingest"])


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    # OpenAPI has no place of its own for the inner definitions of a schema given by hand.
    definitions = schema.pop("$defs", {})
    text = schema["properties"]
    for name, field in text.items():
        for option in field.get("anyOf", ()):
            reference = option.pop("$ref", "")
            if reference:
                option.update(definitions[reference.rsplit("/", 1)[-1]])
        text[name] = field
    return schema


_ONE: Final = {"anyOf": [_inlined(schema) for schema in _SCHEMAS]}
_BODY: Final = {
    "required": True,
    "description": "One event or record, an array of them, or one a line. null is as good as absent.",
    "content": {
        "application/json": {"schema": {"anyOf": [_ONE, {"type": "array", "items": _ONE}]}},
        "application/x-ndjson": {"schema": {"type": "string", "description": "one such object a line"}},
    },
}


@router.post(
    PATH,
    summary="Events of agents without OpenTelemetry",
    response_model=Answer,
    responses={400: {"description": "the body is not readable, or no event of it is valid"}},
    openapi_extra={"requestBody": _BODY},
)
async def events(request: Request, principal: Annotated[Principal, Depends(require_to_change("ingest"))]) -> Response:
    """Takes one event, an array of them, or one a line; also records of whole requests.

    Events of one `traceId` become one run, which is open until a `response`; of several the latest tells how it
    ended. A `tool_result` belongs to the call it names by `toolCallId`, else to the last open `tool_call` of its tool.
    Answers 200 when the valid events are on disk, names the others by index and reason, and names fields that look
    as if they should have been read.
    """
    _check_type(request)
    is_import = request.headers.get("loopwatch-import", "").lower() == "true"
    if is_import:
        permit(principal, "admin")
    settings: Settings = request.app.state.settings
    receiver: Receiver = request.app.state.receiver
    with receiver.allowance.hold() as hold:
        sent = await bodies.read(request, settings.max_body_bytes, hold)
        encoding = bodies.encoding_of(request)
        raw = await asyncio.to_thread(decompress, sent, encoding, settings.max_body_bytes)
        hold.add(json_memory_bytes(raw))
        taken = await asyncio.to_thread(events_body.parse, raw)
        now_ns = time.time_ns()
        window = (
            screening.EVER
            if is_import
            else screening.live_window(now_ns, settings.retention.days(principal.project).everything)
        )
        events_body.disbelieve(taken, window.oldest_ns, window.newest_ns)
        starts = await _starts_of(request, principal.project, taken, now_ns)
        accepted = len(taken.events) + len(taken.requests)
        if accepted:
            body = await asyncio.to_thread(_body_of, taken, starts)
            sending = Sending(signals.TRACES, principal, body, "", status.PROTOBUF, is_import)
            await receiver.take(sending, hold)
    return _answer(accepted, taken)


def _check_type(request: Request) -> None:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in _TYPES:
        raise Unsupported(
            f"the content type '{content_type[:60]}' is not one of application/json, application/x-ndjson"
        )


def _answer(accepted: int, taken: Taken) -> Response:
    rejected = sorted(taken.rejected, key=lambda refusal: refusal.index)
    if not accepted:
        first = rejected[0] if rejected else Refusal(index=0, reason="there is none")
        sentence = f"no event of the body is valid; the first, at {first.index}: {first.reason}"
        raise RequestRefused(sentence)
    return JSONResponse(Answer(accepted=accepted, rejected=rejected, ignored=taken.ignored.list()).model_dump())


async def _starts_of(request: Request, project: str, taken: Taken, now_ns: int) -> dict[str, int]:
    """When the records of whole requests began, by request id; ns since the epoch."""
    told = {record.request_id: ns_of(record.timestamp) for _, record in taken.requests if record.timestamp is not None}
    untold = [record.request_id for _, record in taken.requests if record.timestamp is None]
    if not untold:
        return told
    starts: RequestStarts = request.app.state.request_starts
    return {**await starts.of(project, untold, now_ns), **told}


def _body_of(taken: Taken, starts: dict[str, int]) -> bytes:
    """The spans of what was taken as an export request.

    Raises:
        TooLarge: they would be too many; records of a few bytes may list a thousand tool calls each.
    """
    tools = sum(max(len(record.tool_calls), len(record.tool_results)) for _, record in taken.requests)
    if tools > _MAX_TOOL_CALLS:
        raise TooLarge(f"the records hold {tools} tool calls, over {_MAX_TOOL_CALLS}; send smaller batches")
    spans: dict[str, list[Span]] = {}
    for _, event in taken.events:
        spans.setdefault(event.service or _DEFAULT_SERVICE, []).extend(spans_of_event(event))
    for _, record in taken.requests:
        made = spans_of_request(record, starts[record.request_id])
        spans.setdefault(record.service or _DEFAULT_SERVICE, []).extend(made)
    return _request_of(spans).SerializeToString()


def _request_of(spans: dict[str, list[Span]]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    for service, made in spans.items():
        resource_spans = request.resource_spans.add()
        resource_spans.resource.attributes.append(
            KeyValue(key=names.SERVICE_NAME, value=AnyValue(string_value=service))
        )
        scope_spans = resource_spans.scope_spans.add(spans=made)
        scope_spans.scope.name = event_parts.SCOPE
    return request
