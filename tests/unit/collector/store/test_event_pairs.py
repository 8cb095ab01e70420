"""Which result belongs to which call."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwatch_collector.event_parts import UNKNOWN_TOOL
from loopwatch_collector.store.event_pairs import Half, pairs_of


def _half(name: str, at: int, tool: str = "s", call_id: str = "") -> Half:
    return Half(name.encode(), at, tool, call_id)


@pytest.mark.parametrize(
    ("calls", "results", "expected"),
    [
        # the later of two open calls of a tool gets the first result
        ([("a", 0), ("b", 1)], [("x", 5), ("y", 6)], {"b": "x", "a": "y"}),
        # a result has nothing to do with a call that began after it
        ([("a", 9)], [("x", 5)], {}),
        # another tool's call is passed over
        ([("a", 0), ("b", 1, "other")], [("x", 5)], {"a": "x"}),
        # where one does not say its tool, it is no hindrance
        ([("a", 0, UNKNOWN_TOOL)], [("x", 5)], {"a": "x"}),
        ([("a", 0)], [("x", 5, UNKNOWN_TOOL)], {"a": "x"}),
        # ids decide, whatever the clocks say
        ([("a", 0, "s", "1"), ("b", 1, "s", "2")], [("x", 5, "s", "1"), ("y", 6, "s", "2")], {"a": "x", "b": "y"}),
        ([("a", 9, "s", "1")], [("x", 5, "s", "1")], {"a": "x"}),
        # a call of another id is another call; one without an id may be meant
        ([("a", 0, "s", "1")], [("x", 5, "s", "2")], {}),
        ([("a", 0, "s"), ("b", 1, "s", "1")], [("x", 5, "s", "2")], {"a": "x"}),
        ([("a", 0, "s", "1")], [("x", 5)], {"a": "x"}),
        # agents that count from 1 in each round
        ([("a", 0, "s", "1"), ("b", 5, "s", "1")], [("x", 3, "s", "1"), ("y", 8, "s", "1")], {"a": "x", "b": "y"}),
    ],
)
def test_a_result_belongs_to(calls: list[Any], results: list[Any], expected: dict[str, str]) -> None:
    """A result belongs to the call it names, else to the last call of its tool that waits when it comes."""
    found = pairs_of([_half(*call) for call in calls], [_half(*result) for result in results])
    assert {call.decode(): result.decode() for call, result in found.items()} == expected


_HALVES = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(["s", "t", UNKNOWN_TOOL]), st.sampled_from(["", "", "1", "2"])),
    max_size=12,
)


@given(_HALVES, _HALVES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_pairs_are_a_function_of_the_set(
    calls: list[tuple[int, str, str]], results: list[tuple[int, str, str]], chance: Any
) -> None:
    """In whatever order events are read, each call has one result at most, each result one call, always the same."""
    ours = [_half(f"c{n}", *call) for n, call in enumerate(calls)]
    theirs = [_half(f"r{n}", *result) for n, result in enumerate(results)]
    found = pairs_of(ours, theirs)
    assert len(set(found.values())) == len(found)
    assert pairs_of(chance.sample(ours, len(ours)), chance.sample(theirs, len(theirs))) == found
