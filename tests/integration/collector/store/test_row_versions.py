"""What was said last wins, whatever the clock does."""

import time
from typing import Any

import pytest

from loopwatch_collector.store.store import Store


def _say(store: Store, label: str) -> None:
    verdict: list[Any] = [
        "shop",
        "run-1",
        "",
        "quality",
        "ann",
        None,
        label,
        "",
        time.time_ns(),
        store.next_row_version(),
    ]
    store.insert_verdicts([verdict])


def test_a_verdict_given_after_the_clock_was_set_back_replaces_the_one_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later of two verdicts counts though its time is earlier; after a restart of the collector too."""
    _say(store, "good")
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns - 3_600 * 10**9)
    _say(store, "bad")
    monkeypatch.setattr(store, "_row_versions", type(store._row_versions)())  # as a new process begins
    _say(store, "worse")
    assert store.connection().rows("SELECT label FROM verdicts FINAL") == [("worse",)]
