"""Which queries can be asked for several sets of filters at once, and which of them for several ranges."""

import pytest

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.filter_sets.places import can_begin_apart

PART = """SELECT {{filter_sets_of_run}} run_id, start_time
FROM runs
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND toStartOfMinute(start_time) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'))
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
"""
STATEMENT = "SELECT {{filter_set}} count() AS runs FROM selected_runs GROUP BY {{filter_set}}"


def test_every_query_that_tells_sets_apart_tells_their_beginnings_apart() -> None:
    """There are such queries, and each of them only selects by the beginning of its range."""
    queries = [query for query in catalogue().values() if query.text_for_filter_sets]
    assert len(queries) >= 4
    assert all(query.can_begin_apart for query in queries)
    assert not any(query.can_begin_apart for query in catalogue().values() if query not in queries)


def test_a_query_that_selects_by_the_beginning_alone_can_have_several() -> None:
    """Its own statement does not speak of it, and its parts give what they select to the sets."""
    assert can_begin_apart(STATEMENT, [PART])


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        (STATEMENT.replace("count()", "count() / ({to_ns:Int64} - {from_ns:Int64})"), PART),
        (STATEMENT, PART.replace(" run_id,", " run_id, intDiv(x - {from_ns:Int64}, 60) AS bucket,")),
        (STATEMENT, PART.replace("AND start_time < ", "AND start_time < {from_ns:Int64} + ")),
        (STATEMENT, PART.replace("{{filter_sets_of_run}} ", "")),
        (STATEMENT.replace("{{filter_set}}", ""), PART),
    ],
    ids=["rate", "buckets", "bound", "not given to sets", "no sets"],
)
def test_a_query_that_does_more_with_the_beginning_has_one(statement: str, part: str) -> None:
    """Rates by time, buckets and other bounds would be those of the longest range."""
    assert not can_begin_apart(statement, [part])
