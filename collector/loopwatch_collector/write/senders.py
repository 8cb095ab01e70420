"""What is known of the sending processes: what came, what is missing between, what they say they dropped."""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from loopwatch import names
from loopwatch_collector.store.rows import METRIC_POINT_COLUMNS, SPAN_INDEX
from loopwatch_collector.write.intervals import Stretch, merged, missing

_MAX_SENDERS: Final = 2_000
_MAX_STRETCHES: Final = 64
_RECENT_SPANS: Final = 100_000
_PROJECT: Final = SPAN_INDEX["project"]
_SPAN: Final = SPAN_INDEX["span_id"]
_PROCESS: Final = SPAN_INDEX["process_id"]
_SERVICE: Final = SPAN_INDEX["service"]
_SEQ: Final = SPAN_INDEX["seq"]
_SENDER: Final = itemgetter(_PROJECT, _SERVICE, _PROCESS)
_NUMBER: Final = itemgetter(_SEQ)
_SPAN_ID: Final = itemgetter(_SPAN)
_POINT: Final = {column.name: index for index, column in enumerate(METRIC_POINT_COLUMNS)}

SenderKey = tuple[str, str, str]
"""Project, service, process id."""


@dataclass(slots=True)
class Sender:
    """One sending process since the collector started.

    Attributes:
        spans: how many of its spans were written, again-sent ones included.
        last_seen_ns: when the last came, ns since the epoch.
        stretches: the numbers it gave its spans, as far as they came.
        dropped: spans it says it dropped itself, by reason.
    """

    spans: int = 0
    last_seen_ns: int = 0
    stretches: list[Stretch] = field(default_factory=list[Stretch])
    dropped: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def missing(self) -> int:
        """Spans between its first and its last that have not come: on their way, dropped by it, or lost."""
        return missing(self.stretches)


class Senders:
    """Keeps the account of the latest senders; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._senders: OrderedDict[SenderKey, Sender] = OrderedDict()
        # Two generations, so that the older half can be forgotten at once.
        self._recent: tuple[set[bytes], set[bytes]] = (set(), set())

    def note_spans(self, rows: Sequence[Sequence[Any]]) -> int:
        """Notes written spans.

        Args:
            rows: values in the order of SPAN_COLUMNS.

        Returns:
            How many of them had come before, among the latest.
        """
        counts = Counter(map(_SENDER, rows))
        numbers: dict[SenderKey, list[int]] = {}
        for row in filter(_NUMBER, rows):
            numbers.setdefault(_SENDER(row), []).append(row[_SEQ])
        with self._lock:
            for key, count in counts.items():
                sender = self._sender(key)
                sender.spans += count
                sender.stretches = merged(sender.stretches, numbers.get(key, ()), _MAX_STRETCHES)
            return self._duplicates(set(map(_SPAN_ID, rows)), len(rows))

    def note_points(self, rows: Sequence[Sequence[Any]]) -> None:
        """Notes what SDKs say they dropped.

        Args:
            rows: values in the order of METRIC_POINT_COLUMNS.
        """
        with self._lock:
            for row in rows:
                if row[_POINT["metric"]] == names.DROPPED_SPANS_METRIC:
                    key = row[_POINT["project"]], row[_POINT["service"]], row[_POINT["process_id"]]
                    dropped = self._sender(key).dropped
                    reason = row[_POINT["attributes"]].get(names.DROP_REASON, "unknown")
                    dropped[reason] = max(dropped.get(reason, 0), int(row[_POINT["value"]]))

    def list(self) -> list[tuple[SenderKey, Sender]]:
        """The known senders, the latest first."""
        with self._lock:
            return list(reversed(self._senders.items()))

    def _sender(self, key: SenderKey) -> Sender:
        sender = self._senders.pop(key, None) or Sender()
        sender.last_seen_ns = time.time_ns()
        self._senders[key] = sender
        while len(self._senders) > _MAX_SENDERS:
            self._senders.popitem(last=False)
        return sender

    def _duplicates(self, ids: set[bytes], rows: int) -> int:
        older, newer = self._recent
        again = rows - len(ids) + len(ids & older) + len(ids & newer)
        newer |= ids - older
        if len(newer) > _RECENT_SPANS:
            self._recent = newer, set()
        return again
