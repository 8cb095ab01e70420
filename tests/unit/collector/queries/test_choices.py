"""Statements without the branches of choices that their parameters rule out."""

import re

import pytest

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.choices import without_other_choices

CHOOSING = [
    (query, value)
    for query in catalogue().values()
    for param in query.params
    if param.name == "dimension"
    for value in param.values
]


def test_only_what_was_chosen_is_read() -> None:
    """Of the branches of a choice the one for the value stands in its place, and nothing else is lost."""
    sql = catalogue()["spend_by"].sql
    asked = without_other_choices(sql, {"dimension": "customer"})
    assert re.search(r"\bcustomer_id AS key\b", asked)
    assert set(asked.splitlines()) - set(sql.splitlines()) == {"        customer_id AS key,"}


def test_a_value_that_no_branch_is_for_leaves_what_stands_for_all_others() -> None:
    """Nothing is chosen from any more."""
    asked = without_other_choices("SELECT multiIf(\n    {by:String} = 'a', b,\n    ''\n) AS key", {"by": "all"})
    assert asked == "SELECT '' AS key"


@pytest.mark.parametrize(("query", "value"), CHOOSING, ids=lambda part: getattr(part, "name", part))
def test_no_query_keeps_a_branch_for_another_value(query, value) -> None:
    """Whatever dimension is asked about, no branch for another is in the statement; of none, all of them are."""
    sql = query.sql_for({"dimension": value})
    asked = without_other_choices(sql, {"dimension": value})
    others = {other for _, other in CHOOSING} - {value}
    assert not any(re.search(rf"^ *\{{dimension:String\}} = '{other}', ", asked, re.MULTILINE) for other in others)
    assert without_other_choices(sql, {"model": []}) == sql


def test_branches_that_ask_something_else_stay() -> None:
    """A line that is not of the form is left where it is, and so is what it stands among."""
    sql = "multiIf(\n    {by:String} = 'a' AND c, d,\n    {by:String} = 'b', e,\n    f\n)"
    assert without_other_choices(sql, {"by": "z"}) == "multiIf(\n    {by:String} = 'a' AND c, d,\n    f\n)"
    assert without_other_choices(sql, {"by": "b"}) == sql
    assert without_other_choices(sql.replace("a' AND c", "a'"), {"by": "a"}) == "d"
