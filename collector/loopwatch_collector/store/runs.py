"""The rows of `runs`, derived from the spans of the runs an insert touched.

A run's spans arrive in many inserts. What is known of its extent (its first and last span) is kept in memory and
looked up in `runs` when it is not, so that one refresh reads the stretch of time its runs lie in and no more.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.statements import statement

_REMEMBERED_RUNS: Final = 200_000
_MOST_ROUNDS: Final = 4
_RUNS_PER_STATEMENT: Final = 2_000
# Runs further apart than this are derived by separate statements: one would read all that lies between.
_MAX_GAP_NS: Final = 600_000_000_000


class Touched(NamedTuple):
    """A run that an insert added spans to, with the earliest and latest start among them (ns since the epoch)."""

    project: str
    run_id: str
    first_ns: int
    last_ns: int


class RunDeriver:
    """Keeps `runs` in step with `spans`; safe to call from several threads.

    Args:
        is_alone: whether no other process writes to the store. If others do, what is remembered may be out of date:
            extents are looked up before each derivation, and once more after it, for a run whose other spans
            another collector stored meanwhile; and versions are told by the server's clock.
    """

    def __init__(self, *, is_alone: bool = True) -> None:
        self._is_alone = is_alone
        self._extents: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._row_version = 0

    def refresh(self, connection: Connection, touched: Iterable[Touched]) -> None:
        """Derives the touched runs anew from all their spans.

        Args:
            connection: this thread's.
            touched: what the inserts since the last refresh added; a run may occur more than once.
        """
        with self._lock:  # two refreshes of one run at once could store the older reading last
            for project, runs in _by_project(touched).items():
                self._refresh(connection, project, runs)
                if not self._is_alone:
                    self._settle(connection, project, runs)

    def _refresh(self, connection: Connection, project: str, runs: dict[str, tuple[int, int]]) -> None:
        self._widen(connection, project, runs)
        for group in _groups(runs):
            _derive(connection, project, group, self._next_version(connection))

    def _settle(self, connection: Connection, project: str, runs: dict[str, tuple[int, int]]) -> None:
        # Another collector may have derived a run at the same moment from spans of another stretch of time, and
        # its row may be the one in force: then both stretches are derived together. Deleted spans can make the
        # stretches differ for good, so there is an end to it.
        for _ in range(_MOST_ROUNDS):
            in_force = _extents(connection, "derived_extents", project, list(runs))
            runs = {run_id: extent for run_id, extent in runs.items() if in_force.get(run_id, extent) != extent}
            if not runs:
                return
            for run_id, (first_ns, last_ns) in runs.items():
                runs[run_id] = min(first_ns, in_force[run_id][0]), max(last_ns, in_force[run_id][1])
            self._refresh(connection, project, runs)

    def forget(self) -> None:
        """Drops what is remembered of the runs' extents, after spans were deleted."""
        with self._lock:
            self._extents.clear()

    def _next_version(self, connection: Connection) -> int:
        """Higher than every version before, those in the store included: clocks step back, readings must not."""
        self._row_version = self._row_version or connection.rows(statement("latest_run_version"))[0][0]
        now_ns = time.time_ns() if self._is_alone else connection.rows(statement("server_time"))[0][0]
        self._row_version = max(now_ns, self._row_version + 1)
        return self._row_version

    def _widen(self, connection: Connection, project: str, runs: dict[str, tuple[int, int]]) -> None:
        unknown = [run_id for run_id in runs if (project, run_id) not in self._extents]
        stored = _extents(connection, "stored_extents", project, unknown) if unknown else {}
        for run_id, extent in runs.items():
            before = self._extents.pop((project, run_id), None) or stored.get(run_id, extent)
            runs[run_id] = min(before[0], extent[0]), max(before[1], extent[1])
            if self._is_alone:
                self._extents[project, run_id] = runs[run_id]
        while len(self._extents) > _REMEMBERED_RUNS:
            self._extents.popitem(last=False)


def _by_project(touched: Iterable[Touched]) -> dict[str, dict[str, tuple[int, int]]]:
    projects: dict[str, dict[str, tuple[int, int]]] = {}
    for project, run_id, first_ns, last_ns in touched:
        if not run_id:
            continue
        runs = projects.setdefault(project, {})
        known = runs.get(run_id)
        runs[run_id] = (first_ns, last_ns) if known is None else (min(known[0], first_ns), max(known[1], last_ns))
    return projects


def _groups(runs: dict[str, tuple[int, int]]) -> Iterable[dict[str, tuple[int, int]]]:
    group: dict[str, tuple[int, int]] = {}
    end = 0
    for run_id, extent in sorted(runs.items(), key=lambda item: item[1]):
        if group and (extent[0] > end + _MAX_GAP_NS or len(group) >= _RUNS_PER_STATEMENT):
            yield group
            group, end = {}, 0
        group[run_id] = extent
        end = max(end, extent[1])
    if group:
        yield group


def _extents(connection: Connection, name: str, project: str, run_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for start in range(0, len(run_ids), _RUNS_PER_STATEMENT):
        rows = connection.rows(
            statement(name),
            {"project": project, "run_ids": list(run_ids[start : start + _RUNS_PER_STATEMENT])},
        )
        found.update({run_id: (first_ns, last_ns) for run_id, first_ns, last_ns in rows})
    return found


def _derive(connection: Connection, project: str, runs: dict[str, tuple[int, int]], row_version: int) -> None:
    connection.run(
        statement("derive_runs"),
        {
            "project": project,
            "run_ids": list(runs),
            "first_ns": min(first for first, _ in runs.values()),
            "last_ns": max(last for _, last in runs.values()),
            "row_version": row_version,
        },
    )
