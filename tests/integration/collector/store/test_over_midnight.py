"""Runs that straddle midnight: each is one row of its own day, whatever else of it lies on the other."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from loopwatch_collector.event_lookup import event_lookup
from loopwatch_collector.export.parquet import parquet
from loopwatch_collector.moving.move import pieces
from loopwatch_collector.queries.runner import READ_SETTINGS
from loopwatch_collector.queries.runs import list_runs
from loopwatch_collector.store.rebuild import rebuild_runs
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.store.store import Store

_DAY_NS = 86_400 * 10**9
_MIDNIGHT_NS = 1_790_812_800 * 10**9  # 2026-10-01T00:00:00Z; rows are placed by seconds from noon
_SETTING = "do_not_merge_across_partitions_select_final"
_COLLECTOR = Path(__file__).parents[4] / "collector" / "loopwatch_collector"
_RUNS = 40


def _straddling(span: Callable[..., list[Any]], number: int, starts_at_s: int) -> list[list[Any]]:
    """A run of two spans on both sides of midnight; one of skewed clocks starts after its own tool call."""
    common = {"run_id": f"{number:032x}", "trace_id": number.to_bytes(16, "big")}
    root, midnight_s = number.to_bytes(8, "big"), -12 * 3600
    return [
        span(number, at_s=midnight_s + starts_at_s, kind="run", duration_ns=30 * 10**9, **common),
        span(
            1000 + number, at_s=midnight_s - starts_at_s, kind="tool_call", tool="search", parent_span_id=root, **common
        ),
    ]


def _exported(store: Store, from_ns: int, to_ns: int) -> list[str]:
    file = b"".join(parquet(store.connection(), "runs", "default", from_ns, to_ns))
    return pq.read_table(io.BytesIO(file))["run_id"].to_pylist()


def test_no_run_over_midnight_is_lost(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Export, move, rebuild and the look-up of events see each run once, on its own day, not the other's tombstone."""
    before = {f"{number:032x}": -5 for number in range(1, _RUNS)}
    after = {f"{number:032x}": 5 for number in range(_RUNS, 2 * _RUNS)}
    spans = [_straddling(span, int(run_id, 16), at_s) for run_id, at_s in {**before, **after}.items()]
    for late_first in (1, 0):
        write(store, [rows[late_first] for rows in spans])
    for _ in range(2):
        assert sorted(_exported(store, _MIDNIGHT_NS - _DAY_NS, _MIDNIGHT_NS)) == list(before)
        assert sorted(_exported(store, _MIDNIGHT_NS, _MIDNIGHT_NS + _DAY_NS)) == list(after)
        assert sorted(_exported(store, _MIDNIGHT_NS - _DAY_NS, _MIDNIGHT_NS + _DAY_NS)) == [*before, *after]
        found = event_lookup(store)("default", [*before, *after])
        starts_at_s = {run_id: (start_ns - _MIDNIGHT_NS) // 10**9 for run_id, start_ns in found.items()}
        assert starts_at_s == {**before, **after}
        moved = [piece.rows for piece in pieces(store.connection()) if piece.table == "runs"]
        assert moved == [len(before), len(after)]
        rebuild_runs(store)


def test_a_text_of_the_other_day_is_found(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """A search through one day finds the runs of that day by what their spans on the next, or the last, hold."""
    before, after = _straddling(span, 1, -5), _straddling(span, 2, 5)
    first_day = _MIDNIGHT_NS // _DAY_NS - 1
    for (_, tool_call), day in ((before, first_day + 1), (after, first_day)):
        tool_call[SPAN_INDEX["content_roles"]], tool_call[SPAN_INDEX["content_hashes"]] = ["result"], [7]
        store.insert_contents([["default", tool_call[SPAN_INDEX["trace_id"]], 7, day, "said over there"]])
    write(store, before + after)
    for from_ns, number in ((_MIDNIGHT_NS - _DAY_NS, 1), (_MIDNIGHT_NS, 2)):
        page = list_runs(
            store.connection(), "default", from_ns, from_ns + _DAY_NS, {}, 50, filter_text='"said over there"'
        )
        assert [run["run_id"] for run in page.runs] == [f"{number:032x}"]


def test_every_statement_over_a_table_by_days_keeps_days_apart() -> None:
    """Statements that read whole rows of runs or contents say so themselves; those of queries are asked with it."""
    assert READ_SETTINGS[_SETTING] == 1
    by_day = re.compile(r"\b(runs|contents) FINAL|\{time:Identifier\}")
    reading = [
        file for file in _COLLECTOR.rglob("*.sql") if by_day.search(_sql(file)) and "retention" not in file.parts
    ]
    outside = [file for file in reading if not file.is_relative_to(_COLLECTOR / "queries")]
    assert len(outside) >= 7
    assert [file.name for file in outside if f"SETTINGS {_SETTING} = 1" not in _sql(file)] == []


def _sql(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
