"""Token counts: an estimate from the length, steady and monotone, not a tokenizer."""

import json
from typing import Any

_CHARACTERS_PER_TOKEN = 3.6
_BLOCK_OVERHEAD = 4


def count_text(text: str) -> int:
    """Estimates the tokens of a text; 0 only for an empty one."""
    return -int(-len(text) // _CHARACTERS_PER_TOKEN)


def count_block(block: Any) -> int:
    """Estimates the tokens of any JSON value, its envelope included."""
    text = block if isinstance(block, str) else json.dumps(block, sort_keys=True, ensure_ascii=False)
    return count_text(text) + _BLOCK_OVERHEAD
