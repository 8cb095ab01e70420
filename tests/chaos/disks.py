"""Disks that fill up, refuse and recover when a trial says so."""

import os
import resource
import stat
import subprocess
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

IS_ROOT = os.geteuid() == 0
_PIECE_BYTES = 1 << 16


Refusing = Callable[[int], AbstractContextManager[None]]


class SmallDisk:
    """A directory on a disk of its own size.

    Args:
        folder: the mount point.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leaves no byte free; never on the machine's own disk, should the mount be gone."""
        if not os.path.ismount(self.folder):
            raise AssertionError(f"{self.folder} is not a disk of its own")
        with self._filler.open("ab", buffering=0) as filler:
            for size in (_PIECE_BYTES, 1):
                _write_until_full(filler.fileno(), size)

    def free(self) -> None:
        """Gives the room back."""
        self._filler.unlink(missing_ok=True)


def _write_until_full(descriptor: int, size: int) -> None:
    piece = b"\0" * size
    try:
        while os.write(descriptor, piece):
            pass
    except OSError:
        return


class Room(NamedTuple):
    """A place for data that can be made to refuse.

    Attributes:
        path: the directory.
        full: while it is entered, nothing can be written there; it takes the id of the process that tries.
        is_disk: whether it is a disk of its own; a quota also keeps the engine from files it reads by way of.
    """

    path: Path
    full: Refusing
    is_disk: bool


@contextmanager
def data_room(folder: Path, mib: int) -> Generator[Room]:
    """For journal and store: a small disk, or without root a quota on what the process's files may grow to."""
    if IS_ROOT:
        with _small_disk(folder, mib) as disk:
            yield Room(folder / "data", _refusing_disk(disk), is_disk=True)
        return
    folder.mkdir(parents=True)
    yield Room(folder, _no_file_grows, is_disk=False)


@contextmanager
def engine_room(folder: Path, mib: int) -> Generator[Room]:
    """For the store alone: a small disk, or without root directories that take no new file."""
    if IS_ROOT:
        with _small_disk(folder, mib) as disk:
            yield Room(folder / "store", _refusing_disk(disk), is_disk=True)
        return
    folder.mkdir(parents=True)
    yield Room(folder / "store", _frozen_tree(folder), is_disk=False)


@contextmanager
def _small_disk(folder: Path, mib: int) -> Generator[SmallDisk]:
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _refusing_disk(disk: SmallDisk) -> Refusing:
    @contextmanager
    def full(_process_id: int) -> Generator[None]:
        disk.fill()
        try:
            yield
        finally:
            disk.free()

    return full


@contextmanager
def _no_file_grows(process_id: int) -> Generator[None]:
    before = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(folder: Path) -> Generator[None]:
    """A directory nobody may write: mounted so for root, whom permissions do not bind."""
    if IS_ROOT:
        subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        yield
    finally:
        folder.chmod(stat.S_IRWXU)


def _frozen_tree(folder: Path) -> Refusing:
    @contextmanager
    def frozen(_process_id: int) -> Generator[None]:
        directories = [Path(path) for path, _, _ in os.walk(folder)]
        for directory in directories:
            directory.chmod(stat.S_IRUSR | stat.S_IXUSR)
        try:
            yield
        finally:
            for directory in directories:
                directory.chmod(stat.S_IRWXU)

    return frozen
