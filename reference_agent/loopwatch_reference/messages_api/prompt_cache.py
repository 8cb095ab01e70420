"""The prompt cache: a prefix that was written is read by the next request that begins with it.

As documented for the real API: the order is tools, system, messages; up to four blocks carry `cache_control`;
each marks the end of a prefix; a lookup goes back at most 20 blocks from a mark; a prefix shorter than the
model's minimum is not cached; entries live five minutes (or an hour with ttl "1h"), renewed by use.
"""

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from loopwatch_reference.messages_api.tokens import count_block

_LIFETIMES_S = {"5m": 300.0, "1h": 3600.0}
_LOOK_BACK_BLOCKS = 20
_MINIMUM_TOKENS = {"claude-haiku-4-5": 4096, "claude-opus-4-5": 4096}
_DEFAULT_MINIMUM_TOKENS = 1024


class PromptBlock(NamedTuple):
    """One block of the prompt, in prompt order.

    Attributes:
        digest: of the model and everything up to and including this block.
        tokens: of everything up to and including this block.
        ttl: "5m" or "1h" when the block ends a prefix to cache, else None.
    """

    digest: str
    tokens: int
    ttl: str | None


class CacheUse(NamedTuple):
    """How the tokens of one prompt split; the three kinds add up to the whole prompt."""

    uncached: int
    read: int
    written_5m: int
    written_1h: int

    @property
    def written(self) -> int:
        """Tokens written, whatever their lifetime."""
        return self.written_5m + self.written_1h


def prompt_blocks(request: dict[str, Any]) -> list[PromptBlock]:
    """Lists the blocks of a request's prompt with running digests and token counts.

    Args:
        request: the body of the request, already validated.
    """
    running = hashlib.sha256(request["model"].encode())
    blocks: list[PromptBlock] = []
    tokens = 0
    for scope, block in _content(request):
        bare, ttl = _without_mark(block)
        running.update(f"{scope}{json.dumps(bare, sort_keys=True)}".encode())
        tokens += count_block(bare)
        blocks.append(PromptBlock(running.hexdigest(), tokens, ttl))
    return blocks


def _content(request: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("tool", tool) for tool in request.get("tools") or []]
    found += [("system", block) for block in _as_blocks(request.get("system") or [])]
    for message in request["messages"]:
        found += [(message["role"], block) for block in _as_blocks(message["content"])]
    return found


def _as_blocks(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _without_mark(block: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    mark = block.get("cache_control")
    if mark is None:
        return block, None
    return {key: value for key, value in block.items() if key != "cache_control"}, mark.get("ttl", "5m")


class PromptCache:
    """What was written, and until when.

    Args:
        clock: returns seconds; only differences matter.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._expiries: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def use(self, model: str, blocks: list[PromptBlock]) -> CacheUse:
        """Looks the prompt up, writes what it marks, and says how its tokens split."""
        total = blocks[-1].tokens if blocks else 0
        marks = [index for index, block in enumerate(blocks) if block.ttl]
        with self._lock:
            read = self._read(blocks, marks)
            written = self._write(blocks, marks, read, minimum_tokens(model))
        end = max(read, written[-1] if written else 0)
        by_ttl = {"5m": 0, "1h": 0}
        start = read
        for index in marks:
            if blocks[index].tokens in written:
                by_ttl[blocks[index].ttl or "5m"] += blocks[index].tokens - start
                start = blocks[index].tokens
        return CacheUse(total - end, read, by_ttl["5m"], by_ttl["1h"])

    def _read(self, blocks: list[PromptBlock], marks: list[int]) -> int:
        now = self._clock()
        for mark in reversed(marks):
            for index in range(mark, max(-1, mark - _LOOK_BACK_BLOCKS), -1):
                entry = self._expiries.get(blocks[index].digest)
                if entry is not None and entry[0] > now:
                    self._expiries[blocks[index].digest] = (now + _LIFETIMES_S[entry[1]], entry[1])
                    return blocks[index].tokens
        return 0

    def _write(self, blocks: list[PromptBlock], marks: list[int], read: int, minimum: int) -> list[int]:
        now = self._clock()
        written: list[int] = []
        for index in marks:
            block = blocks[index]
            if block.tokens > read and block.tokens >= minimum and block.ttl:
                self._expiries[block.digest] = (now + _LIFETIMES_S[block.ttl], block.ttl)
                written.append(block.tokens)
        return written


def minimum_tokens(model: str) -> int:
    """The shortest prefix that the model caches."""
    return next((least for name, least in _MINIMUM_TOKENS.items() if model.startswith(name)), _DEFAULT_MINIMUM_TOKENS)
