"""How often the writer asks the store."""

import pytest

from loopwatch_collector.write.writer import pause_s, spacing_s


@pytest.mark.parametrize("round_s", [0.0, 0.05, 0.15, 0.3, 0.45, 0.6])
def test_what_has_just_missed_an_insert_is_a_run_within_a_second(round_s: float) -> None:
    """The wait for the next insert, and what that one takes until its runs are derived, are less than a second."""
    assert spacing_s(round_s) + round_s < 1


def test_a_fast_store_is_asked_less_often_and_a_slow_one_more_often() -> None:
    """What the store leaves of the second is waited for, within bounds: an insert of few spans is no cheaper."""
    assert spacing_s(0.05) == spacing_s(0.1) > spacing_s(0.3) > spacing_s(0.6) == spacing_s(30) == 0.3


@pytest.mark.parametrize(("derived_in_s", "usual_s", "busy_s", "behind_s"), [(0.2, 0.1, 2, 3.2), (5, 2.5, 2.5, 8)])
def test_the_more_there_is_to_write_the_longer_deriving_rests(
    derived_in_s: float, usual_s: float, busy_s: float, behind_s: float
) -> None:
    """Half of what it took, two seconds at least with large batches, sixteen times as much up to 8 s behind."""
    assert pause_s(derived_in_s, is_busy=False, is_behind=False) == usual_s
    assert pause_s(derived_in_s, is_busy=True, is_behind=False) == busy_s
    assert pause_s(derived_in_s, is_busy=True, is_behind=True) == pytest.approx(behind_s)
