"""What the Anthropic client's own spans lack, added through its public middleware. Nothing is patched."""

import json
from typing import Any, TypeVar

from opentelemetry import trace

from loopwatch import names, process
from loopwatch.capture import INPUT
from loopwatch.faults import swallow
from loopwatch.scopes import check_breakers, current_scope

C = TypeVar("C")
_MAX_REMEMBERED = 64


def anthropic(client: C) -> C:
    """Adds to an Anthropic client's own spans: the tools offered, their schemas' size, and the request's size.

    Args:
        client: an `anthropic.Anthropic` or `anthropic.AsyncAnthropic`, 1.14 or later.

    Returns:
        A client of the same class that shares its connections.
    """
    from anthropic import Middleware

    class RequestMiddleware(Middleware):
        """Runs once per HTTP attempt, with the client's own span current."""

        def handle(self, request: Any, call_next: Any) -> Any:
            _before(request, _offered)
            response = call_next(request)
            _after(response)
            return response

        async def handle_async(self, request: Any, call_next: Any) -> Any:
            _before(request, _offered)
            response = await call_next(request)
            _after(response)
            return response

    _offered: dict[tuple[int, ...], tuple[Any, tuple[str, ...], int]] = {}
    given: Any = client
    return given.with_options(middleware=[*given.middleware, RequestMiddleware()])


def _before(request: Any, remembered: dict[tuple[int, ...], tuple[Any, tuple[str, ...], int]]) -> None:
    if process.active is None:
        return
    scope = current_scope()
    if scope is not None and not request.retries_taken:
        check_breakers(process.active.breakers)
        scope.run.check()
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
        size = response.http_response.request.headers.get("content-length")
        if size:
            trace.get_current_span().set_attribute(names.INPUT_BYTES, int(size))
    except Exception as fault:  # noqa: BLE001 - a fault of ours must not cost the host the answer
        swallow("anthropic.after", fault)
