"""Runs: their spans, whom they are for, how they end, and what an agent says about itself."""

from typing import Any

import pytest
from opentelemetry import trace

import loopwatch
from loopwatch.testing import Recorder, record
from tests.sdk_agents import call_model, search

EVERYWHERE = {
    "loopwatch.run.id",
    "gen_ai.agent.name",
    "gen_ai.agent.version",
    "deployment.environment.name",
    "gen_ai.conversation.id",
    "loopwatch.customer.id",
    "user.id",
    "loopwatch.tags",
    "gen_ai.prompt.name",
    "gen_ai.prompt.version",
    "loopwatch.seq",
}


def test_spans_of_a_run_nest_and_carry_what_the_design_lists(loopwatch_recorder: Recorder) -> None:
    """Run > iteration > model call and tool call, another library's span too, each with the run's identity."""

    @loopwatch.agent(
        name="resolver", version="12", tags=["production"], prompt_name="main", prompt_version="3", environment="eu"
    )
    def resolve(alert: str) -> str:
        for iteration in loopwatch.iterations(2):
            call_model()
            search(f"{alert} {iteration.number}")
            with trace.get_tracer("another.library").start_as_current_span("GET"):
                pass
        with loopwatch.step("validate"):
            loopwatch.decide("fixed", "yes", confidence=2.0, reasoning="quiet again")
        return "done"

    with loopwatch.context(conversation_id="c1", customer_id="acme", user_id="bob"):
        assert resolve("slow") == "done"

    assert sorted(loopwatch_recorder.tree().splitlines()) == sorted(
        [
            "invoke_agent resolver",
            "  iteration 1",
            "    chat claude-haiku-4-5",
            "    execute_tool search",
            "    GET",
            "  iteration 2",
            "    chat claude-haiku-4-5",
            "    execute_tool search",
            "    GET",
            "  step validate",
        ]
    )
    for span in loopwatch_recorder.spans:
        assert span.attributes.keys() >= EVERYWHERE, span.name
    iterations = [span.attributes.get("loopwatch.iteration") for span in loopwatch_recorder.spans]
    assert iterations == [1, 1, 1, 1, 2, 2, 2, 2, None, None]
    decided = loopwatch_recorder.named("step validate")[0].events[0]
    assert (decided.name, decided.attributes["loopwatch.decision.confidence"]) == ("loopwatch.decision", 1.0)
    assert loopwatch_recorder.named("step validate")[0].attributes["loopwatch.step"] == "validate"


def test_outcome_escalated_goes_before_failed(loopwatch_recorder: Recorder) -> None:
    """A run that hands over and then raises was escalated, with reason, priority and last tool."""

    @loopwatch.agent
    def resolve() -> None:
        for _ in loopwatch.iterations():
            search("x")
            loopwatch.escalate("no fix found", priority="high")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        resolve()
    run = loopwatch_recorder.run
    run.assert_outcome("escalated")
    assert run.span.attributes["loopwatch.outcome.reason"] == "no fix found"
    escalation = next(event for event in run.span.events if event.name == "loopwatch.escalation")
    assert escalation.attributes["loopwatch.escalation.last_tool"] == "search"
    assert escalation.attributes["loopwatch.escalation.priority"] == "high"


def test_outcome_failed_names_the_exception(loopwatch_recorder: Recorder) -> None:
    """An exception that leaves the agent is the run's failure."""

    @loopwatch.agent
    def resolve() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        resolve()
    run = loopwatch_recorder.run
    run.assert_outcome("failed")
    assert run.span.attributes["error.type"] == "LookupError"


def test_nested_agent_is_a_run_of_its_own(loopwatch_recorder: Recorder) -> None:
    """A run inside a run names its parent, inherits whom it is for, and counts for itself."""

    @loopwatch.agent(name="inner")
    def inner() -> None:
        call_model(100)

    @loopwatch.agent(name="outer")
    def outer() -> int:
        for _ in loopwatch.iterations(1):
            inner()
        call_model(7)
        run = loopwatch.current_run()
        assert run is not None
        return run.tokens

    with loopwatch.context(customer_id="acme"):
        assert outer() == 7
    inside, outside = loopwatch_recorder.runs
    assert inside.span.attributes["loopwatch.parent_run.id"] == outside.span.attributes["loopwatch.run.id"]
    assert inside.span.attributes["loopwatch.customer.id"] == "acme"
    assert inside.span.trace_id == outside.span.trace_id
    assert "loopwatch.iteration" not in inside.span.attributes


def test_identity_may_follow_from_the_arguments(loopwatch_recorder: Recorder) -> None:
    """conversation, customer and user may be functions of the agent's arguments by name."""

    @loopwatch.agent(conversation_id=lambda ticket: ticket["thread"], customer_id="acme", user_id=lambda **all: "bob")
    def answer(ticket: dict[str, str], hurry: bool = False) -> None:
        search(ticket["question"])

    answer({"thread": "t9", "question": "why"})
    for span in loopwatch_recorder.spans:
        found = [span.attributes[name] for name in ("gen_ai.conversation.id", "loopwatch.customer.id", "user.id")]
        assert found == ["t9", "acme", "bob"]


