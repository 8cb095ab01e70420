"""One data directory, one collector: the lock that says who has it."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from loopwatch_collector.errors import CannotStart


class DataDirectoryLock:
    """Holds a data directory while it is open; the system frees it when the process dies, however it dies.

    Args:
        data_dir: the directory, which must exist.

    Raises:
        CannotStart: another process holds it, or it cannot be written.
    """

    def __init__(self, data_dir: Path) -> None:
        path = data_dir / "lock"
        try:
            self._file = path.open("a+", encoding="utf-8")
        except OSError as fault:
            raise CannotStart(f"cannot write {path}: {fault.strerror}; make the directory writable") from fault
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            holder = self._holder()
            self._file.close()
            raise CannotStart(
                f"the data directory {data_dir} is held by the collector with process id {holder}; "
                "stop it, or give this one its own LOOPWATCH_DATA_DIR"
            ) from held
        self.write({"pid": os.getpid()})

    def write(self, facts: dict[str, str | int]) -> None:
        """Replaces what the lock file says about its holder."""
        self._file.seek(0)
        self._file.truncate()
        json.dump(facts, self._file)
        self._file.flush()

    def _holder(self) -> str:
        self._file.seek(0)
        try:
            return str(json.load(self._file)["pid"])
        except (ValueError, KeyError, TypeError):
            return "unknown"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
