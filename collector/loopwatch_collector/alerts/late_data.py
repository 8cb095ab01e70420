"""Notices that data came for a time that is over, so that kept answers about it are asked for again."""

from collections.abc import Mapping
from typing import Final

from loopwatch_collector.alerts.conditions import PAST_STEP_S
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.ranges import Range, aligned
from loopwatch_collector.alerts.statements import statement
from loopwatch_collector.store.client import Connection

_LOOK_BACK_NS: Final = 13 * 3_600 * NS  # what late windows reach, and a little more
_RECENT_NS: Final = PAST_STEP_S * NS  # what is younger is asked for anew anyway


class LateData:
    """Counts the spans of past stretches, and says which stretches changed since the last count."""

    def __init__(self) -> None:
        self._counts: Mapping[int, int] | None = None
        self._end_step = 0

    def changed(self, connection: Connection, now_ns: int) -> list[Range]:
        """Counts again.

        Args:
            connection: this thread's.
            now_ns: the moment.

        Returns:
            The stretches whose count differs from the last one; none at the first count.
        """
        to_ns = aligned(now_ns, PAST_STEP_S) - _RECENT_NS
        parameters = {"step_s": PAST_STEP_S, "from_ns": to_ns - _LOOK_BACK_NS, "to_ns": to_ns}
        counts: dict[int, int] = dict(connection.rows(statement("past_counts"), parameters))  # pyright: ignore[reportArgumentType, reportCallIssue]  # two columns
        before, self._counts = self._counts, counts
        known_until, self._end_step = self._end_step, to_ns // (PAST_STEP_S * NS)
        if before is None:
            return []
        different = [step for step, spans in counts.items() if step < known_until and before.get(step, 0) != spans]
        return [Range(step * PAST_STEP_S * NS, (step + 1) * PAST_STEP_S * NS) for step in different]
