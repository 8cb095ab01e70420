"""What came since the last look: whose data, and for which times; so that only the rules it concerns are evaluated.

The engine names every part it stores, so a look costs one small question, and one more for each table that has new
parts: nothing that is stored already is read again, however much that is.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from loopwatch_collector.alerts.conditions import PAST_STEP_S
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.ranges import Range, aligned
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.statements import statement
from loopwatch_collector.store.client import Connection

_RECENT_NS: Final = PAST_STEP_S * NS  # what is younger is asked for anew anyway
_MARGIN_NS: Final = 900 * NS  # longer than a record usually waits for the writer
_MOST_SCOPES: Final = 5_000
_LOOKED_INTO: Final = {"spans": "arrived_spans", "runs": "arrived_runs"}


class Scope(NamedTuple):
    """Whose data came: the values that a rule's filters look at."""

    project: str
    environment: str
    agent: str
    version: str
    models: tuple[str, ...]
    customer: str

    def concerns(self, project: str, rule: Rule) -> bool:
        """Whether a rule of a project looks at such data."""
        return project == self.project and all(
            _matches(self.models if name == "model" else getattr(self, name), wanted)
            for name, wanted in rule.filters.items()
        )


def _matches(held: str | tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return held in wanted if isinstance(held, str) else any(one in wanted for one in held)


class Arrival(NamedTuple):
    """What came between two looks.

    Attributes:
        scopes: whose; None when it may be anybody's.
        late: stretches that were over already.
    """

    scopes: frozenset[Scope] | None
    late: list[Range]

    @property
    def is_empty(self) -> bool:
        """Whether nothing came."""
        return self.scopes is not None and not self.scopes

    def concerns(self, project: str, rule: Rule) -> bool:
        """Whether some of it is what a rule looks at."""
        return self.scopes is None or any(scope.concerns(project, rule) for scope in self.scopes)


class _Part(NamedTuple):
    table: str
    partition: str
    name: str
    level: int
    max_block: int


class Arrivals:
    """Remembers which parts of the store it has seen."""

    def __init__(self) -> None:
        self._seen: frozenset[_Part] | None = None
        self._looked_ns = 0

    def look(self, connection: Connection, now_ns: int) -> Arrival:
        """Says what came since the last look; at the first one, that anything may have come.

        Args:
            connection: this thread's.
            now_ns: the moment.
        """
        parts = frozenset(_Part(*row) for row in connection.rows(statement("parts")))
        before, self._seen = self._seen, parts
        since_ns, self._looked_ns = self._looked_ns - _MARGIN_NS, now_ns
        if before is None:
            return Arrival(None, [])
        new = _with_news(parts - before, before, is_cluster=bool(connection.cluster_name))
        if any(part.table not in _LOOKED_INTO for part in new):
            return Arrival(None, self._late(self._rows(connection, "spans", new, since_ns), now_ns))
        rows = [row for table in _LOOKED_INTO for row in self._rows(connection, table, new, since_ns)]
        scopes = frozenset(_scope(*row) for row in rows)
        return Arrival(None if len(rows) >= _MOST_SCOPES else scopes, self._late(rows, now_ns))

    @staticmethod
    def _rows(connection: Connection, table: str, new: Iterable[_Part], since_ns: int) -> list[tuple[Any, ...]]:
        own = [part for part in new if part.table == table]
        if not own:
            return []
        parameters = {
            "parts": [part.name for part in own],
            "inserted": [part.name for part in own if part.level == 0],
            "since_ns": since_ns,
            "most": _MOST_SCOPES,
            "step_s": PAST_STEP_S,
        }
        return connection.rows(statement(_LOOKED_INTO[table]), parameters)

    @staticmethod
    def _late(rows: Iterable[tuple[Any, ...]], now_ns: int) -> list[Range]:
        over_ns = aligned(now_ns, PAST_STEP_S) - _RECENT_NS
        steps = sorted({step for row in rows for step in row[6]})
        ranges = [Range(step * PAST_STEP_S * NS, (step + 1) * PAST_STEP_S * NS) for step in steps]
        return [one for one in ranges if one.to_ns <= over_ns]


def _scope(
    project: str, environment: str, agent: str, version: str, models: list[str], customer: str, _steps: list[int]
) -> Scope:
    return Scope(project, environment, agent, version, tuple(models), customer)


def _with_news(unseen: Iterable[_Part], before: Iterable[_Part], *, is_cluster: bool) -> list[_Part]:
    """Leaves out what was only merged; on a cluster nobody can tell, for each shard counts blocks for itself."""
    if is_cluster:
        return list(unseen)
    known: dict[tuple[str, str], int] = {}
    for part in before:
        place = (part.table, part.partition)
        known[place] = max(known.get(place, -1), part.max_block)
    return [part for part in unseen if part.max_block > known.get((part.table, part.partition), -1)]
