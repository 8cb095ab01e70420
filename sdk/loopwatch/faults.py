"""A fault of ours never reaches the host: it is counted, logged, and swallowed.

Each place, and each agent or tool there, has its first fault logged with its traceback; of further ones every tenth,
hundredth and so on is told with the count, so that neither the tenth tool's fault nor a lasting one goes unseen.

`loopwatch.testing` turns the switch on, and then the fault is raised: loud to us, silent to them.
"""

import logging
import threading
from collections import Counter, defaultdict
from typing import Final

logger = logging.getLogger("loopwatch")

_MAX_SUBJECTS: Final = 200
"""Of one place. Names may be made up as the program runs: beyond this many, all further ones are counted as one."""

_counts: Counter[str] = Counter()
_by_place: defaultdict[str, Counter[str]] = defaultdict(Counter)
_lock = threading.Lock()
_raising = False


def swallow(place: str, fault: BaseException, subject: str = "") -> None:
    """Records a fault of the SDK's own making, or of a function an author gave it, such as `extract`.

    Args:
        place: the internal boundary it was caught at, such as "tool.begin".
        fault: what was caught.
        subject: the agent or tool it happened to, where that is known.

    Raises:
        BaseException: the fault itself, under the test switch.
    """
    with _lock:
        _counts[place] += 1
    count = _count(place, subject)
    if _raising:
        raise fault
    whose = f" of {subject}" if subject else ""
    if count == 1:
        logger.warning(
            "loopwatch: a fault at %s%s was swallowed (of further ones each tenth, hundredth, ... is told)",
            place, whose, exc_info=fault,
        )  # fmt: skip
    elif _is_told(count):
        logger.warning("loopwatch: fault number %d at %s%s was swallowed: %r", count, place, whose, fault)


def warn(place: str, subject: str, sentence: str) -> None:
    """Tells an author of something that was taken otherwise than written; as often as a fault is.

    Args:
        place: the function that was told it, such as "decide".
        subject: whose call it was: the agent, and what tells its calls apart.
        sentence: what was taken, and what to write instead.
    """
    count = _count(place, subject)
    if _is_told(count):
        logger.warning("loopwatch: %s%s", sentence, f" (for the {count}th time)" if count > 1 else "")


def _count(place: str, subject: str) -> int:
    with _lock:
        counts = _by_place[place]
        if subject not in counts and len(counts) >= _MAX_SUBJECTS:
            subject = "(others)"
        counts[subject] += 1
        return counts[subject]


def _is_told(count: int) -> bool:
    """1, 10, 100, ..."""
    return str(count).strip("0") == "1"


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
