"""Tool calls: what is recorded of them, their outcomes, and those that take too long."""

import asyncio
import threading
import time
from typing import Any

import pytest

import loopwatch
from loopwatch.testing import Recorder
from tests.sdk_agents import search


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


def test_hidden_argument_that_does_not_exist_is_refused() -> None:
    """A misspelt name would leave the password in the store: it is an error where it is written, for methods too."""

    def log_in(user: str, password: str) -> None:
        """Logs in."""

    with pytest.raises(loopwatch.ConfigurationError, match=r"'pasword'.*user, password"):
        loopwatch.tool(hide=["pasword"])(log_in)
    with pytest.raises(loopwatch.ConfigurationError, match="'pasword'"):
        loopwatch.tool(hide=["user", "pasword"])(staticmethod(log_in))
    wrong: Any = "password"
    with pytest.raises(loopwatch.ConfigurationError, match=r"hide=\['password'\]"):
        loopwatch.tool(hide=wrong)
    with pytest.raises(loopwatch.ConfigurationError, match="5 is no argument's name"):
        loopwatch.tool(hide=[wrong, 5])  # pyright: ignore  # a wrong type is what is tried


def test_hidden_argument_may_be_one_of_any(loopwatch_recorder: Recorder) -> None:
    """A function that takes any named argument may have any of them hidden."""

    @loopwatch.tool(hide=["password"])
    def log_in(**credentials: str) -> None:
        """Logs in."""

    log_in(user="me", password="secret-word")
    assert loopwatch_recorder.spans[0].attributes["gen_ai.tool.call.arguments"] == '{"user":"me","password":"[hidden]"}'


@pytest.mark.parametrize("timeout_s", [-1, 0, "5", True])
def test_tool_timeout_is_a_positive_number(timeout_s: Any) -> None:
    """A timeout that could not be held to is refused where it is written."""
    with pytest.raises(loopwatch.ConfigurationError, match="timeout_s="):
        loopwatch.tool(timeout_s=timeout_s)


@pytest.mark.parametrize("decorator", ["tool", "agent"])
def test_name_in_place_of_the_function_is_explained(decorator: str) -> None:
    """`tool("search")` says how a name is given, and anything else that it decorates functions."""
    decorate: Any = getattr(loopwatch, decorator)
    with pytest.raises(loopwatch.ConfigurationError, match=rf"{decorator}\(name='search'\)"):
        decorate("search")
    with pytest.raises(loopwatch.ConfigurationError, match="decorates a function, and 5 is none"):
        decorate(name="search")(5)


def test_decorator_without_its_parentheses_is_explained() -> None:
    """`@step` and `@model_call` take their name or nothing in parentheses; without, they say so."""

    def plan() -> None:
        """Plans."""

    bare: Any = (loopwatch.step, loopwatch.model_call)
    for decorator in bare:
        with pytest.raises(loopwatch.ConfigurationError, match="write"):
            decorator(plan)


def test_one_empty_value_is_not_taken_apart() -> None:
    """`not_found="none"` is refused: its letters are no values."""
    wrong: Any = "none"
    with pytest.raises(loopwatch.ConfigurationError, match="not_found='none'"):
        loopwatch.tool(not_found=wrong)
