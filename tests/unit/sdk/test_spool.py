"""The spool by itself: order, bounds, locks and leftovers."""

import os
import time
from pathlib import Path

import pytest

from loopwatch.spool import METRICS, TRACES, Spool


def test_batches_come_back_in_order_with_what_they_are(tmp_path: Path) -> None:
    """Oldest first, each with its kind and how many spans it holds."""
    spool = Spool(tmp_path / "s", 1_000_000)
    for number in range(12):
        entry, dropped = spool.put(bytes([number]) * 3, TRACES if number % 2 else METRICS, number)
        entry.release()
        assert dropped == 0
    found = [(entry.read(), entry.kind, entry.spans) for entry in spool.claim()]
    assert found == [(bytes([n]) * 3, TRACES if n % 2 else METRICS, n) for n in range(12)]


def test_batch_that_is_held_is_claimed_by_nobody_else(tmp_path: Path) -> None:
    """The one who sends holds the lock; released, it is anybody's; removed, it is gone."""
    spool, other = Spool(tmp_path, 1_000_000), Spool(tmp_path, 1_000_000)
    held, _ = spool.put(b"x", TRACES, 1)
    assert list(other.claim()) == []
    assert not other.is_empty()
    held.release()
    (claimed,) = other.claim()
    assert list(spool.claim()) == []
    claimed.remove()
    assert spool.is_empty()


def test_oldest_give_way_at_the_bound(tmp_path: Path) -> None:
    """What gives way is counted; what somebody is sending is left alone."""
    spool = Spool(tmp_path, 100)
    first, _ = spool.put(b"x" * 40, TRACES, 5)
    second, _ = spool.put(b"y" * 40, TRACES, 7)
    second.release()
    third, dropped = spool.put(b"z" * 40, TRACES, 9)
    assert dropped == 7
    third.release()
    first.release()
    assert [entry.spans for entry in spool.claim()] == [5, 9]


def test_halves_and_strangers_are_not_batches(tmp_path: Path) -> None:
    """A half-written file is never sent and swept away when it is old; other files are left alone."""
    spool = Spool(tmp_path, 1_000)
    half, stranger = tmp_path / ".0-1-1-traces-3.otlp", tmp_path / "notes.otlp"
    half.write_bytes(b"half")
    stranger.write_bytes(b"?")
    assert list(spool.claim()) == []
    spool.sweep()
    assert half.exists()
    old = time.time() - 7200
    os.utime(half, (old, old))
    spool.sweep()
    assert not half.exists()
    assert stranger.exists()


def test_empty_without_a_directory(tmp_path: Path) -> None:
    """Looking makes no directory."""
    spool = Spool(tmp_path / "never", 1_000)
    assert spool.is_empty()
    assert list(spool.claim()) == []
    spool.sweep()
    assert not (tmp_path / "never").exists()


def test_disk_fault_is_the_callers_to_see(tmp_path: Path) -> None:
    """A spool that cannot be written raises OSError and leaves no half."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Spool(tmp_path / "file" / "below", 1_000).put(b"x", TRACES, 1)
