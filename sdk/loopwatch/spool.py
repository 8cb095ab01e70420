"""Batches on disk that the collector could not take: bounded, private, shared by processes, sent in order.

One file per batch, named so that sorting is the order of writing. A file appears whole (written beside, then
renamed) and whoever sends it holds its lock, which the system gives back when that process dies: a batch is
sent once as long as the collector answers. No fsync: what was handed to the system survives the death of the process,
and a power cut is not what an agent's process pays milliseconds for.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows: two processes may then send the same batch, which the collector counts once
    fcntl = None

_SUFFIX: Final = ".otlp"
TRACES: Final = "traces"
METRICS: Final = "metrics"


@dataclass(slots=True)
class Entry:
    """One batch on disk, locked by us while `descriptor` is open."""

    path: Path
    kind: str
    spans: int
    descriptor: int

    def read(self) -> bytes:
        """Returns the batch, compressed as it was sent."""
        size = os.fstat(self.descriptor).st_size
        return os.pread(self.descriptor, size, 0)

    def remove(self) -> None:
        """Deletes the batch: it was delivered, or cannot be."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Gives the batch back for anyone to send."""
        if self.descriptor >= 0:
            if fcntl is not None:
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)  # closing is not enough: a forked child may hold a copy
            self.abandon()

    def abandon(self) -> None:
        """Closes our copy of the file, and leaves the lock to whoever has another."""
        os.close(self.descriptor)
        self.descriptor = -1


class Spool:
    """A directory of batches for one collector and key.

    Args:
        directory: made when first needed, readable by its owner only.
        max_bytes: past it the oldest batches go.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._count = 0

    def put(self, body: bytes, kind: str, spans: int) -> tuple[Entry, int]:
        """Writes one batch and keeps its lock.

        Args:
            body: the compressed request.
            kind: "traces" or "metrics".
            spans: how many spans it holds.

        Returns:
            The batch, locked, and how many spans of older batches gave way to it.

        Raises:
            OSError: the disk takes nothing.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        dropped = self._make_room(len(body))
        self._count += 1
        name = f"{time.time_ns():020d}-{os.getpid()}-{self._count}-{kind}-{spans}{_SUFFIX}"
        path, beside = self._directory / name, self._directory / f".{name}"
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _lock(descriptor)
            _write_whole(descriptor, body)
            beside.rename(path)
        except OSError:
            os.close(descriptor)
            beside.unlink(missing_ok=True)
            raise
        return Entry(path, kind, spans, descriptor), dropped

    def _make_room(self, needed: int) -> int:
        """Deletes the oldest batches that nobody is sending until the new one fits; returns their spans."""
        sizes = [(path, _size(path)) for path in self._paths()]
        excess = sum(size for _, size in sizes) + needed - self._max_bytes
        dropped = 0
        for path, size in sizes:
            if excess <= 0:
                break
            entry = _claim(path)
            if entry is not None:
                excess -= size
                dropped += entry.spans
                entry.remove()
        return dropped

    def claim(self) -> Iterator[Entry]:
        """Yields the batches that nobody else is sending, oldest first, each locked by us."""
        for path in self._paths():
            entry = _claim(path)
            if entry is not None:
                yield entry

    def is_empty(self) -> bool:
        """Whether no batch waits."""
        return not self._paths()

    def _paths(self) -> list[Path]:
        try:
            found = [entry.name for entry in os.scandir(self._directory)]
        except OSError:  # not there yet, or not for us to read: writing to it will say so
            return []
        return [self._directory / name for name in sorted(found) if name.endswith(_SUFFIX) and name[0] != "."]

    def sweep(self, older_than_s: float = 3600.0) -> None:
        """Deletes halves left by processes that died while writing."""
        try:
            halves = [Path(entry.path) for entry in os.scandir(self._directory) if entry.name.startswith(".")]
        except OSError:
            return
        for half in halves:
            if time.time() - _changed(half) > older_than_s:
                half.unlink(missing_ok=True)


def _claim(path: Path) -> Entry | None:
    """Locks a batch; None if somebody else has it or it is gone."""
    try:
        _, _, _, kind, spans = path.name.removesuffix(_SUFFIX).split("-")
        descriptor = os.open(path, os.O_RDWR)
    except (ValueError, OSError):
        return None
    try:
        _lock(descriptor)
        if os.fstat(descriptor).st_nlink:  # it may have been sent between the listing and the lock
            return Entry(path, kind, int(spans), descriptor)
    except (ValueError, OSError):
        pass
    os.close(descriptor)
    return None


def _lock(descriptor: int) -> None:
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write_whole(descriptor: int, body: bytes) -> None:
    view = memoryview(body)
    while view:
        view = view[os.write(descriptor, view) :]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
