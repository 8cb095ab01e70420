"""The four forms of a function, each wrapped in a few lines around one `begin`.

`begin` takes the process, the positional and the named arguments, and returns the operation that the call is,
or None when there is nothing to record. It raises only what is meant for the host (`Stopped`).
"""

import functools
import inspect
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

from loopwatch import process
from loopwatch.errors import ConfigurationError, ToolTimeout
from loopwatch.faults import swallow
from loopwatch.operations import Operation
from loopwatch.snapshots import type_of

Pause = Callable[[process.Process], float]
Begin = Callable[[process.Process, tuple[Any, ...], dict[str, Any]], Operation | None]
_DESCRIPTORS: frozenset[type[Any]] = frozenset({classmethod, staticmethod})


def check_function(decorator: str, function: object) -> None:
    """Looks whether a decorator was given what it can decorate.

    Args:
        decorator: its name, as authors write it.
        function: what it was given.

    Raises:
        ConfigurationError: that is no function.
    """
    if callable(function) or type(function) in _DESCRIPTORS:
        return
    if isinstance(function, str):
        raise ConfigurationError(
            f"{decorator}({function!r}): a name is given by its word: write name=..., {decorator}(name={function!r})"
        )
    raise ConfigurationError(f"{decorator} decorates a function, and {function!r:.80} is none")


def wrap(function: Any, begin: Callable[[Any], Begin], pause_s: Pause | None = None) -> Any:
    """Wraps a function so that each call is an operation.

    Args:
        function: a function of any form, or a classmethod or staticmethod around one.
        begin: given the plain function, returns what begins a call of it.
        pause_s: gives the seconds to wait before a call of a function or coroutine function begins.

    Returns:
        The same form, with the same signature, docstring and exceptions.
    """
    form = type_of(function)
    if form in _DESCRIPTORS:
        return form(wrap(function.__func__, begin, pause_s))
    try:
        begin_call = begin(function)
    except Exception as fault:  # noqa: BLE001 - a function that cannot be understood is left as it is
        swallow("wrap", fault)
        return function
    if inspect.isasyncgenfunction(function):
        return _wrap_async_generator(function, begin_call)
    if inspect.iscoroutinefunction(function):
        return _wrap_async(function, begin_call, pause_s)
    if inspect.isgeneratorfunction(function):
        return _wrap_generator(function, begin_call)
    return _wrap_sync(function, begin_call, pause_s)


def _wrap_sync(function: Callable[..., Any], begin: Begin, pause_s: Pause | None) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        state = process.active
        if pause_s is not None and state is not None and (wait_s := pause_s(state)):
            time.sleep(wait_s)
        if state is None or (operation := begin(state, args, kwargs)) is None:
            return function(*args, **kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:  # noted, and the host's to handle
            operation.fail(error)
            raise
        operation.succeed(result)
        return result

    return call


def _wrap_async(function: Callable[..., Any], begin: Begin, pause_s: Pause | None) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        state = process.active
        if pause_s is not None and state is not None and (wait_s := pause_s(state)):
            import asyncio  # the caller runs in it: it is there already

            await asyncio.sleep(wait_s)
        if state is None or (operation := begin(state, args, kwargs)) is None:
            return await function(*args, **kwargs)
        try:
            result = await _within(operation, function(*args, **kwargs))
        except BaseException as error:  # noted, and the host's to handle
            operation.fail(error)
            raise
        operation.succeed(result)
        return result

    return call


async def _within(operation: Operation, waited: Awaitable[Any]) -> Any:
    """Awaits it, but no longer than the operation may take."""
    timeout_s = operation.timeout_s
    if timeout_s is None:
        return await waited
    import asyncio  # the caller runs in it: it is there already

    cut = asyncio.timeout(timeout_s)
    try:
        async with cut:
            return await waited
    except TimeoutError:
        if cut.expired():
            raise ToolTimeout(operation.name, timeout_s, timeout_s) from None
        raise


def _wrap_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        state = process.active
        if state is None or (operation := begin(state, args, kwargs)) is None:
            untouched: Generator[Any, Any, Any] = function(*args, **kwargs)
            return (yield from untouched)
        advance: Callable[[Any], Any]
        try:
            inner = function(*args, **kwargs)
            advance, value = inner.send, None
            while True:
                item = advance(value)
                operation.suspend()
                try:
                    advance, value = inner.send, (yield item)
                except GeneratorExit:
                    operation.resume()
                    inner.close()
                    raise
                except BaseException as thrown:  # noqa: BLE001 - goes into the generator, as `yield from` does
                    advance, value = inner.throw, thrown
                operation.resume()
        except StopIteration as end:
            operation.succeed(end.value)
            return end.value
        except GeneratorExit:
            operation.succeed(None)
            raise
        except BaseException as error:  # noted, and the host's to handle
            operation.fail(error)
            raise

    return generate


def _wrap_async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        state = process.active
        if state is None or (operation := begin(state, args, kwargs)) is None:
            operation = None
        inner = function(*args, **kwargs)
        advance, value = inner.asend, None
        try:
            while True:
                item = await advance(value)
                if operation is not None:
                    operation.suspend()
                try:
                    advance, value = inner.asend, (yield item)
                except GeneratorExit:
                    if operation is not None:
                        operation.resume()
                    await inner.aclose()
                    raise
                except BaseException as thrown:  # noqa: BLE001 - goes into the generator, as `yield from` does
                    advance, value = inner.athrow, thrown
                if operation is not None:
                    operation.resume()
        except (StopAsyncIteration, GeneratorExit) as end:
            if operation is not None:
                operation.succeed(None)
            if isinstance(end, GeneratorExit):
                raise
        except BaseException as error:  # noted, and the host's to handle
            if operation is not None:
                operation.fail(error)
            raise

    return generate
