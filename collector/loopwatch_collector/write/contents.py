"""Content split into single messages, each stored once per trace.

Agent loops send their whole history again with each turn; by hash, a message is kept once however often it is sent.
"""

from hashlib import blake2b
from typing import Any, Final

import orjson
from xxhash import xxh3_64_intdigest

MAX_BODY_BYTES: Final = 1_000_000
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
        self.bodies: dict[ContentKey, bytes] = {}

    def add(self, project: str, trace_id: bytes, start_ns: int, body: bytes) -> int:
        """Adds one body.

        Args:
            project: whose it is.
            trace_id: the trace that said it; bodies are never shared across traces.
            start_ns: the span's start, which decides the partition.
            body: the text, UTF-8.

        Returns:
            Its hash, as `content_hashes` refers to it.
        """
        if len(body) > MAX_BODY_BYTES:
            body = _cut(body)
        digest = content_hash(body)
        key = (project, trace_id, digest, start_ns // _DAY_NS)
        if key not in self._known:
            self.bodies[key] = body
        return digest

    def rows(self) -> list[list[Any]]:
        """Rows in the order of CONTENT_COLUMNS."""
        return [[*key, body] for key, body in self.bodies.items()]  # a key is the columns before the body


def content_hash(body: bytes) -> int:
    """What tells bodies of one trace apart: XXH3 with 64 bits, a fifth of what a cryptographic hash takes.

    Who makes two bodies of equal hash spoils a trace of their own and no other.
    """
    return xxh3_64_intdigest(body)


def identity_hash(body: bytes) -> int:
    """What rows that may be sent again are known by: 8 bytes of BLAKE2b, as an unsigned integer."""
    return int.from_bytes(blake2b(body, digest_size=8, usedforsecurity=False).digest(), "big")


def messages_of(body: bytes) -> list[bytes]:
    """Splits a JSON array into its elements, as compact JSON; anything else stays one body.

    Args:
        body: an attribute's content, UTF-8.

    Returns:
        The bodies, in order.
    """
    if not body.startswith(b"["):
        return [body]
    try:
        elements = orjson.loads(body)
        written = [element.encode() if isinstance(element, str) else orjson.dumps(element) for element in elements]
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # the second: it is nested deeper than can be written
        return [body]
    return written or [body]


def _cut(body: bytes) -> bytes:
    left_out = len(body) - MAX_BODY_BYTES
    return body[:MAX_BODY_BYTES].decode("utf-8", "ignore").encode() + f"… ({left_out} bytes were left out)".encode()
