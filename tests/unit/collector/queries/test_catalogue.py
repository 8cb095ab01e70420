"""What the head of a query's file says, and what becomes of it."""

from loopwatch_collector.queries.catalogue import parse

HEAD = "-- title: Loops\n-- column: run_id text | The run\n-- with: selected_runs, loop_candidates, found_loops\n"


def test_a_query_that_needs_a_part_has_a_statement_that_asks_for_a_row_of_it() -> None:
    """It reads the part and what that reads, and nothing of the query's own; without `needs` there is none."""
    statement = "SELECT run_id FROM found_loops\n"
    needed = parse("loops", f"{HEAD}-- needs: loop_candidates\n{statement}").needed_sql
    assert needed.endswith("SELECT 1 FROM loop_candidates LIMIT 1\n")
    assert "selected_runs AS (" in needed
    assert "found_loops" not in needed
    assert parse("loops", f"{HEAD}{statement}").needed_sql == ""


def test_a_query_says_how_many_threads_answer_it_soonest() -> None:
    """One, unless its head says two."""
    assert parse("loops", f"{HEAD}SELECT 1\n").threads == 1
    assert parse("loops", f"{HEAD}-- threads: 2\nSELECT 1\n").threads == 2
