"""Answers of the OTLP routes, in the encoding the request came in."""

import json
from typing import Final

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from starlette.responses import Response

from loopwatch_collector.errors import CollectorError

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
# google.rpc.Code by HTTP status
_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 429: 8, 503: 14}


def media_type_of(content_type: str | None) -> str:
    """The answer's encoding: JSON for a JSON request, else protobuf."""
    return JSON if (content_type or "").partition(";")[0].strip().lower() == JSON else PROTOBUF


def accepted(answer: Message, media_type: str) -> Response:
    """200 with an export response; a full success is an empty message."""
    body = answer.SerializeToString() if media_type == PROTOBUF else MessageToJson(answer, indent=None).encode()
    return Response(body, 200, media_type=media_type)


def refused(error: CollectorError, media_type: str) -> Response:
    """The error as google.rpc.Status.

    Args:
        error: what went wrong; its class knows the HTTP status.
        media_type: the request's encoding.

    Returns:
        The answer, with Retry-After where coming back helps.
    """
    code = _CODES.get(error.status, 2)
    message = str(error)
    if media_type == PROTOBUF:
        body = Status(code=code, message=message).SerializeToString()
    else:
        body = json.dumps({"code": code, "message": message}).encode()
    headers = {} if error.retry_after_s is None else {"retry-after": str(error.retry_after_s)}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(body, error.status, headers=headers, media_type=media_type)
