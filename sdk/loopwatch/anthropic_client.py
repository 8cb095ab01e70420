"""What the Anthropic client's own spans lack, added through its public middleware. Nothing is patched."""

import json
from typing import Any, TypeVar

from opentelemetry import trace
from opentelemetry.trace import StatusCode

from loopwatch import names, process
from loopwatch.anthropic_streams import StreamedAnswer, observed
from loopwatch.capture import INPUT
from loopwatch.faults import swallow
from loopwatch.model_calls import ModelCallDecorator
from loopwatch.operations import Operation
from loopwatch.scopes import check_breakers, check_limits, current_scope

C = TypeVar("C")
Offered = dict[tuple[int, ...], tuple[Any, tuple[str, ...], int]]
"""Names and schema bytes of lists of tools, by the tools' identities; the tools are kept, so that those stay theirs."""
_MAX_REMEMBERED = 64
_FIRST_ERROR_STATUS = 400
_CLIENT_SCOPE = "com.anthropic.sdk"
_CACHE_FIELDS = ("cache_read_input_tokens", "cache_creation_input_tokens")


def anthropic(client: C) -> C:
    """Adds to an Anthropic client's own spans: the tools offered, their schemas' size, and the request's size.

    A client that has no spans of its own, being older than 1.14 or having its telemetry off, gets a model call of ours
    per attempt instead, streamed or not.

    Args:
        client: an `anthropic.Anthropic` or `anthropic.AsyncAnthropic` with middleware, 0.125 or later.

    Returns:
        A client of the same class that shares its connections.
    """
    from anthropic import Middleware

    class RequestMiddleware(Middleware):
        """Runs once per HTTP attempt, with the client's own span current."""

        def handle(self, request: Any, call_next: Any) -> Any:
            attempt = Attempt(request, offered)
            try:
                response = call_next(attempt.request)
            except BaseException as error:  # noted, and the host's to handle
                attempt.failed(error)
                raise
            if attempt.answered(response):
                try:
                    attempt.read(response.parse())
                except Exception as error:  # noqa: BLE001 - whoever asked for the answer gets it, or this error, himself
                    attempt.failed(error)
            return response

        async def handle_async(self, request: Any, call_next: Any) -> Any:
            attempt = Attempt(request, offered)
            try:
                response = await call_next(attempt.request)
            except BaseException as error:  # noted, and the host's to handle
                attempt.failed(error)
                raise
            if attempt.answered(response):
                try:
                    attempt.read(await response.parse())
                except Exception as error:  # noqa: BLE001 - likewise
                    attempt.failed(error)
            return response

    offered: Offered = {}
    given: Any = client
    return given.with_options(middleware=[*given.middleware, RequestMiddleware()])


class Attempt:
    """One HTTP attempt of a request; a model call of ours if the client has no spans of its own.

    Args:
        request: the client's request.
        offered: what is remembered of the tools of earlier requests.

    Raises:
        Stopped: a breaker or a limit ends the run before its next model call.
    """

    def __init__(self, request: Any, offered: "Offered") -> None:
        _check(request)
        self.request = request
        self._operation = _wrapped(request)
        self._streamed: StreamedAnswer | None = None
        _before(request, offered)
        if self._operation is not None and request.stream:
            self._observe(self._operation)

    def _observe(self, operation: Operation) -> None:
        """Has the client make a stream of ours, by the request's own field for it."""
        try:
            streamed = StreamedAnswer(operation)
            observing = self.request.copy()
            observing.stream_cls = observed(self.request.stream_cls, streamed)
        except Exception as fault:  # noqa: BLE001 - the stream is worth more than its tokens
            swallow("anthropic.observe", fault)
        else:
            self.request, self._streamed = observing, streamed

    def failed(self, error: BaseException) -> None:
        """Ends it: no answer came."""
        if self._operation is not None:
            self._operation.fail(error)

    def answered(self, response: Any) -> bool:
        """Takes the response's head.

        Returns:
            Whether the parsed answer is wanted, with `read`.
        """
        _after(response)
        if self._operation is None:
            return False
        if response.status_code >= _FIRST_ERROR_STATUS:
            _refused(self._operation, response.status_code)
            return False
        if self._streamed is not None:
            self._streamed.leave()
            return False
        if self.request.stream:
            self._operation.succeed(None)
            return False
        return True

    def read(self, message: Any) -> None:
        """Ends it with the parsed answer."""
        if self._operation is not None:
            self._operation.succeed(message)


