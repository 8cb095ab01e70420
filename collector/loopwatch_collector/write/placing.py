"""Verdicts out of logs find their run, whichever of the two arrives first."""

import logging
import time
from collections.abc import Iterable
from typing import Any, Final

from loopwatch_collector.errors import Unavailable
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.store.statements import statement
from loopwatch_collector.store.store import Store

_LOG = logging.getLogger(__name__)
_PROJECT: Final = SPAN_INDEX["project"]
_TRACE: Final = SPAN_INDEX["trace_id"]
_RESPONSE: Final = SPAN_INDEX["response_id"]
# How far a verdict may lie from the start of the span it is on.
_DAY_NS: Final = 86_400 * 10**9
_BEFORE_NS: Final = 7 * _DAY_NS
_AFTER_NS: Final = _DAY_NS
_MAX_WAITING: Final = 50_000

RESPONSE: Final = "response:"
"""What a verdict names that names no span: this, and the id of the response."""

Waiting = tuple[str, str, int]
"""Project, what a verdict is kept under until its span is found (a trace's id, or a response), and its time in ns."""


class Placing:
    """Looks for the runs of verdicts that name a trace or a response.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[tuple[str, str], int] | None = None

    def place(self, waiting: Iterable[Waiting], spans: list[list[Any]]) -> None:
        """Looks for the runs of new verdicts, and of those that waited for one of these spans.

        Args:
            waiting: what the verdicts name that were just stored.
            spans: the span rows that were just stored.

        Raises:
            Unavailable: the store cannot work now.
        """
        known = self._known()
        due = {(project, key): at_ns for project, key, at_ns in waiting}
        for key, at_ns in due.items():
            known.pop(key, None)
            known[key] = at_ns
        while len(known) > _MAX_WAITING:
            del known[next(iter(known))]
        if known and spans:
            due |= {key: known[key] for row in spans for key in _named_by(row) if key in known}
        for project in {project for project, _ in due}:
            self._place(project, {key: at_ns for (of, key), at_ns in due.items() if of == project})

    def _known(self) -> dict[tuple[str, str], int]:
        if self._waiting is None:
            now_ns = time.time_ns()
            rows = self._store.connection().rows(statement("waiting_verdicts"), {"from_ns": now_ns - _BEFORE_NS})
            self._waiting = {(project, key): now_ns for project, key in rows}  # noqa: C420  # rows are lists or tuples
        return self._waiting

    def _place(self, project: str, due: dict[str, int]) -> None:
        extent = {"first_ns": min(due.values()) - _BEFORE_NS, "last_ns": max(due.values()) + _AFTER_NS}
        try:
            self._store.connection().run(
                statement("place_verdicts"), {"project": project, "keys": sorted(due), **extent}
            )
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  # the verdicts are stored, under what they name; no batch is at fault
            _LOG.exception("the runs of verdicts in project %s could not be looked up", project)


def _named_by(row: list[Any]) -> tuple[tuple[str, str], ...]:
    project = row[_PROJECT]
    return (project, row[_TRACE].hex()), (project, RESPONSE + row[_RESPONSE])
