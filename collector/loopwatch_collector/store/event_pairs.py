"""Which tool call a result belongs to, where both came as events by themselves.

A function of the events alone: in whatever order they came, and to whichever collector, all answer alike.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from loopwatch_collector import event_parts


class Half(NamedTuple):
    """A tool call without its result, or a result.

    Attributes:
        span_id: its row's.
        at_ns: when the call began, or the result was there; ns since the epoch.
        tool: its name, or UNKNOWN_TOOL.
        call_id: as the sender names the call; "" when it does not.
    """

    span_id: bytes
    at_ns: int
    tool: str
    call_id: str


def pairs_of(calls: Iterable[Half], results: Iterable[Half]) -> dict[bytes, bytes]:
    """Pairs calls with results.

    A result belongs to the call it names by id; else to the last call of its tool that waits when it comes. Where
    one of the two has no id, or no tool, that is no hindrance.

    Args:
        calls: the calls of one run.
        results: its results.

    Returns:
        The result's span id by the call's.
    """
    calls = sorted(calls, key=_moment)
    results = sorted(results, key=_moment)
    found = _by_id(calls, results)
    answered, given = set(found), set(found.values())
    left = [call for call in calls if call.span_id not in answered]
    return found | _by_time(left, [result for result in results if result.span_id not in given])


def _moment(half: Half) -> tuple[int, bytes]:
    return half.at_ns, half.span_id


def _by_id(calls: Sequence[Half], results: Sequence[Half]) -> dict[bytes, bytes]:
    """Equal ids, the first with the first: an id is meant to be of one call, but agents count from 1 again."""
    waiting: dict[str, list[Half]] = {}
    for call in reversed(calls):
        if call.call_id:
            waiting.setdefault(call.call_id, []).append(call)
    found: dict[bytes, bytes] = {}
    for result in results:
        if waiting.get(result.call_id):
            found[waiting[result.call_id].pop().span_id] = result.span_id
    return found


def _by_time(calls: Sequence[Half], results: Sequence[Half]) -> dict[bytes, bytes]:
    stacks = _Waiting()
    found: dict[bytes, bytes] = {}
    next_call = 0
    for result in results:
        while next_call < len(calls) and calls[next_call].at_ns <= result.at_ns:
            stacks.push(calls[next_call])
            next_call += 1
        call = stacks.pop_for(result)
        if call is not None:
            found[call.span_id] = result.span_id
    return found


class _Waiting:
    """Calls that wait, the last on top; each lies on several stacks, and is passed over where it was taken before."""

    def __init__(self) -> None:
        self._stacks: dict[tuple[str, bool], list[Half]] = {}
        self._taken: set[bytes] = set()

    def push(self, call: Half) -> None:
        """Puts a call on top."""
        for tool in {call.tool, ""}:  # "": of whatever tool
            self._stacks.setdefault((tool, False), []).append(call)
            if not call.call_id:
                self._stacks.setdefault((tool, True), []).append(call)

    def pop_for(self, result: Half) -> Half | None:
        """Takes the last call a result may belong to."""
        # One that names another call's id can only be of a call without one.
        without_id = bool(result.call_id)
        is_unknown = result.tool == event_parts.UNKNOWN_TOOL
        tools = ("",) if is_unknown else (result.tool, event_parts.UNKNOWN_TOOL)
        tops = [top for tool in tools if (top := self._top(tool, without_id)) is not None]
        call = max(tops, key=_moment, default=None)
        if call is not None:
            self._taken.add(call.span_id)
        return call

    def _top(self, tool: str, without_id: bool) -> Half | None:
        stack = self._stacks.get((tool, without_id), [])
        while stack and stack[-1].span_id in self._taken:
            stack.pop()
        return stack[-1] if stack else None
