"""The collectors and dashboards of tests are forks; they must end as processes of their own do, and with the tests."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.processes import bare_collector, get, wait_for

_ROOT = Path(__file__).parents[2]
_LEFT = """
import os, sys
from pathlib import Path
from tests.processes import bare_collector

os.environ["PYTEST_VERSION"] = "1"
with bare_collector(Path(sys.argv[1])) as running:
    print(running.process.pid, flush=True)
    os._exit(0)
"""


def test_a_fork_ends_as_a_process_does(tmp_path: Path) -> None:
    """SIGTERM is an orderly end with status 0, SIGSTOP holds it, SIGKILL is told as `subprocess` tells it."""
    with (
        bare_collector(tmp_path / "one") as one,
        bare_collector(tmp_path / "other", LOOPWATCH_KEYS="p:read:k") as other,
    ):
        assert one.process.poll() is None
        assert one.stop() == 0
        assert f"on {one.url}" in one.log.read_text()
        assert get(f"{other.url}/readyz")
        other.process.send_signal(signal.SIGSTOP)
        stat = Path(f"/proc/{other.process.pid}/stat")
        if stat.exists():
            wait_for(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it is stopped")
        other.process.kill()
        assert other.process.wait(30) == -signal.SIGKILL


def test_a_process_with_many_open_files_may_fork(tmp_path: Path) -> None:
    """A worker of a long run of tests holds more than a thousand files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4_096)), hard))
        files.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1_100):
            files.enter_context(Path(os.devnull).open())
        with bare_collector(tmp_path) as running:
            assert running.process.poll() is None
            assert running.stop() == 0


def test_a_fork_ends_with_the_process_that_asked_for_it(tmp_path: Path) -> None:
    """However a worker of the tests ends, what it had started does not live on."""
    done = subprocess.run(
        [sys.executable, "-c", _LEFT, str(tmp_path)],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    process_id = int(done.stdout)

    def is_gone() -> bool:
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for(is_gone, "the fork ends")
