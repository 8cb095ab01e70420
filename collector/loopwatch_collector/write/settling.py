"""Steps that are taken again until they hold."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from loopwatch_collector.errors import Unavailable
from loopwatch_collector.metrics import Metrics

_LOG = logging.getLogger(__name__)
_RETRY_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)


class Settling:
    """How one thread takes its steps.

    Args:
        stopping: set when no step is to be tried again.
        metrics: where it counts.
    """

    def __init__(self, stopping: threading.Event, metrics: Metrics) -> None:
        self._stopping = stopping
        self._metrics = metrics
        self._fault = ""

    @property
    def fault(self) -> str:
        """Why the step under way does not hold yet, in a sentence; "" when it was not refused."""
        return self._fault

    def settle(self, step: Callable[[int], None]) -> bool:
        """Takes a step, however often it takes. False: stopped while the store could not.

        Args:
            step: it is told how often it failed for a reason of its own: that a disk was full says nothing against it.
        """
        attempt = failures = 0
        while True:
            try:
                step(failures)
            except Exception as fault:  # noqa: BLE001  # whatever it is, what was acknowledged waits for another attempt
                failures += not isinstance(fault, Unavailable)
                self._metrics.store_retries.inc()
                _LOG.warning("what was acknowledged waits in the journal after attempt %d: %s", attempt + 1, fault)
                if self._stopping.wait(_RETRY_S[min(attempt, len(_RETRY_S) - 1)]):
                    return False
                attempt += 1
                self._fault = (
                    f"the store has refused {attempt} times; what was acknowledged waits in the journal: {fault}"
                )
            else:
                self._fault = ""
                return True
