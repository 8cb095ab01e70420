"""Cutting a sync tool off: it runs in a thread of its own, which is left behind when it takes too long."""

import contextvars
import functools
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context

from loopwatch.errors import ToolTimeout

TIMEOUT_KEY = otel_context.create_key("loopwatch.tool_timeout")


def cut_off_in_thread(function: Callable[..., Any]) -> Any:
    """Wraps a sync function so that it is waited for no longer than the tool call around it may take.

    Args:
        function: any function; one that is async or a generator is returned as it is.

    Returns:
        A function with the same signature, which raises `ToolTimeout` when the call is cut off.
    """
    if (
        inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
        or inspect.isasyncgenfunction(function)
    ):
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        allowed: Any = otel_context.get_value(TIMEOUT_KEY)
        if allowed is None:
            return function(*args, **kwargs)
        tool, timeout_s = allowed
        return _wait(tool, timeout_s, functools.partial(function, *args, **kwargs))

    return call


def _wait(tool: str, timeout_s: float, work: Callable[[], Any]) -> Any:
    done: dict[str, Any] = {}
    context = contextvars.copy_context()

    def run() -> None:
        try:
            done["result"] = context.run(work)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            done["error"] = error

    started = time.monotonic()
    thread = threading.Thread(target=run, name=f"loopwatch-tool-{tool}", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if "error" in done:
        raise done["error"]
    if "result" not in done:
        raise ToolTimeout(tool, time.monotonic() - started, timeout_s)
    return done["result"]
