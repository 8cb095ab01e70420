"""What decorators take: functions of every form, blocks, and the threads and tasks they start."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import loopwatch
from loopwatch.testing import Recorder
from tests.sdk_agents import fetch, search


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
