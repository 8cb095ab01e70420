"""Which queries can be asked for several sets of filters at once, and which of them for several ranges."""

import pytest

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.filter_sets.places import tells_ranges_apart

PART = """SELECT {{filter_sets_of_run}} run_id, start_time
FROM runs
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND toStartOfMinute(start_time) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'))
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
"""
STATEMENT = "SELECT {{filter_set}} count() AS runs FROM selected_runs GROUP BY {{filter_set}}"


def test_every_query_that_tells_sets_apart_tells_their_ranges_apart() -> None:
    """There are such queries, and each of them only selects by its range."""
    queries = [query for query in catalogue().values() if query.text_for_filter_sets]
    assert len(queries) >= 4
    assert all(query.tells_ranges_apart for query in queries)
    assert not any(query.tells_ranges_apart for query in catalogue().values() if query not in queries)


def test_a_query_that_only_selects_by_its_range_can_have_several() -> None:
    """Its own statement does not speak of it, and its parts give what they select to the sets."""
    assert tells_ranges_apart(STATEMENT, [PART])


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        (STATEMENT.replace("count()", "count() / ({to_ns:Int64} - {from_ns:Int64})"), PART),
        (STATEMENT, PART.replace(" run_id,", " run_id, intDiv(x - {from_ns:Int64}, 60) AS bucket,")),
        (STATEMENT, PART.replace(" run_id,", " run_id, intDiv({to_ns:Int64} - x, 60) AS bucket,")),
        (STATEMENT, PART.replace("AND start_time < ", "AND start_time < {from_ns:Int64} + ")),
        (STATEMENT, PART.replace("AND start_time < ", "AND start_time >= ")),
        (STATEMENT, PART.replace("{{filter_sets_of_run}} ", "")),
        (STATEMENT.replace("{{filter_set}}", ""), PART),
    ],
    ids=["rate", "buckets", "buckets from the end", "bound", "from the end on", "not given to sets", "no sets"],
)
def test_a_query_that_does_more_with_its_range_has_one(statement: str, part: str) -> None:
    """Rates by time, buckets and other bounds would be those of the whole range."""
    assert not tells_ranges_apart(statement, [part])
