"""Acknowledged means on disk, whatever happens then: the short form of `make chaos`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos import brimming, faults, kills
from tests.chaos.census import Census


def test_killed_at_random_moments_nothing_is_lost_or_double(tmp_path: Path) -> None:
    """Collector and sender die six times under load: every acknowledged span is in the store, once."""
    found = kills.run(tmp_path / "kills", seed=11, kills=6, pause_s=0.02)
    assert found.is_whole
    assert found.acknowledged > 0


@pytest.mark.parametrize(
    "trial",
    [
        faults.sigterm_under_load,
        faults.disk_full,
        faults.engine_refuses,
        faults.read_only_directory,
        faults.stopped_process,
        faults.torn_tail,
        faults.clock_steps_back,
    ],
)
def test_faults_lose_and_double_nothing(trial: Callable[[Path, int], Census], tmp_path: Path) -> None:
    """SIGTERM, a full disk, an engine that refuses, SIGSTOP, a torn log, a clock set back: the count comes out even."""
    found = trial(tmp_path / "trial", 12)
    assert found.is_whole
    assert found.acknowledged > 0


def test_what_the_store_confirmed_is_there_though_its_disk_is_full_every_other_moment(tmp_path: Path) -> None:
    """Inserts, runs and merges meet a disk that fills up in the middle of a write: nothing confirmed is missing."""
    found = brimming.run(tmp_path / "disk", seed=14, cycles=12)
    assert found.is_whole
    assert found.acknowledged > 0


def test_a_record_that_rots_is_set_aside_alone(tmp_path: Path) -> None:
    """One changed byte in a waiting record costs that record, which becomes a dead letter, and no other."""
    found = faults.corrupt_record(tmp_path / "corrupt", 13)
    assert found.dead_letters == 1
    assert (found.double, found.invented, found.missing_contents) == (0, 0, 0)
