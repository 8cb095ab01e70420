"""Bodies decompressed within their bound."""

import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwatch_collector.compression import decompress
from loopwatch_collector.errors import RequestRefused, TooLarge, Unsupported

MEBIBYTE = 2**20


@given(st.binary(max_size=5_000))
def test_encodings_round_trip(body: bytes) -> None:
    """Each of gzip, deflate and none gives back what was compressed."""
    assert decompress(body, "", MEBIBYTE) == body
    assert decompress(gzip.compress(body), "gzip", MEBIBYTE) == body
    assert decompress(zlib.compress(body), "deflate", MEBIBYTE) == body


@given(st.binary(min_size=1, max_size=5_000), st.integers(1, 9))
@settings(deadline=None)
def test_bare_deflate_is_read_too(body: bytes, level: int) -> None:
    """Senders that leave zlib's header away are understood as well, as browsers do."""
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    assert decompress(stream.compress(body) + stream.flush(), "deflate", MEBIBYTE) == body


def test_joined_gzip_members_are_one_body() -> None:
    """Gzip allows members to follow each other; together they are the body."""
    assert decompress(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip", MEBIBYTE) == b"one two"


def test_bomb_stops_at_the_cap() -> None:
    """A body that would grow a thousandfold is refused at the cap."""
    bomb = gzip.compress(b"\x00" * 64 * MEBIBYTE)
    with pytest.raises(TooLarge):
        decompress(bomb, "gzip", MEBIBYTE)


def test_exact_cap_passes() -> None:
    """A body of exactly the cap is within it."""
    assert len(decompress(gzip.compress(b"x" * MEBIBYTE), "gzip", MEBIBYTE)) == MEBIBYTE


@given(st.binary(min_size=1, max_size=200))
def test_noise_is_refused_not_crashed_on(noise: bytes) -> None:
    """Bytes that are no gzip are refused, whatever they are."""
    try:
        decompress(noise, "gzip", MEBIBYTE)
    except RequestRefused:
        return
    assert noise[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("cut", [1, 10, 15, -1])
def test_cut_body_is_refused(cut: int) -> None:
    """A compressed body that ends too early is refused, not taken for a shorter one."""
    with pytest.raises(RequestRefused):
        decompress(gzip.compress(b"something worth keeping")[:cut], "gzip", MEBIBYTE)


def test_unknown_encoding_is_named() -> None:
    """An encoding we do not read is 415 and says which are."""
    with pytest.raises(Unsupported, match="br"):
        decompress(b"", "br", MEBIBYTE)
