"""Runs, their spans, outcomes and limits, as an author's agent makes them."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace

import loopwatch
from loopwatch.testing import Recorder, record

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


@loopwatch.tool(not_found=[None])
def search(query: str, minutes: int = 30) -> str | None:
    """Finds things."""
    return None if query == "nothing" else f"found {query}"


@loopwatch.tool
async def fetch(url: str) -> str:
    """Fetches things."""
    await asyncio.sleep(0)
    return url


def call_model(tokens: int = 100, model: str = "claude-haiku-4-5", response_id: str = "") -> None:
    """One model call."""
    with loopwatch.model_call(model, provider="anthropic") as call:
        call.record(input_tokens=tokens, output_tokens=0, response_id=response_id or None)


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


def test_tool_call_records_arguments_result_and_outcome(loopwatch_recorder: Recorder) -> None:
    """Arguments have their defaults filled in; a declared empty value is not_found; hash and size are always there."""
    search("logs")
    search("nothing", minutes=5)
    found, missing = loopwatch_recorder.spans
    assert found.attributes["gen_ai.tool.call.arguments"] == '{"query":"logs","minutes":30}'
    assert found.attributes["gen_ai.tool.call.result"] == "found logs"
    assert found.attributes["loopwatch.tool.result.bytes"] == len("found logs")
    assert len(found.attributes["loopwatch.tool.arguments.hash"]) == 16
    assert [span.attributes["loopwatch.tool.outcome"] for span in (found, missing)] == ["success", "not_found"]


def test_order_of_named_arguments_does_not_change_their_hash(loopwatch_recorder: Recorder) -> None:
    """The same call written differently is the same call."""
    search("logs", 30)
    search(minutes=30, query="logs")
    search("logs")
    hashes = {span.attributes["loopwatch.tool.arguments.hash"] for span in loopwatch_recorder.spans}
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("error", "outcome", "retryable"),
    [
        (ValueError("bad"), "error", False),
        (TimeoutError(), "error", True),
        (ConnectionResetError(), "error", True),
        (loopwatch.ToolError("busy", retryable=True), "error", True),
        (loopwatch.ToolError("broken"), "error", False),
        (type("HTTPError", (Exception,), {"status_code": 503})(), "error", True),
        (type("HTTPError", (Exception,), {"status_code": 404})(), "error", False),
        (loopwatch.NotFound("no such host"), "not_found", None),
    ],
)
def test_exception_of_a_tool_is_its_outcome(
    loopwatch_recorder: Recorder, error: Exception, outcome: str, retryable: bool | None
) -> None:
    """An exception is an error, retryable by its own word, type or status; NotFound is not_found. It is raised on."""

    @loopwatch.tool
    def fails() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        fails()
    assert raised.value is error
    attributes = loopwatch_recorder.spans[0].attributes
    assert attributes["loopwatch.tool.outcome"] == outcome
    assert attributes.get("loopwatch.tool.retryable") is retryable
    assert loopwatch_recorder.spans[0].status == ("error" if outcome == "error" else "unset")


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


def endless(limits: loopwatch.Limits, work: Any) -> Any:
    """An agent that goes on until something stops it, and gives up after a while."""

    @loopwatch.agent(limits=limits)
    def agent() -> None:
        for iteration in loopwatch.iterations(100):
            work(iteration.number)

    return agent


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


def test_async_tool_that_takes_too_long_is_cancelled(loopwatch_recorder: Recorder) -> None:
    """It raises ToolTimeout, a retryable error of the tool; a run that catches it goes on."""
    cancelled = False

    @loopwatch.tool(timeout_s=0.01)
    async def hang() -> None:
        nonlocal cancelled
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled = True
            raise

    @loopwatch.agent
    async def agent() -> str:
        try:
            await hang()
        except loopwatch.ToolTimeout as late:
            return late.limit
        return "never"

    assert asyncio.run(agent()) == "tool_timeout_s"
    assert cancelled
    loopwatch_recorder.run.assert_outcome("completed")
    call = loopwatch_recorder.named("execute_tool hang")[0]
    assert (call.attributes["loopwatch.tool.outcome"], call.attributes["loopwatch.tool.retryable"]) == ("error", True)


def test_sync_tool_that_takes_too_long_is_reported(
    loopwatch_recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be cut off: its result comes, and the limit is written on the run."""

    @loopwatch.tool
    def slow() -> str:
        time.sleep(0.02)
        return "late"

    @loopwatch.agent(limits=loopwatch.Limits(tool_timeout_s=0.001))
    def agent() -> str:
        return slow()

    assert agent() == "late"
    assert [event.name for event in loopwatch_recorder.run.span.events] == ["loopwatch.limit"]
    assert "tool_timeout_s" in caplog.text


