"""Numbers as stretches."""

from hypothesis import given
from hypothesis import strategies as st

from loopwatch_collector.write.intervals import merged, missing

NUMBERS = st.lists(st.integers(1, 60), max_size=40)


@given(st.lists(NUMBERS, max_size=6))
def test_stretches_hold_exactly_the_numbers(groups: list[list[int]]) -> None:
    """Whatever order and portions numbers come in, again or not, the stretches are their set."""
    stretches: list[tuple[int, int]] = []
    for group in groups:
        stretches = merged(stretches, group, 100)
    numbers = {number for group in groups for number in group}
    assert {number for first, last in stretches for number in range(first, last + 1)} == numbers
    assert missing(stretches) == (max(numbers) - min(numbers) + 1 - len(numbers) if numbers else 0)


@given(NUMBERS, st.integers(1, 4))
def test_no_more_stretches_than_allowed(numbers: list[int], limit: int) -> None:
    """Beyond the limit the oldest gaps are given up, the newest kept; the ends stay."""
    all_of_them, kept = merged([], numbers, 100), merged([], numbers, limit)
    assert len(kept) <= limit
    assert kept[1:] == all_of_them[len(all_of_them) - len(kept) + 1 :] if kept else not numbers
    assert not kept or (kept[0][0], kept[-1][1]) == (min(numbers), max(numbers))
