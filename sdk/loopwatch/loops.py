"""The loop detector: deterministic, by the tool calls of one run in the order they end; nothing else is looked at.

With n identical calls (3 by default), after each call the first of these that holds is a loop:

- `identical_calls`: the tool was called n times with the same arguments and gave the same result each time, whatever
  was called in between. A failed call counts neither way; another result starts the count again.
- `retry_storm`, `polling`: the tool was called 2n+2 times with the same arguments, and it was no loop before because
  calls failed (at least half of them: a retry storm) or because the result changed (polling).
- `cycle`: the last calls are a sequence of 2 to 4 calls made twice in a row, with the same results both times.
- `no_progress`: the last n calls of the tool had different arguments and gave the same result, of at least 32
  bytes: an "ok" or an empty list says nothing about progress.

Each is reported once for the same tool and arguments (a cycle: for the same set of calls). `loop_cases.json`
specifies all of this by example.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

DEFAULT_IDENTICAL_CALLS: Final = 3
LONGEST_CYCLE: Final = 4
MIN_RESULT_BYTES: Final = 32
MAX_KEYS: Final = 10_000
"""Distinct calls that are remembered; a run that makes more is not looping."""

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop that was found.

    Args:
        kind: identical_calls, cycle, no_progress, retry_storm or polling.
        tool: the tool whose call completed it.
        calls: how many calls make it up.
        explanation: a sentence for a person.
    """

    kind: str
    tool: str
    calls: int
    explanation: str


@dataclass(slots=True)
class _Seen:
    """What is known of the calls with one tool and the same arguments."""

    calls: int = 0
    errors: int = 0
    same: int = 0
    result: int = 0
    is_identical: bool = False  # and reported


class LoopDetector:
    """Watches the tool calls of one run.

    Args:
        identical_calls: n, at least 2.
    """

    def __init__(self, identical_calls: int = DEFAULT_IDENTICAL_CALLS) -> None:
        self._n = max(identical_calls, 2)
        self._seen: dict[Key, _Seen] = {}
        self._last: deque[tuple[Key, int | None]] = deque(maxlen=2 * LONGEST_CYCLE)
        self._answers: dict[str, deque[tuple[int, int | None]]] = {}
        self._reported: set[object] = set()

    def add(self, tool: str, arguments: int, result: int | None, size: Callable[[], int] = lambda: 0) -> Loop | None:
        """Takes a call that has ended.

        Args:
            tool: the tool's name.
            arguments: a hash of its arguments.
            result: a hash of what it answered, "nothing found" included; None when it failed.
            size: gives the bytes of what it answered, asked for only when they matter.

        Returns:
            The loop this call completes, if it does.
        """
        key = (tool, arguments)
        seen = self._seen.get(key) or self._remember(key)
        if seen is None:
            return None
        _count(seen, result)
        self._last.append((key, result))
        answers = self._answers.get(tool)
        if answers is None:
            answers = self._answers[tool] = deque(maxlen=self._n)
        answers.append((arguments, result))
        if seen.calls == 1:
            return self._no_progress(tool, answers, size)
        return self._identical(tool, seen) or self._cycle(tool) or self._no_progress(tool, answers, size)

    def _remember(self, key: Key) -> _Seen | None:
        if len(self._seen) >= MAX_KEYS:
            return None
        seen = self._seen[key] = _Seen()
        return seen

    def _identical(self, tool: str, seen: _Seen) -> Loop | None:
        if seen.is_identical:
            return None
        if seen.same >= self._n:
            seen.is_identical = True
            said = f"{tool} was called {seen.same} times with the same arguments and gave the same result"
            return Loop("identical_calls", tool, seen.same, said)
        if seen.calls != 2 * self._n + 2:
            return None
        kind = "retry_storm" if 2 * seen.errors >= seen.calls else "polling"
        how = f"{seen.errors} of them failed" if kind == "retry_storm" else "the result kept changing"
        return Loop(kind, tool, seen.calls, f"{tool} was called {seen.calls} times with the same arguments; {how}")

    def _cycle(self, tool: str) -> Loop | None:
        last = self._last
        for period in range(2, min(len(last) // 2, LONGEST_CYCLE) + 1):
            if last[-1] == last[-1 - period] and (loop := self._cycle_of(period, tool)) is not None:
                return loop
        return None

    def _cycle_of(self, period: int, tool: str) -> Loop | None:
        last = list(self._last)
        lap = last[-period:]
        if last[-2 * period : -period] != lap or any(result is None for _, result in lap):
            return None
        calls = frozenset(key for key, _ in lap)
        if len(calls) == 1 or not self._first(("cycle", calls)):
            return None
        path = " → ".join(key[0] for key, _ in lap)
        return Loop("cycle", tool, 2 * period, f"{path} was made twice in a row, with the same results")

    def _no_progress(self, tool: str, answers: deque[tuple[int, int | None]], size: Callable[[], int]) -> Loop | None:
        result = answers[-1][1]
        if result is None or len(answers) < self._n or answers[0][1] != result:
            return None
        given = {arguments for arguments, answer in answers if answer == result}
        same = sum(answer == result for _, answer in answers) == self._n
        if not same or len(given) == 1 or not self._first(("no_progress", tool, result)):
            return None
        if size() < MIN_RESULT_BYTES:
            return None
        said = f"{tool} gave the same result {self._n} times in a row to different arguments"
        return Loop("no_progress", tool, self._n, said)

    def _first(self, loop: object) -> bool:
        if loop in self._reported:
            return False
        self._reported.add(loop)
        return True


def _count(seen: _Seen, result: int | None) -> None:
    seen.calls += 1
    if result is None:
        seen.errors += 1
    elif seen.same and result == seen.result:
        seen.same += 1
    else:
        seen.same, seen.result = 1, result