def test_sync_tool_in_a_thread_is_left_behind(loopwatch_recorder: Recorder) -> None:
    """On request a sync tool runs in a thread; too long, it raises ToolTimeout in the agent."""
    release = threading.Event()

    @loopwatch.tool(timeout_s=0.01, in_thread=True)
    def hang(name: str) -> str:
        if name == "quick":
            run = loopwatch.current_run()
            assert run is not None
            return run.agent
        release.wait(30)
        return "never"

    @loopwatch.agent
    def agent() -> str:
        return hang("quick") + hang("slow")

    with pytest.raises(loopwatch.ToolTimeout):
        agent()
    release.set()
    loopwatch_recorder.run.assert_outcome("stopped")


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


def test_generator_agent_records_while_it_is_consumed(loopwatch_recorder: Recorder) -> None:
    """A generator's run lasts until it ends; between its values the consumer is outside the run."""

    @loopwatch.agent
    def stream(count: int) -> Generator[int, str, str]:
        said: list[str] = []
        for number in range(count):
            search(str(number))
            said.append((yield number))
        return ",".join(said)

    generator = stream(2)
    assert next(generator) == 0
    assert loopwatch.current_run() is None
    assert generator.send("a") == 1
    with pytest.raises(StopIteration) as end:
        generator.send("b")
    assert end.value.value == "a,b"
    run = loopwatch_recorder.run
    run.assert_outcome("completed")
    assert [span.parent_id for span in run.spans[:-1]] == [run.span.span_id] * 2


def test_generator_closed_early_or_thrown_into_ends_its_run(loopwatch_recorder: Recorder) -> None:
    """close() completes the run; an exception thrown in is the generator's to handle."""

    @loopwatch.agent
    def stream() -> Generator[str]:
        try:
            yield "first"
        except KeyError:
            yield "caught"

    early = stream()
    next(early)
    early.close()
    thrown = stream()
    next(thrown)
    assert thrown.throw(KeyError()) == "caught"
    assert list(thrown) == []
    assert [run.outcome for run in loopwatch_recorder.runs] == ["completed", "completed"]


def test_async_generator_agent_records(loopwatch_recorder: Recorder) -> None:
    """The same for async generators."""

    @loopwatch.agent
    async def stream(count: int) -> AsyncGenerator[int]:
        for number in range(count):
            await fetch(str(number))
            yield number

    async def consume() -> list[int]:
        values: list[int] = []
        async for number in stream(3):
            assert loopwatch.current_run() is None
            values.append(number)
        return values

    assert asyncio.run(consume()) == [0, 1, 2]
    run = loopwatch_recorder.run
    run.assert_tool_called("fetch", times=3)
    assert [span.parent_id for span in run.spans[:-1]] == [run.span.span_id] * 3


def test_methods_of_every_kind_are_wrapped(loopwatch_recorder: Recorder) -> None:
    """Methods, classmethods and staticmethods keep their binding; self and cls are not arguments."""

    class Tools:
        @loopwatch.tool
        def method(self, value: int) -> int:
            return value + 1

        @loopwatch.tool
        @classmethod
        def of_class(cls, value: int) -> str:
            return cls.__name__ * value

        @loopwatch.tool
        @staticmethod
        def static(value: int) -> int:
            return value * 2

    tools = Tools()
    assert (tools.method(1), Tools.of_class(2), tools.static(3)) == (2, "ToolsTools", 6)
    arguments = [span.attributes["gen_ai.tool.call.arguments"] for span in loopwatch_recorder.spans]
    assert arguments == ['{"value":1}', '{"value":2}', '{"value":3}']


