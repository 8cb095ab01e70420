"""Statements without the filters that nobody uses."""

from loopwatch_collector.queries.catalogue import FILTERS, catalogue
from loopwatch_collector.queries.filter_lines import without_unused_filters
from loopwatch_collector.queries.reading import reading


def test_only_filters_in_use_are_asked_about() -> None:
    """A statement keeps the lines of the dimensions that have values, and loses those of the others."""
    sql = catalogue()["runs_summary"].sql
    kept = without_unused_filters(sql, {name: ["support"] if name == "agent" else [] for name in FILTERS})
    assert "{agent:Array(String)}" in kept
    assert all(f"{{{name}:Array(String)}}" not in kept for name in FILTERS if name != "agent")


def test_every_filter_of_every_statement_can_be_left_out() -> None:
    """No question and no list of runs mentions a dimension once nothing is filtered by it, and nothing else is lost."""
    nothing = {name: [] for name in (*FILTERS, "conversation", "outcome")}
    for sql in [*(query.sql for query in catalogue().values()), reading("list_runs")]:
        lost = set(sql.splitlines()) - set(without_unused_filters(sql, nothing).splitlines())
        assert "empty({" not in without_unused_filters(sql, nothing)
        assert all("empty({" in line for line in lost)


def test_all_filters_in_use_leave_the_statement_as_it_is() -> None:
    """With a value for each dimension nothing is taken away."""
    sql = catalogue()["spend_by"].sql
    assert without_unused_filters(sql, {name: ["a"] for name in FILTERS}) == sql
