"""The answer of a streamed request, put together from its events while they pass by."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, get_args

from loopwatch import names
from loopwatch.faults import swallow
from loopwatch.operations import Operation

_USAGE: Final = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_GROWING: Final = {"text_delta": "text", "thinking_delta": "thinking"}


class StreamedAnswer:
    """A model call whose answer streams; it ends with the stream, however that ends.

    Args:
        operation: the open model call, current.
    """

    def __init__(self, operation: Operation) -> None:
        self._operation: Operation | None = operation
        self._began = time.monotonic()
        self._message: Any = None
        self._inputs: dict[int, str] = {}

    def leave(self) -> None:
        """Leaves the model call's context: what the caller does between events is not part of it."""
        if self._operation is not None:
            self._operation.suspend()

    def add(self, event: Any) -> None:
        """Takes one event of the stream."""
        try:
            if self._operation is not None:
                self._add(event, self._operation)
        except Exception as fault:  # noqa: BLE001 - an event we do not understand is still the host's
            swallow("anthropic.stream", fault)

    def _add(self, event: Any, operation: Operation) -> None:
        if event.type == "message_start":
            self._message = event.message.model_copy(deep=True)
            operation.set({names.TIME_TO_FIRST_CHUNK: time.monotonic() - self._began})
        elif event.type == "content_block_start":
            self._message.content.append(event.content_block.model_copy(deep=True))
        elif event.type == "content_block_delta":
            self._grow(event.index, event.delta)
        elif event.type == "message_delta":
            self._message.stop_reason = event.delta.stop_reason
            for name in _USAGE:  # cumulative: each replaces what was said before
                if getattr(event.usage, name, None) is not None:
                    setattr(self._message.usage, name, getattr(event.usage, name))

    def _grow(self, index: int, delta: Any) -> None:
        block = self._message.content[index]
        if delta.type in _GROWING:
            field = _GROWING[delta.type]
            setattr(block, field, getattr(block, field) + getattr(delta, field))
        elif delta.type == "input_json_delta":
            self._inputs[index] = self._inputs.get(index, "") + delta.partial_json

    def end(self, error: BaseException | None = None) -> None:
        """Ends the model call with what has come; a second call does nothing."""
        operation, self._operation = self._operation, None
        if operation is None:
            return
        message = self._whole()
        operation.resume()
        if error is None:
            operation.succeed(message)
        else:
            operation.fail(error)

    def _whole(self) -> Any:
        """The message as far as it came."""
        try:
            self._take_inputs()
        except Exception as fault:  # noqa: BLE001 - the host's stream goes before our copy of it
            swallow("anthropic.stream", fault)
        return self._message

    def _take_inputs(self) -> None:
        for index, text in self._inputs.items():
            try:
                self._message.content[index].input = json.loads(text or "{}")
            except ValueError:  # closed early: half of a tool's input
                self._message.content[index].input = text


def observed(stream_class: Any, answer: StreamedAnswer) -> Any:
    """Derives a class from the client's own stream class that shows each event to `answer`.

    Args:
        stream_class: `anthropic.Stream[...]` or `anthropic.AsyncStream[...]`, as the request names it.
        answer: takes the events.
    """
    from anthropic import AsyncStream, Stream

    (event_type,) = get_args(stream_class)
    if issubclass(getattr(stream_class, "__origin__", Stream), AsyncStream):
        return _observed_async(AsyncStream[event_type], answer)
    return _observed_sync(Stream[event_type], answer)


def _observed_sync(base: Any, answer: StreamedAnswer) -> Any:
    class ObservedStream(base):
        def __stream__(self) -> Iterator[Any]:
            parent: Any = super()
            return _watch(parent.__stream__, answer)

        def close(self) -> None:
            parent: Any = super()
            parent.close()
            answer.end()

    return ObservedStream


def _observed_async(base: Any, answer: StreamedAnswer) -> Any:
    class ObservedStream(base):
        def __stream__(self) -> AsyncIterator[Any]:
            parent: Any = super()
            return _watch_async(parent.__stream__, answer)

        async def close(self) -> None:
            parent: Any = super()
            await parent.close()
            answer.end()

    return ObservedStream


def _watch(events: Callable[[], Iterator[Any]], answer: StreamedAnswer) -> Iterator[Any]:
    try:
        for event in events():
            answer.add(event)
            yield event
    except Exception as error:  # whatever ended the stream is the host's to see, and what the call failed with
        answer.end(error)
        raise
    finally:
        answer.end()


async def _watch_async(events: Callable[[], AsyncIterator[Any]], answer: StreamedAnswer) -> AsyncIterator[Any]:
    try:
        async for event in events():
            answer.add(event)
            yield event
    except Exception as error:  # whatever ended the stream is the host's to see, and what the call failed with
        answer.end(error)
        raise
    finally:
        answer.end()