def test_wrapped_function_keeps_what_it_is() -> None:
    """Name, docstring, signature and kind stay."""
    import inspect

    assert search.__name__ == "search"
    assert search.__doc__ == "Finds things."
    assert str(inspect.signature(search)) == "(query: str, minutes: int = 30) -> str | None"
    assert inspect.iscoroutinefunction(fetch)


def test_asyncio_tasks_and_groups_keep_the_run(loopwatch_recorder: Recorder) -> None:
    """Tasks, TaskGroups and to_thread belong to the run that started them, also two runs at once."""

    @loopwatch.agent
    async def agent(name: str) -> None:
        for _ in loopwatch.iterations(1):
            async with asyncio.TaskGroup() as group:
                for number in range(3):
                    group.create_task(fetch(f"{name}{number}"))
            await asyncio.to_thread(search, name)

    async def both() -> None:
        await asyncio.gather(agent("a"), agent("b"))

    asyncio.run(both())
    for run in loopwatch_recorder.runs:
        assert len(run.tool_calls()) == 4
        assert run.iterations == 1


def test_carry_takes_the_run_into_threads(loopwatch_recorder: Recorder) -> None:
    """A thread pool starts without the run; a carried function has it."""

    @loopwatch.agent
    def agent() -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(loopwatch.carry(search), ["a", "b", "c"]))
            pool.submit(search, "outside").result()

    agent()
    assert len(loopwatch_recorder.run.tool_calls("search")) == 3
    assert len(loopwatch_recorder.named("execute_tool search")) == 4


def test_context_managers_do_what_decorators_do(loopwatch_recorder: Recorder) -> None:
    """agent, tool, iteration and step around a block give the same spans."""
    with loopwatch.agent(name="block", limits=loopwatch.Limits(iterations=9)) as run:
        assert run is not None
        with loopwatch.iteration(), loopwatch.tool(name="look", arguments={"at": 1}, not_found=[None]) as call:
            call.returns(None)
    assert loopwatch_recorder.tree() == "invoke_agent block\n  iteration 1\n    execute_tool look"
    loopwatch_recorder.run.assert_tool_called_with("look", at=1)
    assert loopwatch_recorder.named("execute_tool look")[0].attributes["loopwatch.tool.outcome"] == "not_found"


def test_model_call_decorator_extracts_the_answer(loopwatch_recorder: Recorder) -> None:
    """Another provider's call is recorded by an extractor of the author's."""

    def extract(answer: dict[str, Any]) -> dict[str, Any]:
        return {"input_tokens": answer["in"], "output_tokens": 2, "response_model": "m-1", "stop_reason": "stop"}

    @loopwatch.model_call(provider="openai", extract=extract)
    async def complete(model: str, messages: list[dict[str, str]]) -> dict[str, Any]:
        return {"in": 5}

    asyncio.run(complete("m", [{"role": "user", "content": "hi"}]))
    attributes = loopwatch_recorder.named("chat m")[0].attributes
    assert attributes["gen_ai.usage.input_tokens"] == 5
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert attributes["gen_ai.input.messages"] == '[{"role":"user","content":"hi"}]'


def test_loop_is_written_on_the_call_that_completes_it(loopwatch_recorder: Recorder) -> None:
    """Without any limit a loop is an event, explained."""
    endless(loopwatch.Limits(), lambda number: search("same"))()
    looping = [span for span in loopwatch_recorder.spans if span.events]
    assert len(looping) == 1
    assert looping[0].events[0].attributes["loopwatch.loop.kind"] == "identical_calls"
    assert "3 times" in looping[0].events[0].attributes["loopwatch.loop.explanation"]


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
