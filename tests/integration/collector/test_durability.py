"""Acknowledged means on disk, whatever happens then: the short form of `make chaos`.

The engine that refuses inserts is tried by `make chaos` alone: once in about ninety trials its count did not come out
even (docs/durability.md), and a suite that fails by chance would hide that rather than show it.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos import faults, kills
from tests.chaos.census import Census


def test_killed_at_random_moments_nothing_is_lost_or_double(tmp_path: Path) -> None:
    """Collector and sender die six times under load: every acknowledged span is in the store, once."""
    found = kills.run(tmp_path / "kills", seed=11, kills=6)
    assert found.is_whole
    assert found.acknowledged > 0


@pytest.mark.parametrize(
    "trial",
    [
        faults.sigterm_under_load,
        faults.disk_full,
        faults.read_only_directory,
        faults.stopped_process,
        faults.torn_tail,
        faults.clock_steps_back,
    ],
)
def test_faults_lose_and_double_nothing(trial: Callable[[Path, int], Census], tmp_path: Path) -> None:
    """SIGTERM, a full disk, SIGSTOP, a torn log, a clock set back: the count comes out even."""
    found = trial(tmp_path / "trial", 12)
    assert found.is_whole
    assert found.acknowledged > 0


def test_a_record_that_rots_is_set_aside_alone(tmp_path: Path) -> None:
    """One changed byte in a waiting record costs that record, which becomes a dead letter, and no other."""
    found = faults.corrupt_record(tmp_path / "corrupt", 13)
    assert found.dead_letters == 1
    assert (found.double, found.invented, found.missing_contents) == (0, 0, 0)
