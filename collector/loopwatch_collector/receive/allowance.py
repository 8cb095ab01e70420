"""How much memory the requests being received may take together, whatever arrives.

A body is small next to what it can become: gzip packs a thousand to one, and an empty span of two bytes is 190 in
memory once parsed (measured; the worst of the protobuf's elements). So each stage of a request is counted before
it is entered: the bytes as they come in, what they decompress to, and an estimate of what parsing makes of them.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from loopwatch_collector.errors import TooLarge, Unavailable

_CONTROL_BYTES: Final = bytes(range(0x20))
_BYTES_PER_CONTROL_BYTE: Final = 96
# Odd, so that a body made of equal pairs of bytes is seen in both phases.
_STRIDE: Final = 17
_EXACT_BYTES: Final = 64 * 2**10
_BYTES_PER_BRACE: Final = 280
_BYTES_PER_COMMA: Final = 64


class Allowance:
    """The memory of all requests together.

    Args:
        max_bytes: its bound.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held_bytes = 0
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """What is held now."""
        return self._held_bytes

    @contextmanager
    def hold(self) -> Generator["Hold"]:
        """One request's share, given back when the block is left."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            self._change(-hold.size)

    def take(self, size: int, already: int) -> None:
        """Takes more for one request.

        Args:
            size: bytes more.
            already: what this request holds.

        Raises:
            TooLarge: it alone would need more than there ever is.
            Unavailable: others hold too much just now.
        """
        if already + size > self._max_bytes:
            raise TooLarge(f"this request needs over {self._max_bytes >> 20} MiB once decoded; send smaller batches")
        self._change(size)

    def _change(self, size: int) -> None:
        with self._lock:
            if size > 0 and self._held_bytes + size > self._max_bytes:
                raise Unavailable("too much is being received at once; send again in a moment")
            self._held_bytes += size


class Hold:
    """What one request holds of an allowance."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self.size = 0

    def add(self, size: int) -> None:
        """Counts more memory in before it is taken; see Allowance.take for what it raises."""
        self._allowance.take(size, self.size)
        self.size += size


def protobuf_memory_bytes(raw: bytes) -> int:
    """Estimates what a protobuf body takes once parsed; above the truth but for a few percent.

    What multiplies is many small elements, and each of those has its length, and mostly its tag, below 32: bytes
    that hardly occur in text. They are counted, in a large body by a sample.

    Args:
        raw: the decompressed body.

    Returns:
        Bytes.
    """
    sample = raw if len(raw) <= _EXACT_BYTES else raw[::_STRIDE]
    control_bytes = len(sample) - len(sample.translate(None, _CONTROL_BYTES))
    return len(raw) + _BYTES_PER_CONTROL_BYTE * control_bytes * len(raw) // max(len(sample), 1)


def json_memory_bytes(raw: bytes) -> int:
    """The same for a JSON body, which is parsed twice: into Python values, and from them into a message."""
    braces = raw.count(b"{") + raw.count(b"[")
    return 2 * len(raw) + _BYTES_PER_BRACE * braces + _BYTES_PER_COMMA * raw.count(b",")
