"""Limits: each of them stops the run, or does what the author chose; and loops are written down without any."""

import time
from typing import Any

import pytest

import loopwatch
from loopwatch.testing import Recorder
from tests.sdk_agents import call_model, endless, search


@pytest.mark.parametrize(
    ("limits", "work", "limit", "value", "cap"),
    [
        (loopwatch.Limits(iterations=5), lambda number: None, "iterations", 6, 5),
        (loopwatch.Limits(tokens=450), lambda number: call_model(100), "tokens", 500, 450),
        (loopwatch.Limits(identical_calls=3), lambda number: search("same"), "identical_calls", 3, 3),
        (loopwatch.Limits(identical_calls=4), lambda number: search("same"), "identical_calls", 4, 4),
        (loopwatch.Limits(loops=True), lambda number: search("same"), "loops", 3, 3),
        (loopwatch.Limits(loops=True), lambda number: search(str(number % 2)), "loops", 4, 4),
        (loopwatch.Limits(cost_usd=0.25), lambda number: call_model(100_000), "cost_usd", 0.3, 0.25),
        (
            loopwatch.Limits(cost_usd=0.25, unpriced="stop"),
            lambda number: call_model(1, "unheard-of-model"),
            "cost_usd",
            0,
            0.25,
        ),
    ],
)
def test_limit_stops_the_run(
    loopwatch_recorder: Recorder, limits: loopwatch.Limits, work: Any, limit: str, value: float, cap: float
) -> None:
    """A reached cap raises LimitExceeded that says which, value and cap; the run's outcome is stopped."""
    with pytest.raises(loopwatch.LimitExceeded) as stopped:
        endless(limits, work)()
    assert (stopped.value.limit, stopped.value.value, stopped.value.cap) == (limit, pytest.approx(value), cap)
    run = loopwatch_recorder.run
    run.assert_outcome("stopped")
    assert run.span.attributes["loopwatch.limit.name"] == limit
    assert run.span.attributes["loopwatch.outcome.reason"] == str(stopped.value)
    assert [event.name for event in run.span.events].count("loopwatch.limit") == 1


def test_model_without_price_is_warned_of_and_never_free(
    loopwatch_recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """With unpriced="warn" the run goes on, its cost is not known, and the log says so."""
    endless(loopwatch.Limits(cost_usd=0.01), lambda number: call_model(1_000_000, "unheard-of-model"))()
    loopwatch_recorder.run.assert_outcome("completed")
    assert "unheard-of-model" in caplog.text
    with pytest.raises(AssertionError, match="not known"):
        loopwatch_recorder.run.assert_cost_under(1)


def test_duration_limit_stops_the_run(loopwatch_recorder: Recorder) -> None:
    """Wall time is a cap too."""
    with pytest.raises(loopwatch.LimitExceeded, match="duration_s"):
        endless(loopwatch.Limits(duration_s=0.001), lambda number: time.sleep(0.002))()


def test_limit_that_only_records_lets_the_run_go_on(
    loopwatch_recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """on_limit="record" writes the limit on the run, once, and the run completes."""
    endless(loopwatch.Limits(iterations=3, on_limit="record"), lambda number: None)()
    run = loopwatch_recorder.run
    run.assert_outcome("completed")
    assert run.span.attributes["loopwatch.limit.name"] == "iterations"
    assert [event.name for event in run.span.events] == ["loopwatch.limit"]
    assert "recorded only" in caplog.text


def test_limit_handler_is_called_once_and_may_raise(loopwatch_recorder: Recorder) -> None:
    """A function as on_limit gets the LimitExceeded; what it raises reaches the agent, and stops the run."""
    seen: list[loopwatch.LimitExceeded] = []
    endless(loopwatch.Limits(iterations=3, on_limit=seen.append), lambda number: None)()
    assert [exceeded.limit for exceeded in seen] == ["iterations"]

    def refuse(exceeded: loopwatch.LimitExceeded) -> None:
        raise exceeded

    with pytest.raises(loopwatch.LimitExceeded):
        endless(loopwatch.Limits(iterations=3, on_limit=refuse), lambda number: None)()
    assert [run.outcome for run in loopwatch_recorder.runs] == ["completed", "stopped"]


def test_caught_limit_still_stops(loopwatch_recorder: Recorder) -> None:
    """An agent may catch the limit to end in order; the outcome stays stopped."""

    @loopwatch.agent(limits=loopwatch.Limits(iterations=1))
    def agent() -> str:
        try:
            for _ in loopwatch.iterations():
                pass
        except loopwatch.LimitExceeded:
            return "gave up"
        return "never"

    assert agent() == "gave up"
    loopwatch_recorder.run.assert_outcome("stopped")


def test_remaining_says_what_is_left(loopwatch_recorder: Recorder) -> None:
    """current_run().remaining counts down, and has None where there is no cap."""

    @loopwatch.agent(limits=loopwatch.Limits(iterations=5, tokens=1000))
    def agent() -> Any:
        for _ in loopwatch.iterations(2):
            call_model(100)
        run = loopwatch.current_run()
        assert run is not None
        return run.remaining

    left = agent()
    assert (left.iterations, left.tokens, left.cost_usd, left.duration_s) == (3, 800, None, None)
    assert loopwatch.current_run() is None


def test_spans_of_one_response_count_once(loopwatch_recorder: Recorder) -> None:
    """A wrapper's span beside the client's own does not use the tokens up twice."""

    @loopwatch.agent
    def agent() -> int:
        call_model(100, response_id="msg_1")
        call_model(100, response_id="msg_1")
        call_model(100, response_id="msg_2")
        run = loopwatch.current_run()
        assert run is not None
        return run.tokens

    assert agent() == 200


def test_loop_is_written_on_the_call_that_completes_it(loopwatch_recorder: Recorder) -> None:
    """Without any limit a loop is an event, explained."""
    endless(loopwatch.Limits(), lambda number: search("same"))()
    looping = [span for span in loopwatch_recorder.spans if span.events]
    assert len(looping) == 1
    assert looping[0].events[0].attributes["loopwatch.loop.kind"] == "identical_calls"
    assert "3 times" in looping[0].events[0].attributes["loopwatch.loop.explanation"]


@pytest.mark.parametrize(
    ("caps", "named"),
    [
        ({"on_limit": "rais"}, ["on_limit='rais'", "'raise', 'record'"]),
        ({"tokens": "5"}, ["tokens='5'", "whole number"]),
        ({"iterations": 2.5}, ["iterations=2.5", "whole number"]),
        ({"identical_calls": True}, ["identical_calls=True"]),
        ({"cost_usd": float("nan")}, ["cost_usd=nan"]),
        ({"duration_s": 0, "loops": "yes"}, ["duration_s=0", "loops='yes'"]),
        ({"unpriced": ["stop"]}, ["unpriced=['stop']", "'warn', 'stop'"]),
    ],
)
def test_cap_that_would_cap_nothing_is_refused(caps: dict[str, Any], named: list[str]) -> None:
    """A word or a type that could not be held to is refused where it is written, every one of them at once."""
    with pytest.raises(loopwatch.ConfigurationError) as refused:
        loopwatch.Limits(**caps)
    for words in named:
        assert words in str(refused.value)


def test_limits_of_another_type_are_refused() -> None:
    """A dict in place of Limits would leave the runs unlimited."""
    wrong: Any = {"iterations": 1}
    with pytest.raises(loopwatch.ConfigurationError, match=r"write loopwatch\.Limits"):
        loopwatch.agent(limits=wrong)
