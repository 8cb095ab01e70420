"""What the Anthropic client's own spans lack, added through its public middleware. Nothing is patched."""

import json
from typing import Any, TypeVar

from opentelemetry import trace

from loopwatch import names, process
from loopwatch.capture import INPUT
from loopwatch.faults import swallow
from loopwatch.model_calls import ModelCallDecorator
from loopwatch.operations import Operation
from loopwatch.scopes import check_breakers, check_limits, current_scope

C = TypeVar("C")
_MAX_REMEMBERED = 64
_CLIENT_SCOPE = "com.anthropic.sdk"
_CACHE_FIELDS = ("cache_read_input_tokens", "cache_creation_input_tokens")


def anthropic(client: C) -> C:
    """Adds to an Anthropic client's own spans: the tools offered, their schemas' size, and the request's size.

    A client that has no spans of its own, being older than 1.14 or having its telemetry off, gets a model call per
    request instead; of a stream that one knows no tokens.

    Args:
        client: an `anthropic.Anthropic` or `anthropic.AsyncAnthropic` with middleware, 0.125 or later.

    Returns:
        A client of the same class that shares its connections.
    """
    from anthropic import Middleware

    class RequestMiddleware(Middleware):
        """Runs once per HTTP attempt, with the client's own span current."""

        def handle(self, request: Any, call_next: Any) -> Any:
            _check(request)
            operation = _wrapped(request)
            _before(request, _offered)
            try:
                response = call_next(request)
            except BaseException as error:
                if operation is not None:
                    operation.fail(error)
                raise
            _after(response)
            if operation is not None:
                operation.succeed(None if request.stream else response.parse())
            return response

        async def handle_async(self, request: Any, call_next: Any) -> Any:
            _check(request)
            operation = _wrapped(request)
            _before(request, _offered)
            try:
                response = await call_next(request)
            except BaseException as error:
                if operation is not None:
                    operation.fail(error)
                raise
            _after(response)
            if operation is not None:
                operation.succeed(None if request.stream else await response.parse())
            return response

    _offered: dict[tuple[int, ...], tuple[Any, tuple[str, ...], int]] = {}
    given: Any = client
    return given.with_options(middleware=[*given.middleware, RequestMiddleware()])


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


def _before(request: Any, remembered: dict[tuple[int, ...], tuple[Any, tuple[str, ...], int]]) -> None:
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


def _describe(
    tools: list[Any], remembered: dict[tuple[int, ...], tuple[Any, tuple[str, ...], int]]
) -> tuple[tuple[str, ...], int]:
    """Names and size, remembered by identity: an agent offers the same tools at each call."""
    key = tuple(id(tool) for tool in tools)
    known = remembered.get(key)
    if known is None:
        offered = tuple(str(tool.get("name") or tool.get("type") or "") for tool in tools)
        schema_bytes = len(json.dumps(tools, ensure_ascii=False, default=str).encode())
        if len(remembered) >= _MAX_REMEMBERED:
            remembered.clear()
        known = remembered[key] = (list(tools), offered, schema_bytes)  # the tools are kept: their ids stay theirs
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
