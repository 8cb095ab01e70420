"""`loopwatch.testing`: each assertion passes where it should and says what is wrong where not; so does the fixture."""

from collections.abc import Callable

import pytest

import loopwatch
from loopwatch.testing import RecordedRun, Recorder, record
from tests.sdk_agents import call_model, search

pytest_plugins = ["pytester"]


@pytest.fixture(scope="module")
def run() -> RecordedRun:
    """A run of two iterations: a model call of a cent, and two calls of `search`."""

    @loopwatch.agent(name="resolver")
    def resolve() -> None:
        for iteration in loopwatch.iterations(2):
            search("logs", minutes=iteration.number)
        call_model(10_000)
        loopwatch.escalate("nothing found")

    with record() as recorder:
        resolve()
    return recorder.run


Check = Callable[[RecordedRun], None]

HOLD: dict[str, Check] = {
    "called": lambda run: run.assert_tool_called("search"),
    "called so often": lambda run: run.assert_tool_called("search", times=2),
    "called with": lambda run: run.assert_tool_called_with("search", query="logs", minutes=2),
    "called with some of them": lambda run: run.assert_tool_called_with("search", minutes=1),
    "never called": lambda run: run.assert_tool_never_called("delete"),
    "iterations": lambda run: run.assert_iterations_at_most(2),
    "cost": lambda run: run.assert_cost_under(0.0101),
    "outcome": lambda run: run.assert_outcome("escalated"),
}
FAIL: dict[str, tuple[Check, str]] = {
    "called": (
        lambda run: run.assert_tool_called("delete"),
        "tool 'delete' should have been called at least once, but was 0 times; tools called: ['search']",
    ),
    "called so often": (
        lambda run: run.assert_tool_called("search", times=3),
        "tool 'search' should have been called 3 times, but was 2 times; tools called: ['search']",
    ),
    "called with": (
        lambda run: run.assert_tool_called_with("search", query="traces"),
        "no call of tool 'search' had {'query': 'traces'}; calls had [{'query': 'logs', 'minutes': 1}, "
        "{'query': 'logs', 'minutes': 2}]; tools called: ['search']",
    ),
    "never called": (
        lambda run: run.assert_tool_never_called("search"),
        "tool 'search' should never have been called, but was, with [{'query': 'logs', 'minutes': 1}, "
        "{'query': 'logs', 'minutes': 2}]",
    ),
    "iterations": (
        lambda run: run.assert_iterations_at_most(1),
        "the run should have had at most 1 iterations, but had 2",
    ),
    "cost": (lambda run: run.assert_cost_under(0.01), "the run should have cost under $0.01, but cost $0.01"),
    "outcome": (
        lambda run: run.assert_outcome("completed"),
        "the run should have been completed, but was escalated: nothing found",
    ),
}


@pytest.mark.parametrize("check", HOLD.values(), ids=HOLD)
def test_assertion_that_holds_passes(run: RecordedRun, check: Check) -> None:
    """Every assertion is silent about what is so."""
    check(run)


@pytest.mark.parametrize(("check", "message"), FAIL.values(), ids=FAIL)
def test_assertion_that_does_not_hold_says_what_is_so(run: RecordedRun, check: Check, message: str) -> None:
    """Every assertion fails with a sentence that names what was expected and what was found."""
    with pytest.raises(AssertionError) as failed:
        check(run)
    assert str(failed.value) == message


def test_cost_that_is_not_known_is_not_under_anything() -> None:
    """A model without a price fails the assertion: it is not free."""
    with record() as recorder, loopwatch.agent(name="a"):
        call_model(1, "unheard-of-model")
    with pytest.raises(AssertionError, match="cost is not known: a model it called has no price here"):
        recorder.run.assert_cost_under(100)


def test_only_run_is_one() -> None:
    """`recorder.run` says how many there are if it is not one."""
    with record() as recorder:
        with pytest.raises(AssertionError, match="one run was expected, but 0 have ended"):
            _ = recorder.run
        for _ in range(2):
            with loopwatch.agent(name="a"):
                pass
    with pytest.raises(AssertionError, match="one run was expected, but 2 have ended"):
        _ = recorder.run


def test_identities_count_up_and_the_clock_ticks() -> None:
    """Two recordings of the same agent are equal to the last digit."""

    def recorded() -> Recorder:
        with record() as recorder, loopwatch.agent(name="a"):
            search("x")
        return recorder

    first, second = recorded(), recorded()
    assert first.spans == second.spans
    call, run = first.spans
    assert (run.trace_id, run.span_id, call.span_id) == (f"{2:032x}", f"{3:016x}", f"{4:016x}")
    assert [run.start_ns, call.start_ns, call.end_ns, run.end_ns] == [
        1_767_225_600_000_000_000 + tick * 1_000_000 for tick in range(4)
    ]


def test_fixture_records_and_a_failing_assertion_is_readable(pytester: pytest.Pytester) -> None:
    """The plugin comes with the package: no import, no configuration, each test its own recorder."""
    pytester.makepyfile(
        """
        import loopwatch

        @loopwatch.tool
        def look(key):
            return key

        @loopwatch.agent(name="finder")
        def finder(key):
            return look(key)

        def test_finds(loopwatch_recorder):
            finder("a")
            loopwatch_recorder.run.assert_tool_called_with("look", key="a")

        def test_starts_anew(loopwatch_recorder):
            assert loopwatch_recorder.runs == []
            finder("b")
            loopwatch_recorder.run.assert_tool_never_called("look")
        """
    )
    result = pytester.runpytest_subprocess("-q")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E *AssertionError: tool 'look' should never have been called, but was, with *'b'*"])


def test_plugin_costs_a_session_without_agents_nothing(pytester: pytest.Pytester) -> None:
    """It is loaded in every session of an environment that has the package; the SDK is not imported by it."""
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            assert not [name for name in sys.modules if name.startswith("opentelemetry")]
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