def test_iterations_left_by_break_return_or_exception_are_closed(loopwatch_recorder: Recorder) -> None:
    """However the loop is left, its iteration ends with it, and what follows is outside it."""

    @loopwatch.agent
    def agent(how: str) -> None:
        for _ in loopwatch.iterations():
            if how == "break":
                break
            if how == "return":
                return
            raise KeyError
        search("after")

    agent("break")
    agent("return")
    with pytest.raises(KeyError):
        agent("raise")
    assert len(loopwatch_recorder.named("iteration 1")) == 3
    assert "loopwatch.iteration" not in loopwatch_recorder.named("execute_tool search")[0].attributes


def test_everything_calls_straight_through_unconfigured() -> None:
    """In a process never configured nothing is recorded, and everything works."""
    assert search("x") == "found x"
    assert [iteration.number for iteration in loopwatch.iterations(2)] == [1, 2]
    with loopwatch.agent(name="x") as run, loopwatch.step("y"), loopwatch.model_call("m") as call:
        call.record(input_tokens=1)
    assert run is None
    loopwatch.decide("a", "b")
    loopwatch.escalate("c")
    assert loopwatch.current_run() is None
    assert loopwatch.flush()


def test_capture_of_run_and_tool_and_argument() -> None:
    """A run may capture what the process does not; a tool may hide an argument, or everything."""

    @loopwatch.tool(hide=["password"])
    def login(user: str, password: str) -> str:
        return "in"

    @loopwatch.tool(capture=False)
    def private(value: str) -> str:
        return value

    @loopwatch.agent(capture=["tool_calls"])
    def agent(question: str) -> str:
        login("bob", "hunter2")
        private("secret")
        return question

    with record(capture=False) as recorder:
        agent("what")
        login("bob", "hunter2")
    inside, hidden, run, outside = recorder.spans
    assert inside.attributes["gen_ai.tool.call.arguments"] == '{"user":"bob","password":"[hidden]"}'
    assert "gen_ai.tool.call.arguments" not in hidden.attributes
    assert "gen_ai.tool.call.arguments" not in outside.attributes
    assert "loopwatch.input" not in run.attributes
    assert run.attributes["loopwatch.input.bytes"] == len('{"question":"what"}')


def test_feedback_is_a_verdict_on_the_run() -> None:
    """It is the convention's evaluation event on the run's span, also with capture off."""
    with record(capture=False) as recorder, loopwatch.agent(name="judged"):
        loopwatch.feedback("helpful", score=1, label="pass", explanation="solved it")
    (verdict,) = recorder.run.span.events
    assert verdict.name == "gen_ai.evaluation.result"
    assert dict(verdict.attributes) == {
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.evaluation.score.value": 1.0,
        "gen_ai.evaluation.score.label": "pass",
        "gen_ai.evaluation.explanation": "solved it",
    }
    loopwatch.feedback("outside a run")


def test_one_tag_is_not_taken_apart() -> None:
    """`tags="prod"` is refused wherever tags are given: it would be the tags p, r, o and d."""
    wrong: Any = "prod"
    with pytest.raises(loopwatch.ConfigurationError, match=r"tags=\['prod'\]"):
        loopwatch.agent(tags=wrong)
    with pytest.raises(loopwatch.ConfigurationError, match=r"tags=\['prod'\]"), loopwatch.context(tags=wrong):
        pass


def test_confidence_and_priority_that_were_taken_otherwise_are_told(
    loopwatch_recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """85 becomes 1, and the log says so once for a decision that repeats it; so it asks about a misspelt priority."""

    @loopwatch.agent
    def in_per_cent() -> None:
        for _ in range(9):
            loopwatch.decide("root_cause", "disk", confidence=85)
        loopwatch.decide("root_cause", "disk", confidence=0.85)
        loopwatch.escalate("nothing found", priority="hgih")
        loopwatch.escalate("nothing found", priority="P1")
        loopwatch.escalate("nothing found", priority="hgih")

    in_per_cent()
    told = [entry.getMessage() for entry in caplog.records]
    assert [sentence for sentence in told if "confidence=85" in sentence and "1 was recorded" in sentence] == [told[0]]
    assert [sentence for sentence in told if "priority=" in sentence] == [told[1]]
    assert "did you mean 'high'?" in told[1]
    assert len(told) == 2
    escalations = [event for event in loopwatch_recorder.run.span.events if event.name == "loopwatch.escalation"]
    kept = [(event.attributes or {})["loopwatch.escalation.priority"] for event in escalations]
    assert kept == ["hgih", "P1", "hgih"]
