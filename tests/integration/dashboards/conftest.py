"""A collector with runs in it, for all page tests of one worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import Running, bare_collector, collector, loopwatch, wait_for_runs, wait_until_stored

SUPPORT = Path(__file__).parents[2] / "data" / "chat" / "support.json"
IMPORTED = 12


@pytest.fixture(scope="package")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Twelve recorded runs whose numbers were counted by hand."""
    with bare_collector(tmp_path_factory.mktemp("imported")) as receiver:
        options = ["--id", "task_id", "--id", "trial", "--outcome", "reward", "--start", "2026-01-31T09:00:00Z"]
        done = loopwatch("import", str(SUPPORT), "--format", "chat", *options, "--endpoint", receiver.url)
        assert done.returncode == 0, done.stderr
        wait_for_runs(receiver.url, IMPORTED)
        yield receiver


@pytest.fixture(scope="package")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A small fleet with all that the pages have panels for."""
    with bare_collector(tmp_path_factory.mktemp("simulated")) as receiver:
        options = ["--days", "6", "--runs", "80", "--content", "--end", "2026-01-31"]
        done = loopwatch("simulate", *options, "--endpoint", receiver.url, timeout=120)
        assert done.returncode == 0, done.stderr
        wait_until_stored(receiver.url)
        yield receiver


@pytest.fixture(scope="package")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A store without runs, behind a key."""
    folder = tmp_path_factory.mktemp("empty")
    with collector(folder, LOOPWATCH_KEYS="default:read:secret,default:admin:master") as receiver:
        yield receiver
