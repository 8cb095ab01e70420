"""Type checkers see through the decorators: `make check` has pyright read this file, and pytest runs it."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import assert_type

import loopwatch


@loopwatch.agent
def plain(question: str, limit: int = 3) -> list[str]:
    """An agent without parentheses."""
    return [question] * limit


@loopwatch.agent(name="configured", limits=loopwatch.Limits(iterations=3))
async def configured(question: str) -> int:
    """An async one with arguments."""
    return len(question)


@loopwatch.tool(not_found=[None])
def look(key: str) -> str | None:
    """A tool."""
    return key or None


@loopwatch.model_call(provider="openai")
def complete(model: str) -> dict[str, int]:
    """A model call."""
    return {model: 1}


@loopwatch.step("plan")
def stream(count: int) -> Generator[int]:
    """A generator."""
    yield from range(count)


@loopwatch.tool
async def astream(count: int) -> AsyncGenerator[str]:
    """An async generator."""
    for number in range(count):
        yield str(number)


class Tools:
    """Methods of each kind."""

    @loopwatch.tool
    def method(self, value: int) -> float:
        """A method."""
        return value / 2

    @loopwatch.tool
    @classmethod
    def of_class(cls, value: int) -> str:
        """A class method."""
        return cls.__name__ * value

    @staticmethod
    @loopwatch.tool(name="static")
    def static(value: int) -> bytes:
        """A static method."""
        return bytes(value)


def test_results_have_the_types_of_the_functions() -> None:
    """What a call gives is what the author annotated, in every form."""
    assert_type(plain("x", limit=2), list[str])
    assert_type(asyncio.run(configured("x")), int)
    assert_type(look("x"), str | None)
    assert_type(complete("m"), dict[str, int])
    assert_type(list(stream(2)), list[int])
    assert_type(Tools().method(1), float)
    assert_type(Tools.of_class(1), str)
    assert_type(Tools.static(1), bytes)


async def collected() -> list[str]:
    """What an async generator gives."""
    return [assert_type(text, str) async for text in astream(2)]


def test_async_generators_give_what_they_give() -> None:
    """Also through `async for`."""
    assert asyncio.run(collected()) == ["0", "1"]


def test_blocks_give_what_they_say() -> None:
    """A run's block gives the run, or None where nothing is configured."""
    with loopwatch.agent(name="block") as run:
        assert_type(run, loopwatch.Run | None)
    for iteration in loopwatch.iterations(1):
        assert_type(iteration.number, int)
