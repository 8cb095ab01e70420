"""Token counts under one definition: input includes what was cached, output includes reasoning.

The conventions (and Anthropic's own spans) count so; Anthropic's raw usage, Langfuse's usage_details and Claude
Code leave cached tokens out of input.
"""

from typing import Any, Final

from loopwatch_collector.write.aliases import SLOTS
from loopwatch_collector.write.values import count_of

_INPUT: Final = SLOTS["input_tokens"]
_OUTPUT: Final = SLOTS["output_tokens"]
_READ: Final = SLOTS["cache_read_tokens"]
_WRITE: Final = SLOTS["cache_write_tokens"]
_WRITE_5M: Final = SLOTS["cache_write_5m_tokens"]
_WRITE_1H: Final = SLOTS["cache_write_1h_tokens"]
_REASONING: Final = SLOTS["reasoning_tokens"]
_DIALECT: Final = SLOTS["dialect"]
_SEARCHES: Final = SLOTS["web_search_requests"]
_TOTAL: Final = SLOTS["total_tokens"]
_JSON_SLOTS: Final = tuple(
    SLOTS[name]
    for name in (
        "usage_details", "raw_usage", "provider_metadata", "token_details", "output_token_details", "chat_usage",
        "answer_usage",
    )
)  # fmt: skip
# These give input with cached tokens, as the attributes do; the others hold the API's own numbers, without.
_INCLUSIVE: Final = frozenset({SLOTS["token_details"], SLOTS["output_token_details"], SLOTS["chat_usage"]})
# JSON objects spell the same numbers in as many ways; first present wins.
_JSON_NAMES: Final[dict[int, tuple[str, ...]]] = {
    _READ: (
        "cache_read_input_tokens", "input_cached_tokens", "cache_read", "cached_tokens", "cacheReadInputTokens",
        "cachedContentTokens",
    ),
    _WRITE: ("cache_creation_input_tokens", "input_cache_creation", "cache_creation", "cacheCreationInputTokens"),
    _WRITE_5M: ("ephemeral_5m_input_tokens", "input_cache_creation_5m"),
    _WRITE_1H: (
        "ephemeral_1h_input_tokens", "input_cache_creation_1h", "cache_creation_input_tokens_above_1hr",
    ),
    _REASONING: ("reasoning_tokens", "thinking_tokens", "output_reasoning_tokens", "reasoning"),
    _INPUT: ("input_tokens", "input", "prompt_tokens", "inputTokens"),
    _OUTPUT: ("output_tokens", "output", "completion_tokens", "outputTokens"),
    _SEARCHES: ("web_search_requests",),
}  # fmt: skip


def complete(row: list[Any], ranks: dict[int, int]) -> None:
    """Brings the token columns of a row in the making under the one definition.

    Args:
        row: the row; its dialect is known.
        ranks: which slots an attribute filled; those filled here are added.
    """
    is_exclusive = row[_DIALECT] == "claude_code"
    for slot in _JSON_SLOTS:
        if row[slot]:
            is_exclusive |= _fill(row, ranks, _leaves(row[slot])) and slot not in _INCLUSIVE
    _split_writes(row)
    cached = row[_READ] + row[_WRITE_5M] + row[_WRITE_1H]
    if is_exclusive or cached > row[_INPUT]:
        row[_INPUT] += cached
    if row[_TOTAL] and (_INPUT not in ranks or _OUTPUT not in ranks):
        _split_total(row, ranks)
    row[_REASONING] = min(row[_REASONING], row[_OUTPUT]) if row[_OUTPUT] else row[_REASONING]


def _split_total(row: list[Any], ranks: dict[int, int]) -> None:
    """What only the total tells: the other part, or all of it as input, as for embeddings."""
    total = row[_TOTAL]
    if _INPUT in ranks:
        row[_OUTPUT] = max(0, total - row[_INPUT])
    else:
        row[_INPUT] = max(row[_INPUT], total - row[_OUTPUT])


def _leaves(found: dict[str, Any]) -> dict[str, int]:
    leaves: dict[str, int] = {}
    pending = [found]
    while pending:
        for key, value in pending.pop().items():
            if isinstance(value, dict):
                pending.append(value)  # pyright: ignore[reportUnknownArgumentType]  # JSON of any shape
            elif (number := count_of(value)) is not None:
                leaves.setdefault(key, number)
    return leaves


def _fill(row: list[Any], ranks: dict[int, int], leaves: dict[str, int]) -> bool:
    """Fills what no attribute gave; tells whether its input leaves cached tokens out."""
    filled_input = False
    for slot, spellings in _JSON_NAMES.items():
        found = next((leaves[name] for name in spellings if name in leaves), None)
        if found is not None and slot not in ranks:
            row[slot] = found
            ranks[slot] = 99
            filled_input |= slot == _INPUT
    return filled_input


def _split_writes(row: list[Any]) -> None:
    # A total without a split is taken for five-minute writes, the API's default lifetime.
    total = row[_WRITE] or 0
    row[_WRITE_5M] += max(0, total - row[_WRITE_5M] - row[_WRITE_1H])
