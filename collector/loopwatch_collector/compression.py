"""Content encodings undone within a bound."""

import zlib
from typing import Any, Final

from isal import isal_zlib

from loopwatch_collector.errors import RequestRefused, TooLarge, Unsupported

_WBITS: Final = {"gzip": 31, "deflate": 15}  # 31: a gzip header, 15: a zlib header
_BARE: Final = -15
_DEFLATE: Final = 8  # the method in a zlib header's first byte; the header's two bytes are a multiple of 31
_ISAL_ERROR: Final[Any] = isal_zlib.IsalError  # its stub calls it an instance
_ERRORS: Final[tuple[type[Exception], ...]] = (_ISAL_ERROR, zlib.error)


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
    if encoding not in _WBITS:
        raise Unsupported(f"the content encoding '{encoding[:40]}' is not read here; use gzip, deflate or none")
    try:
        return _inflate(body, _wbits(body, encoding), max_bytes)
    except _ERRORS as fault:
        raise RequestRefused(f"the body is not {encoding}: {fault}") from fault


def _wbits(body: bytes, encoding: str) -> int:
    """HTTP's deflate is zlib's format, but senders have always sent the bare stream as well."""
    is_bare = encoding == "deflate" and (body[:1] == b"" or body[0] & 0x0F != _DEFLATE or int.from_bytes(body[:2]) % 31)
    return _BARE if is_bare else _WBITS[encoding]


def _inflate(body: bytes, wbits: int, max_bytes: int) -> bytes:
    portions: list[bytes] = []
    left = max_bytes
    rest = body
    while rest:
        stream: Any = isal_zlib.decompressobj(wbits=wbits)  # pyright: ignore[reportUnknownMemberType]  # isal's stub
        while not stream.eof and rest:
            portion: bytes = stream.decompress(rest, left + 1)
            left -= len(portion)
            if left < 0:
                raise TooLarge(f"the decompressed body is over {max_bytes} bytes; send smaller batches")
            portions.append(portion)
            rest = stream.unconsumed_tail
        if not stream.eof:
            raise RequestRefused("the compressed body ends too early")
        rest = stream.unused_data if wbits == _WBITS["gzip"] else b""  # gzip members may follow each other
    return portions[0] if len(portions) == 1 else b"".join(portions)
