"""A statement of its own for each value of what a query tells apart."""

import pytest

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.variants import tells_apart, variant

TEXT = """SELECT multiIf(
    {dimension:String} = 'agent', toString(agent),
    {dimension:String} = 'tag', arrayJoin(tags),
    ''
) AS key
FROM selected_runs
{{when dimension = tag, team}} LEFT JOIN labels USING (run_id)
GROUP BY key
"""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("agent", "SELECT toString(agent) AS key\nFROM selected_runs\nGROUP BY key\n"),
        ("tag", "SELECT arrayJoin(tags) AS key\nFROM selected_runs\nLEFT JOIN labels USING (run_id)\nGROUP BY key\n"),
        ("team", "SELECT '' AS key\nFROM selected_runs\nLEFT JOIN labels USING (run_id)\nGROUP BY key\n"),
        ("all", "SELECT '' AS key\nFROM selected_runs\nGROUP BY key\n"),
    ],
)
def test_a_variant_has_what_its_value_needs_and_no_more(value: str, expected: str) -> None:
    """Of the branches its own stays, or the last one; lines for other values are gone."""
    assert variant(TEXT, "dimension", value) == expected


def test_a_text_tells_the_parameter_apart_that_its_places_name() -> None:
    """Branches and lines for single values count; a parameter that is only bound does not."""
    assert tells_apart(TEXT, "dimension")
    assert tells_apart("{{when size = small}} LIMIT 1\n", "size")
    assert not tells_apart(TEXT, "size")
    assert not tells_apart("SELECT {size:String}\n", "size")


@pytest.mark.parametrize("name", ["spend_by", "spend_top_runs", "outcomes_by", "tool_reliability"])
def test_a_statement_of_rules_plans_the_dimension_it_is_asked_for_only(name: str) -> None:
    """No statement asks the engine which dimension is meant, or reads attributes and tags for another one."""
    query = catalogue()[name]
    values = next(param.values for param in query.params if param.name == "dimension")
    assert {"tag", "attribute"} < set(values)
    for value in values:
        for sql in (query.sql_for({"dimension": value}), query.sql_for_filter_sets({"dimension": value})):
            assert sql
            assert "{dimension" not in sql
            assert ("{attribute:" in sql) == (value == "attribute")
            assert ("tags" in sql) == (value == "tag")
            assert ("labels" in sql) == (value in {"tag", "attribute"})
