"""What an ended model call used, read from its attributes, whoever wrote them."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from loopwatch import names

_MODEL_OPERATIONS: Final = frozenset({"chat", "generate_content", "text_completion"})
_INPUT: Final = (names.INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_OUTPUT: Final = (names.OUTPUT_TOKENS, "gen_ai.usage.completion_tokens", "llm.token_count.completion")


class Usage(NamedTuple):
    """Tokens of one model call; the response id tells spans of the same call apart from others."""

    response_id: str
    input_tokens: int
    output_tokens: int


def read(attributes: Mapping[str, Any]) -> Usage | None:
    """Returns what a model call used, or None if these are not a model call's attributes."""
    operation = attributes.get(names.OPERATION_NAME)
    if operation not in _MODEL_OPERATIONS and attributes.get("openinference.span.kind") != "LLM":
        return None
    return Usage(str(attributes.get(names.RESPONSE_ID, "")), _first(attributes, _INPUT), _first(attributes, _OUTPUT))


def _first(attributes: Mapping[str, Any], candidates: tuple[str, ...]) -> int:
    for name in candidates:
        value = attributes.get(name)
        if isinstance(value, (int, float)):
            return int(value)
    return 0
