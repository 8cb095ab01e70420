"""Content split into single messages, each stored once per trace.

Agent loops send their whole history again with each turn; by hash, a message is kept once however often it is sent.
"""

import hashlib
from typing import Any, Final

import orjson

from loopwatch_collector.write.values import json_text

MAX_BODY_CHARS: Final = 1_000_000
_DAY_NS: Final = 86_400 * 10**9

ContentKey = tuple[str, bytes, int, int]
"""Project, trace id, hash, day since the epoch."""


class Contents:
    """The bodies of one batch, each once.

    Args:
        known: keys that are surely in the store already.
    """

    def __init__(self, known: set[ContentKey]) -> None:
        self._known = known
        self.bodies: dict[ContentKey, str] = {}

    def add(self, project: str, trace_id: bytes, start_ns: int, body: str) -> int:
        """Adds one body.

        Args:
            project: whose it is.
            trace_id: the trace that said it; bodies are never shared across traces.
            start_ns: the span's start, which decides the partition.
            body: the text.

        Returns:
            Its hash, as `content_hashes` refers to it.
        """
        if len(body) > MAX_BODY_CHARS:
            body = f"{body[:MAX_BODY_CHARS]}… ({len(body) - MAX_BODY_CHARS} characters were left out)"
        digest = content_hash(body)
        key = (project, trace_id, digest, start_ns // _DAY_NS)
        if key not in self._known:
            self.bodies[key] = body
        return digest

    def rows(self) -> list[list[Any]]:
        """Rows in the order of CONTENT_COLUMNS."""
        return [[project, trace, digest, day, body] for (project, trace, digest, day), body in self.bodies.items()]


def content_hash(body: str) -> int:
    """8 bytes of BLAKE2b, as an unsigned integer."""
    digest = hashlib.blake2b(body.encode("utf-8", "surrogatepass"), digest_size=8, usedforsecurity=False).digest()
    return int.from_bytes(digest, "big")


def messages_of(text: str) -> list[str]:
    """Splits a JSON array into its elements, as compact JSON; anything else stays one body.

    Args:
        text: an attribute's content.

    Returns:
        The bodies, in order.
    """
    if not text.startswith("["):
        return [text]
    try:
        elements = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [text]
    return [json_text(element) for element in elements] or [text]
