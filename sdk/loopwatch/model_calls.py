"""`model_call`: one logical request to a model, for clients without spans of their own."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from loopwatch import arguments, names
from loopwatch import capture as captures
from loopwatch.blocks import Block
from loopwatch.capture import CaptureChoice
from loopwatch.errors import ConfigurationError
from loopwatch.faults import swallow
from loopwatch.operations import Operation
from loopwatch.process import Process
from loopwatch.scopes import check_breakers, check_limits, current_scope
from loopwatch.wrapping import Begin, check_function, wrap

F = TypeVar("F", bound=Callable[..., Any])
Extract = Callable[[Any], Mapping[str, Any]]


class ModelCall(Operation):
    """One model call, open; `record` says what came back."""

    __slots__ = ("_extract",)

    def __init__(
        self,
        process: Process,
        span: Any,
        context: Context,
        capture: captures.Capture | None,
        extract: Extract | None,
    ) -> None:
        super().__init__(process, span, context, capture)
        self._extract = extract

    def record_result(self, result: object) -> None:
        """Reads the answer with the author's extractor."""
        if self._extract is not None and result is not None:
            record(self, **self._extract(result))


def record(
    opened: Operation,
    *,
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    cache_read_tokens: int | None = None,
    cache_write_tokens: int | None = None,
    reasoning_tokens: int | None = None,
    response_id: str | None = None,
    response_model: str | None = None,
    stop_reason: str | None = None,
    input_messages: object = None,
    output_messages: object = None,
    system_instructions: object = None,
) -> None:
    """Writes what a model call was given and answered; see `OpenModelCall.record`."""
    attributes = {
        names.INPUT_TOKENS: input_tokens,
        names.OUTPUT_TOKENS: output_tokens,
        names.CACHE_READ_TOKENS: cache_read_tokens,
        names.CACHE_WRITE_TOKENS: cache_write_tokens,
        names.REASONING_TOKENS: reasoning_tokens,
        names.RESPONSE_ID: response_id,
        names.RESPONSE_MODEL: response_model,
        names.FINISH_REASONS: None if stop_reason is None else (stop_reason,),
    }
    opened.set({name: value for name, value in attributes.items() if value is not None})
    contents = {
        names.INPUT_MESSAGES: input_messages,
        names.OUTPUT_MESSAGES: output_messages,
        names.SYSTEM_INSTRUCTIONS: system_instructions,
    }
    for name, value in contents.items():
        if value is not None:
            opened.content(name, value)


class OpenModelCall:
    """What `with model_call(...) as call` gives; unconfigured, it ignores what it is told."""

    def __init__(self, opened: Operation | None) -> None:
        self._opened = opened

    def record(self, **answer: Any) -> None:
        """Says what the model was given and answered.

        Args:
            **answer: input_tokens (cached ones included), output_tokens, cache_read_tokens, cache_write_tokens,
                reasoning_tokens, response_id, response_model, stop_reason, input_messages, output_messages,
                system_instructions.
        """
        if self._opened is None:
            return
        try:
            record(self._opened, **answer)
        except Exception as fault:  # noqa: BLE001 - a wrong word must not cost the host its answer
            swallow("model_call.record", fault, self._opened.subject())


class ModelCallDecorator(Block[OpenModelCall]):
    """A context manager and a decorator; see `model_call`."""

    is_limited = True

    def __init__(self, model: str | None, provider: str, capture: CaptureChoice, extract: Extract | None) -> None:
        self._model = model
        self._provider = provider
        self._capture = None if capture is None else captures.parse(capture)
        self._extract = extract

    def __call__(self, function: F) -> F:
        """Makes each call of a function a model call; an argument `model` names the model if nothing else does."""
        check_function("model_call", function)
        return wrap(function, self._begin_call)

    def _begin_call(self, function: Callable[..., Any]) -> Begin:
        bind = arguments.binder(function)
        called = getattr(function, "__qualname__", "")

        def begin(state: Process, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
            check_breakers(state.breakers)
            check_limits()
            try:
                bound = bind(args, kwargs)
                opened = self._open(state, str(self._model or bound.get("model") or ""))
                if bound.get("messages") is not None:
                    opened.given(names.INPUT_MESSAGES, bound["messages"])
            except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the call
                swallow("model_call.begin", fault, called)
                return None
            return opened

        return begin

    def open_block(self, state: Process) -> Operation:
        """Opens the model call."""
        check_breakers(state.breakers)
        return self._open(state, self._model or "")

    def _open(self, state: Process, model: str) -> ModelCall:
        current = otel_context.get_current()
        scope = current_scope(current)
        attributes: dict[str, Any] = {
            names.OPERATION_NAME: names.OPERATION_CHAT,
            names.PROVIDER_NAME: self._provider,
            names.REQUEST_MODEL: model,
        }
        if scope is not None:
            scope.run.model_call_began(attributes)
        span = state.tracing.start(f"chat {model}".rstrip(), attributes, scope, current, SpanKind.CLIENT)
        return ModelCall(state, span, current, self._capture, self._extract)

    def given(self, operation: Operation | None) -> OpenModelCall:
        """Gives what the answer is recorded with."""
        return OpenModelCall(operation)


def model_call(
    model: str | None = None,
    *,
    provider: str = "",
    capture: CaptureChoice = None,
    extract: Extract | None = None,
) -> ModelCallDecorator:
    """Makes a block, or each call of a function, a model call. The Anthropic client needs none: it has its own spans.

    Args:
        model: the model asked for; the function's argument `model` by default.
        provider: who serves it, by the convention's name, such as "openai".
        capture: kinds of content that may leave, instead of the run's choice.
        extract: reads the function's result into the words of `OpenModelCall.record`.

    Returns:
        A context manager (sync and async) that is also a decorator.

    Raises:
        LimitExceeded: from a call, when a cap of the run is reached.
        ConfigurationError: the model is no name, as where the decorator is written without parentheses.
    """
    if callable(model):
        raise ConfigurationError("model_call(...): write @loopwatch.model_call(), or the model's name inside")
    return ModelCallDecorator(model, provider, capture, extract)
