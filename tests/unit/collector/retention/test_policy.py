from datetime import date

import pytest

from loopwatch_collector.retention.policy import Days, Partition, RetentionPolicy, expired, parse_projects

TODAY = date(2026, 3, 31)


def _partition(table: str, day: date, project: str = "default") -> Partition:
    return Partition(table, "id", project, day, 1, 1)


@pytest.mark.parametrize(
    ("table", "day", "goes"),
    [
        ("spans", date(2026, 3, 31), False),
        ("spans", date(2026, 3, 22), False),
        ("spans", date(2026, 3, 21), True),
        ("contents", date(2026, 3, 29), False),
        ("contents", date(2026, 3, 28), True),
        ("log_events", date(2026, 3, 29), False),
        ("log_events", date(2026, 3, 28), True),
        ("metric_points", date(2026, 3, 22), False),
        ("metric_points", date(2026, 3, 21), True),
        ("runs", date(2026, 3, 28), False),
        ("spans", date(2026, 4, 1), False),
    ],
)
def test_days_are_counted_with_today(table: str, day: date, goes: bool) -> None:
    """Ten days of spans and three of content are today and the nine or two days before it; the future stays."""
    policy = RetentionPolicy(Days(content=3, everything=10))
    assert bool(expired([_partition(table, day)], policy, TODAY)) is goes


def test_content_never_outlives_its_spans() -> None:
    """Content that may be kept longer than spans goes with them: nothing would lead to it any more."""
    policy = RetentionPolicy(Days(content=30, everything=5))
    assert expired([_partition("contents", date(2026, 3, 20))], policy, TODAY)


def test_a_named_project_has_its_own_days() -> None:
    """A project's own days hold for it and for no other."""
    policy = RetentionPolicy(Days(1, 1), parse_projects("law:30:400, shop:2:5"))
    old = date(2026, 3, 1)
    kept = [_partition("spans", old, project) for project in ("law", "shop", "default")]
    assert [partition.project for partition in expired(kept, policy, TODAY)] == ["shop", "default"]


@pytest.mark.parametrize("text", ["law", "law:30", "law:0:5", ":1:2", "law:-1:5", "law:a:b"])
def test_a_malformed_entry_is_named(text: str) -> None:
    """An entry that is not project:content_days:days is refused by its own text."""
    with pytest.raises(ValueError, match=text):
        parse_projects(f"shop:2:5,{text}")