def _refused(operation: Operation, status_code: int) -> None:
    """Ends a model call that the API refused; the client raises its own error for it later."""
    try:
        operation.set({names.ERROR_TYPE: str(status_code)})
        operation.span.set_status(StatusCode.ERROR)
    except Exception as fault:  # noqa: BLE001 - the answer goes before what we write about it
        swallow("anthropic.refused", fault)
    operation.succeed(None)


def _check(request: Any) -> None:
    """Looks at breakers and limits before the first attempt of a call."""
    if process.active is not None and not request.retries_taken:
        check_breakers(process.active.breakers)
        check_limits()


def _wrapped(request: Any) -> Operation | None:
    """Opens a model call of ours for a client that has no spans: older ones, or those with telemetry off."""
    state = process.active
    scope = getattr(trace.get_current_span(), "instrumentation_scope", None)
    if state is None or (scope is not None and scope.name.startswith(_CLIENT_SCOPE)):
        return None
    try:
        body: dict[str, Any] = request.json or {}
        if "messages" not in body:
            return None
        opened = ModelCallDecorator(str(body.get("model", "")), "anthropic", None, _answer).open_block(state)
        opened.given(names.INPUT_MESSAGES, body["messages"])
        if body.get("system"):
            opened.given(names.SYSTEM_INSTRUCTIONS, body["system"])
    except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the request
        swallow("anthropic.wrap", fault)
        return None
    return opened


def _answer(message: Any) -> dict[str, Any]:
    """Reads a Message; the API's input tokens leave the cached ones out, the convention's include them."""
    used = getattr(message, "usage", None)
    if used is None:
        return {}
    read, written = (int(getattr(used, name, None) or 0) for name in _CACHE_FIELDS)
    parts = [block.model_dump(exclude_none=True) for block in message.content]
    return {
        "input_tokens": used.input_tokens + read + written,
        "output_tokens": used.output_tokens,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "response_id": message.id,
        "response_model": message.model,
        "stop_reason": message.stop_reason,
        "output_messages": [{"role": "assistant", "parts": parts}],
    }


def _before(request: Any, remembered: Offered) -> None:
    if process.active is None:
        return
    scope = current_scope()
    try:
        body: dict[str, Any] = request.json or {}
        tools: list[Any] = body.get("tools") or []
        if not tools:
            return
        offered, schema_bytes = _describe(tools, remembered)
        span = trace.get_current_span()
        span.set_attributes({names.TOOLS_OFFERED: offered, names.TOOLS_SCHEMA_BYTES: schema_bytes})
        capture = process.active.settings.capture
        if scope is not None and scope.run.capture is not None:
            capture = scope.run.capture
        if INPUT in capture:
            span.set_attribute(names.TOOL_DEFINITIONS, json.dumps(tools, ensure_ascii=False, default=str))
    except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the request
        swallow("anthropic.before", fault)


def _describe(tools: list[Any], remembered: Offered) -> tuple[tuple[str, ...], int]:
    """Names and size, remembered by identity: an agent offers the same tools at each call."""
    key = tuple(id(tool) for tool in tools)
    known = remembered.get(key)
    if known is None:
        offered = tuple(str(tool.get("name") or tool.get("type") or "") for tool in tools)
        schema_bytes = len(json.dumps(tools, ensure_ascii=False, default=str).encode())
        if len(remembered) >= _MAX_REMEMBERED:
            remembered.clear()
        known = remembered[key] = (list(tools), offered, schema_bytes)
    return known[1], known[2]


def _after(response: Any) -> None:
    if process.active is None:
        return
    try:
        size = response.http_request.headers.get("content-length")
        if size:
            trace.get_current_span().set_attribute(names.INPUT_BYTES, int(size))
    except Exception as fault:  # noqa: BLE001 - a fault of ours must not cost the host the answer
        swallow("anthropic.after", fault)
