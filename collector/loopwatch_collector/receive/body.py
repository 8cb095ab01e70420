"""A request's body: read, decompressed and bounded on both sides."""

import zlib
from typing import Final, Protocol

from isal import isal_zlib
from starlette.requests import Request

from loopwatch_collector.errors import RequestRefused, TooLarge, Unsupported

_PORTION: Final = 1 << 20
_WINDOW: Final = {"gzip": 31, "deflate": 15}  # zlib's wbits: 31 = gzip header, 15 = zlib header


async def read(request: Request, max_bytes: int) -> bytes:
    """Reads a body as it was sent.

    Args:
        request: the request.
        max_bytes: its cap.

    Returns:
        The bytes, still compressed.

    Raises:
        TooLarge: it is longer.
    """
    portions: list[bytes] = []
    size = 0
    async for portion in request.stream():
        size += len(portion)
        if size > max_bytes:
            raise TooLarge(f"the body is over {max_bytes} bytes; send smaller batches")
        portions.append(portion)
    return portions[0] if len(portions) == 1 else b"".join(portions)


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Undoes a content encoding.

    Args:
        body: the bytes as sent.
        encoding: the header's value: "", "identity", "gzip" or "deflate".
        max_bytes: cap on the result; decompression stops there, so that a bomb costs no more.

    Returns:
        The decompressed bytes.

    Raises:
        Unsupported: the encoding is another one.
        TooLarge: the result would exceed the cap.
        RequestRefused: the bytes are not of that encoding.
    """
    if encoding in {"", "identity"}:
        return body
    if encoding not in _WINDOW:
        raise Unsupported(f"the content encoding '{encoding[:40]}' is not read here; use gzip, deflate or none")
    try:
        return _inflate(body, _WINDOW[encoding], max_bytes)
    except (isal_zlib.IsalError, zlib.error) as fault:
        raise RequestRefused(f"the body is not {encoding}: {fault}") from fault


class _Decompressor(Protocol):
    eof: bool
    unused_data: bytes
    unconsumed_tail: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _inflate(body: bytes, window: int, max_bytes: int) -> bytes:
    portions: list[bytes] = []
    left = max_bytes
    rest = body
    while rest:
        decompressor: _Decompressor = isal_zlib.decompressobj(wbits=window)
        while not decompressor.eof and rest:
            portion = decompressor.decompress(rest, left + 1)
            left -= len(portion)
            if left < 0:
                raise TooLarge(f"the decompressed body is over {max_bytes} bytes; send smaller batches")
            portions.append(portion)
            rest = decompressor.unconsumed_tail
        if not decompressor.eof:
            raise RequestRefused("the compressed body ends too early")
        rest = decompressor.unused_data if window == _WINDOW["gzip"] else b""  # gzip members may follow each other
    return b"".join(portions)
