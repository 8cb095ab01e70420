"""Errors as answers: one place maps what went wrong to a status and a body, so that no route holds a `try`."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from loopwatch_collector.errors import (
    CollectorError,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from loopwatch_collector.key_use import KeyUse
from loopwatch_collector.receive import status
from loopwatch_collector.receive.routes import signal_of

_LOG = logging.getLogger(__name__)
_MAX_FAULTS: Final = 5
_OUR_FAULT: Final = 500
_INGEST: Final = "/v1/"
_CODES: Final = {404: "not_found", 405: "method_not_allowed"}


class ErrorDetails(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(extra="allow")

    code: str = Field(description="stable, for programs")
    message: str = Field(description="a sentence that names the thing and says what to do")


class ErrorAnswer(BaseModel):
    """The body of every answer but a success; OTLP routes answer google.rpc.Status instead."""

    error: ErrorDetails


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": ErrorAnswer, "description": "The request is wrong, or its key does not reach this far"},
    500: {"model": ErrorAnswer, "description": "A fault of the collector, which asking again does not mend"},
    503: {"model": ErrorAnswer, "description": "Not now; Retry-After says when to come back"},
}
"""For OpenAPI: what any route may answer besides its success."""


def add_answers(app: FastAPI) -> None:
    """Makes the application answer every error in the documented form.

    Args:
        app: the application.
    """
    app.add_exception_handler(CollectorError, _collector_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)


async def _collector_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, CollectorError):
        raise error
    if error.answer != str(error):
        _LOG.warning("%s %s: %s", request.method, request.url.path[:200], error)
    if error.status == _OUR_FAULT and request.url.path.startswith(_INGEST):
        error = Unavailable(error.answer)
    _count_refusal(request, error.status)
    if signal := signal_of(request.url.path):
        if isinstance(error, Forbidden):  # a status OTLP's list lacks; the sentence says what the key is short of
            error = Unauthenticated(str(error))
        request.app.state.metrics.requests.labels(signal.kind, error.status).inc()
        return status.refused(error, status.media_type_of(request.headers.get("content-type")))
    retry_after_s = error.retry_after_s or (Unavailable.retry_after_s if error.status == Unavailable.status else None)
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    return _answer(error.status, error.code, error.answer, headers, error.details)


def _count_refusal(request: Request, status_code: int) -> None:
    """Counts it for the key that asked; to find nothing is an answer."""
    use: KeyUse | None = getattr(request.state, "key_use", None)
    if use and status_code != NotFound.status:
        use.refusal()


async def _fault(request: Request, _error: Exception) -> Response:
    """A fault of ours: logged by the server, and 503 because senders drop what is answered with 500."""
    return await _collector_error(request, Unavailable("the collector failed at this request; its log says why"))


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    _count_refusal(request, 422)
    faults = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
    return _answer(422, "invalid_request", "; ".join(faults[:_MAX_FAULTS])[:1000])


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    sentence = f"{request.method} {request.url.path[:200]}: {error.detail}; /docs lists the routes"
    if error.status_code == MethodNotAllowed.status and signal_of(request.url.path):
        refusal = await _collector_error(request, MethodNotAllowed(sentence))
        refusal.headers.update(error.headers or {})
        return refusal
    return _answer(error.status_code, _CODES.get(error.status_code, "bad_request"), sentence, error.headers)


def _answer(
    status_code: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, **(details or {})}}, status_code, headers)
