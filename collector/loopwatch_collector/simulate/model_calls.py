"""What the span of a model call says: the Anthropic client's own, and ours of calls to other providers."""

from functools import lru_cache
from typing import Final

from loopwatch import names
from loopwatch_collector.simulate import wire
from loopwatch_collector.simulate.behaviour import BYTES_PER_TOKEN, schema_bytes
from loopwatch_collector.simulate.facts import ModelCallFacts
from loopwatch_collector.simulate.fleet import Agent, Model

_OK_STATUS: Final = b"\x7a\x02\x18\x01"

_input_tokens = wire.integers(names.INPUT_TOKENS)
_output_tokens = wire.integers(names.OUTPUT_TOKENS)
_cache_read = wire.integers(names.CACHE_READ_TOKENS)
_cache_write = wire.integers(names.CACHE_WRITE_TOKENS)
_cache_write_5m = wire.integers(names.ANTHROPIC_CACHE_WRITE_5M_TOKENS)
_reasoning = wire.integers(names.REASONING_TOKENS)
_resends = wire.integers("http.request.resend_count")
_sent_bytes = wire.integers(names.INPUT_BYTES)

_RESPONSE_ID: Final = wire.texts_of_length(names.RESPONSE_ID, 24)
_REQUEST_ID: Final = wire.texts_of_length("anthropic.request.id", 24)
_TTFT: Final = wire.boolean(names.REQUEST_STREAM, True) + wire.double_prefix(names.TIME_TO_FIRST_CHUNK)
_NATIVE_NAME: Final = wire.name_and_kind("anthropic.messages.create", wire.CLIENT)
_NATIVE_SUCCEEDED: Final = wire.integer("http.response.status_code", 200) + wire.text(
    "anthropic.response.service_tier", "standard"
)
_NATIVE_FAILED: Final = wire.integer("http.response.status_code", 529)
_NO_5M_BUT_1H: Final = wire.integer(names.ANTHROPIC_CACHE_WRITE_1H_TOKENS, 0)
_STOP: Final = {
    asks: wire.text("anthropic.message.stop_reason", "tool_use" if asks else "end_turn") for asks in (False, True)
}
_FINISH: Final = {asks: wire.texts(names.FINISH_REASONS, ["tool_calls" if asks else "stop"]) for asks in (False, True)}
# The SDK holds URLs back with content: they can carry some.
_URLS: Final = wire.text("url.path", "/v1/messages") + wire.text("url.full", "https://api.anthropic.com/v1/messages")


def is_native(call: ModelCallFacts) -> bool:
    """Whether the provider's own client writes the span of a call."""
    return call.model.provider == "anthropic"


def name(call: ModelCallFacts) -> bytes:
    """The name and the kind of a call's span."""
    return _NATIVE_NAME if is_native(call) else _chat_name(call.model.name)


def attributes(call: ModelCallFacts, agent: Agent, said: bytes) -> bytes:
    """The attributes of a call's span.

    Args:
        call: what happened.
        agent: who called.
        said: its messages and tools as attributes; empty where content is not captured.
    """
    fixed = _fixed_attributes(call.model, agent)
    if not is_native(call):
        return b"".join((fixed, said, *_plain(call)))
    return b"".join((fixed, said, _URLS if said else b"", *_native(call)))


def status(call: ModelCallFacts) -> bytes:
    """The status of a call's span: only the Anthropic client says that a call went well."""
    if call.error_type:
        return wire.ERROR_STATUS
    return _OK_STATUS if is_native(call) else b""


def _native(call: ModelCallFacts) -> tuple[bytes, ...]:
    """What the Anthropic client's own span says of one call."""
    resends = _resends(call.resends) if call.resends else b""
    request_id = b"req_%020x" % (call.response * 0xB5297A4D & (1 << 80) - 1)
    if call.error_type:
        return (_NATIVE_FAILED, _REQUEST_ID, request_id, resends, wire.text(names.ERROR_TYPE, call.error_type))
    return (
        _NATIVE_SUCCEEDED, _REQUEST_ID, request_id, resends, _RESPONSE_ID, b"msg_%020x" % call.response,
        _input_tokens(call.input_tokens), _output_tokens(call.output_tokens), _cache_read(call.cache_read_tokens),
        _cache_write(call.cache_write_tokens), _cache_write_5m(call.cache_write_tokens), _NO_5M_BUT_1H,
        _reasoning(call.reasoning_tokens) if call.reasoning_tokens else b"", _STOP[call.asks_tools],
        _TTFT + wire.pack_double(call.ttft_ns / 1e9) if call.ttft_ns else b"",
        _sent_bytes(call.input_tokens * BYTES_PER_TOKEN),
    )  # fmt: skip


def _plain(call: ModelCallFacts) -> tuple[bytes, ...]:
    """What our own span says of one call to another provider."""
    if call.error_type:
        return (wire.text(names.ERROR_TYPE, call.error_type),)
    return (
        _RESPONSE_ID, b"resp%020x" % call.response, _response_model(call.model.name), _input_tokens(call.input_tokens),
        _output_tokens(call.output_tokens), _cache_read(call.cache_read_tokens) if call.cache_read_tokens else b"",
        _reasoning(call.reasoning_tokens) if call.reasoning_tokens else b"", _FINISH[call.asks_tools],
        _TTFT + wire.pack_double(call.ttft_ns / 1e9) if call.ttft_ns else b"",
    )  # fmt: skip


@lru_cache(maxsize=64)
def _fixed_attributes(model: Model, agent: Agent) -> bytes:
    made = (
        wire.text(names.PROVIDER_NAME, model.provider)
        + wire.text(names.OPERATION_NAME, names.OPERATION_CHAT)
        + wire.text(names.REQUEST_MODEL, model.name)
    )
    if agent.tools:
        made += wire.texts(names.TOOLS_OFFERED, [tool.name for tool in agent.tools])
        made += wire.integer(names.TOOLS_SCHEMA_BYTES, schema_bytes(agent))
    if model.provider != "anthropic":
        return made
    return (
        made
        + wire.text("server.address", "api.anthropic.com")
        + wire.integer("server.port", 443)
        + wire.integer("gen_ai.request.max_tokens", 2048)
        + wire.text("http.request.method", "POST")
        + wire.text("http.route", "/v1/messages")
        + wire.text("url.scheme", "https")
        + wire.text(names.RESPONSE_MODEL, model.name)
    )


@lru_cache(maxsize=16)
def _response_model(model: str) -> bytes:
    return wire.text(names.RESPONSE_MODEL, model)


@lru_cache(maxsize=16)
def _chat_name(model: str) -> bytes:
    return wire.name_and_kind(f"chat {model}", wire.CLIENT)
