"""One data directory, one collector."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loopwatch_collector.errors import CannotStart
from loopwatch_collector.lock import DataDirectoryLock

HOLD = """
import sys
from pathlib import Path
from loopwatch_collector.lock import DataDirectoryLock
with DataDirectoryLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    """While another process holds the directory, its id is in the sentence; when that dies, the directory is free."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CannotStart, match=str(holder.pid)):
            DataDirectoryLock(tmp_path)
        holder.kill()
    with DataDirectoryLock(tmp_path):
        assert str(os.getpid()) in (tmp_path / "lock").read_text()


def test_damaged_lock_file_is_no_obstacle(tmp_path: Path) -> None:
    """What a lock file says matters only while it is held."""
    (tmp_path / "lock").write_text("{half a")
    with DataDirectoryLock(tmp_path) as lock:
        lock.write({"pid": 1, "url": "http://127.0.0.1:1"})
    assert "127.0.0.1" in (tmp_path / "lock").read_text()
