"""How often the writer asks the store."""

import pytest

from loopwatch_collector.write.writer import spacing_s


@pytest.mark.parametrize("round_s", [0.0, 0.05, 0.15, 0.3, 0.45, 0.6])
def test_what_has_just_missed_an_insert_is_a_run_within_a_second(round_s: float) -> None:
    """The wait for the next insert, and what that one takes until its runs are derived, are less than a second."""
    assert spacing_s(round_s) + round_s < 1


def test_a_fast_store_is_asked_less_often_and_a_slow_one_more_often() -> None:
    """What the store leaves of the second is waited for, within bounds: an insert of few spans is no cheaper."""
    assert spacing_s(0.05) == spacing_s(0.1) > spacing_s(0.3) > spacing_s(0.6) == spacing_s(30) == 0.3
