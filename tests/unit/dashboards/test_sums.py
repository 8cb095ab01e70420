"""Sums by a key."""

from loopwatch_dashboards import sums

ROWS = [
    {"bucket": "1", "model": "opus", "cost_usd": 2.0},
    {"bucket": "1", "model": "", "cost_usd": None},
    {"bucket": "2", "model": "opus", "cost_usd": None},
    {"bucket": "2", "model": "haiku", "cost_usd": 3.0},
]


def test_key_of_which_nothing_is_known_is_left_out() -> None:
    """A model without any known cost is no part of the cost; one with some is, with what is known."""
    assert sums.by_key(ROWS, "model", "cost_usd") == {"haiku": 3.0, "opus": 2.0}


def test_unknown_amounts_are_not_folded_into_zero() -> None:
    """A bucket in which nothing is known has no bar."""
    folded = sums.folded(ROWS, "model", "cost_usd")
    assert sorted((row["bucket"], row["model"], row["cost_usd"]) for row in folded) == [
        ("1", "opus", 2.0),
        ("2", "haiku", 3.0),
    ]
