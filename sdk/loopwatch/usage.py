"""What an ended model call used, read from its attributes, whoever wrote them."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from loopwatch import names

_MODEL_OPERATIONS: Final = frozenset({"chat", "generate_content", "text_completion"})
_INPUT: Final = (names.INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_OUTPUT: Final = (names.OUTPUT_TOKENS, "gen_ai.usage.completion_tokens", "llm.token_count.completion")
_MODEL: Final = (names.RESPONSE_MODEL, names.REQUEST_MODEL, "llm.model_name")
_PROVIDER: Final = (names.PROVIDER_NAME, "gen_ai.system", "llm.provider")
_CACHE_READ: Final = (names.CACHE_READ_TOKENS, "gen_ai.usage.cache_read_input_tokens")
_CACHE_WRITE: Final = (
    names.CACHE_WRITE_TOKENS,
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
)


class Usage(NamedTuple):
    """Tokens of one model call; the response id tells spans of the same call apart from others."""

    response_id: str
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int


def is_model_call(attributes: Mapping[str, Any]) -> bool:
    """Whether these are a model call's attributes."""
    return (
        attributes.get(names.OPERATION_NAME) in _MODEL_OPERATIONS or attributes.get("openinference.span.kind") == "LLM"
    )


def model_of(attributes: Mapping[str, Any]) -> tuple[str, str]:
    """Returns a model call's provider and model."""
    return _text(attributes, _PROVIDER), _text(attributes, _MODEL)


def read(attributes: Mapping[str, Any]) -> Usage | None:
    """Returns what a model call used, or None if these are not a model call's attributes."""
    if not is_model_call(attributes):
        return None
    provider, model = model_of(attributes)
    return Usage(
        str(attributes.get(names.RESPONSE_ID, "")),
        provider,
        model,
        _number(attributes, _INPUT),
        _number(attributes, _OUTPUT),
        _number(attributes, _CACHE_READ),
        _number(attributes, _CACHE_WRITE),
        _number(attributes, (names.ANTHROPIC_CACHE_WRITE_1H_TOKENS,)),
        _number(attributes, (names.REASONING_TOKENS,)),
    )


def _number(attributes: Mapping[str, Any], candidates: tuple[str, ...]) -> int:
    for name in candidates:
        if name in attributes:
            value = attributes[name]
            return int(value) if isinstance(value, (int, float)) else 0
    return 0


def _text(attributes: Mapping[str, Any], candidates: tuple[str, ...]) -> str:
    for name in candidates:
        value = attributes.get(name)
        if value:
            return str(value)
    return ""
