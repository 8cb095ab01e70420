"""The rows of `runs`, derived from the spans of the runs an insert touched.

A run's spans arrive in many inserts. What is known of its extent (its first and last span) is kept in memory and
looked up in `runs` when it is not, so that one refresh reads the stretch of time its runs lie in and no more.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence, Set
from typing import Any, Final, NamedTuple

from loopwatch_collector.store.assembly import assemble
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.rows import RUN_EXTENT_COLUMNS
from loopwatch_collector.store.statements import statement, statement_for

_REMEMBERED_RUNS: Final = 200_000
_DAY_NS: Final = 86_400 * 10**9
_RUNS_PER_STATEMENT: Final = 4_000  # planning one takes near 100 ms, however few its runs
_MAX_ROUNDS: Final = 5
# A third of the statement, and of what planning and running it takes, is for runs whose calls several spans tell or
# whose agents tell what they used in all. The others are derived without it: all, or so many that a second statement,
# some 100 ms of planning, is less than it saves them (about 0.15 ms a run).
_PLAIN_RUNS_APART: Final = 1_000
# Runs further apart than this are derived by separate statements: one would read all that lies between. Planning a
# statement costs about as much as passing over some hours of spans of other runs.
_MAX_GAP_NS: Final = 3 * 3_600_000_000_000


class Touched(NamedTuple):
    """A run that an insert added spans to, with the earliest and latest start among them (ns since the epoch)."""

    project: str
    run_id: str
    first_ns: int
    last_ns: int


class RunDeriver:
    """Keeps `runs` in step with `spans`; safe to call from several threads.

    With several collectors each tells where its spans of a run lie, then takes a version from the server's clock,
    then looks where everybody's lie, and derives. So the row in force is complete: had another's spans not been
    told when its stretch of time was looked up, that other's version would be the higher one.

    Args:
        is_alone: whether no other process writes to the store; what was told can then be kept in memory.
    """

    def __init__(self, *, is_alone: bool = True) -> None:
        self._is_alone = is_alone
        self._extents: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._row_version = 0

    def refresh(
        self, connection: Connection, touched: Iterable[Touched], of_events: Set[tuple[str, str]] = frozenset()
    ) -> None:
        """Derives the touched runs anew from all their spans.

        Args:
            connection: this thread's.
            touched: what the inserts since the last refresh added; a run may occur more than once.
            of_events: project and run id of those to which plain events came, which are put together first.
        """
        with self._lock:  # two refreshes of one run at once could store the older reading last
            for project, runs in _by_project(touched).items():
                if not self._is_alone:
                    _tell(connection, project, runs)
                version = self._next_version(connection)
                self._widen(connection, project, runs)
                for group in _groups(runs):
                    events = {run_id: extent for run_id, extent in group.items() if (project, run_id) in of_events}
                    if events:
                        self._assemble(connection, project, events, version)
                    _derive(connection, project, group, version)

    def forget(self) -> None:
        """Drops what is remembered of the runs' extents, after spans were deleted."""
        with self._lock:
            self._extents.clear()

    def _assemble(self, connection: Connection, project: str, events: dict[str, tuple[int, int]], version: int) -> None:
        rounds = 1
        while assemble(connection, project, events, version) and not self._is_alone and rounds < _MAX_ROUNDS:
            # Another collector may have written meanwhile what it had read before: look again until all is said.
            version = self._next_version(connection)
            rounds += 1

    def _next_version(self, connection: Connection) -> int:
        """Higher than every version before, those in the store included: clocks step back, readings must not."""
        self._row_version = self._row_version or connection.rows(statement("latest_run_version"))[0][0]
        now_ns = time.time_ns() if self._is_alone else connection.rows(statement("server_time"))[0][0]
        self._row_version = max(now_ns, self._row_version + 1)
        return self._row_version

    def _widen(self, connection: Connection, project: str, runs: dict[str, tuple[int, int]]) -> None:
        unknown = [run_id for run_id in runs if (project, run_id) not in self._extents]
        known = [_extents(connection, "stored_extents", project, unknown)]
        if not self._is_alone:
            known.append(_extents(connection, "shared_extents", project, unknown))
        for run_id, extent in runs.items():
            told = [extents[run_id] for extents in known if run_id in extents]
            before = self._extents.pop((project, run_id), extent)
            all_of_them = [extent, before, *told]
            runs[run_id] = min(first for first, _ in all_of_them), max(last for _, last in all_of_them)
            if self._is_alone:
                self._extents[project, run_id] = runs[run_id]
        while len(self._extents) > _REMEMBERED_RUNS:
            self._extents.popitem(last=False)


def _tell(connection: Connection, project: str, runs: dict[str, tuple[int, int]]) -> None:
    day = time.time_ns() // _DAY_NS
    rows = [[project, run_id, day, first_ns, last_ns] for run_id, (first_ns, last_ns) in runs.items()]
    connection.insert("run_extents", RUN_EXTENT_COLUMNS, rows)


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
    where = {
        "project": project,
        "run_ids": list(runs),
        "first_ns": min(first for first, _ in runs.values()),
        "last_ns": max(last for _, last in runs.values()),
    }
    for kinds, run_ids in _kinds(connection, where).items():
        connection.run(statement_for("derive_runs", *kinds), {**where, "run_ids": run_ids, "row_version": row_version})


def _kinds(connection: Connection, where: dict[str, Any]) -> dict[tuple[str, ...], list[str]]:
    """The runs by what of the statement they need.

    A span that comes after this look and makes a run an involved one is followed by a refresh of its own.
    """
    run_ids: list[str] = where["run_ids"]
    involved = dict(connection.rows(statement("involved_runs"), where))
    plain = [run_id for run_id in run_ids if run_id not in involved]
    if not involved:
        return {("plain",): plain}
    needed = ("involved", "failing") if any(involved.values()) else ("involved",)
    if len(plain) <= _PLAIN_RUNS_APART:
        return {needed: run_ids}
    return {("plain",): plain, needed: sorted(involved)}
