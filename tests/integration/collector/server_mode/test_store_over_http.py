"""The tests of the store and its queries, once more on a server's HTTP interface."""

import importlib
import inspect
import os
import pkgutil
from pathlib import Path

from _pytest.fixtures import FixtureFunctionDefinition  # fixtures of a test's own module are needed here too

_STORE = "tests.integration.collector.store"
_LEFT_OUT = {
    "test_loops",  # a table of cases for one question, which the others ask over HTTP too
    "test_cut_answers",  # cuts the answers of the embedded engine
}
# What only counts anew what statements answer that other tests here ask too, with every kind of parameter and insert:
# behind the front is the very engine for which the store's own tests count it. A real server is asked all of it.
_SAME_BEHIND_THE_FRONT = {
    "test_a_question_about_a_day_reads_that_day_only",
    "test_a_release_without_prices_is_compared_but_for_its_cost",
    "test_a_span_counts_only_in_the_run_that_its_newest_version_names",
    "test_duplicates_and_any_order_change_no_number",
    "test_failed_calls_told_by_several_libraries_count_once",
    "test_few_priced_runs_say_nothing_of_the_cost",
    "test_four_weeks_foretell_weekdays_and_a_trend",
    "test_rebuilt_runs_equal_those_written_live",
    "test_runs_are_listed_in_any_order_page_by_page",
    "test_the_interval_is_that_of_least_squares",
    "test_the_parts_of_the_cost_add_up_to_it",
    "test_three_days_foretell_their_mean",
    "test_too_little_is_not_foretold",
    "test_what_an_agent_used_in_all_counts_where_no_call_below_it_is_seen",
}
_TESTS_LEFT_OUT = set[str]() if os.environ.get("LOOPWATCH_TEST_CLICKHOUSE_URL") else _SAME_BEHIND_THE_FRONT

for _module in pkgutil.iter_modules([str(Path(__file__).parents[1] / "store")]):
    if _module.name.startswith("test_") and _module.name not in _LEFT_OUT:
        _things = vars(importlib.import_module(f"{_STORE}.{_module.name}"))
        globals().update(
            {
                name: thing
                for name, thing in _things.items()
                if isinstance(thing, FixtureFunctionDefinition)
                or (
                    name not in _TESTS_LEFT_OUT
                    and name.startswith("test_")
                    and "store" in inspect.signature(thing).parameters
                )
            }
        )
