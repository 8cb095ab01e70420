"""A fault of ours never reaches the host: it is counted, logged once per place, and swallowed.

`loopwatch.testing` turns the switch on, and then the fault is raised: loud to us, silent to them.
"""

import logging
import threading
from collections import Counter

logger = logging.getLogger("loopwatch")

_counts: Counter[str] = Counter()
_lock = threading.Lock()
_raising = False


def swallow(place: str, fault: BaseException) -> None:
    """Records a fault of the SDK's own making.

    Args:
        place: the internal boundary it was caught at, such as "tool.begin".
        fault: what was caught.

    Raises:
        BaseException: the fault itself, under the test switch.
    """
    with _lock:
        first = place not in _counts
        _counts[place] += 1
    if _raising:
        raise fault
    if first:
        logger.warning(
            "loopwatch: a fault at %s was swallowed (further ones there are counted only)", place, exc_info=fault
        )


def fault_counts() -> dict[str, int]:
    """Returns how many faults were swallowed since the process began, by place."""
    with _lock:
        return dict(_counts)


def raise_faults(raising: bool) -> bool:
    """Sets the test switch.

    Args:
        raising: whether faults are raised instead of swallowed.

    Returns:
        What it was before.
    """
    global _raising
    before, _raising = _raising, raising
    return before
