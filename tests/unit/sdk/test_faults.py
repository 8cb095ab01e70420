"""A fault inside the SDK never reaches the host."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loopwatch
from loopwatch import faults, snapshots
from loopwatch.testing import record

# (module, attribute path, the place its fault is counted at or None where any will do)
BOUNDARIES = [
    ("loopwatch.snapshots", "take"),
    ("loopwatch.snapshots", "identity"),
    ("loopwatch.snapshots", "as_text"),
    ("loopwatch.tracing", "Tracing.start"),
    ("loopwatch.tracing", "Tracing.run_id"),
    ("loopwatch.spans", "AgentSpan.end"),
    ("loopwatch.spans", "AgentSpan.add_event"),
    ("loopwatch.spans", "AgentSpan.record_exception"),
    ("loopwatch.spans", "AgentSpan.set_status"),
    ("loopwatch.operations", "Operation.set"),
    ("loopwatch.operations", "Operation.keep"),
    ("loopwatch.operations", "exception_name"),
    ("loopwatch.runs", "Run._reached"),
    ("loopwatch.runs", "Run.model_call_began"),
    ("loopwatch.runs", "Run.model_call_ended"),
    ("loopwatch.runs", "Run.end_attributes"),
    ("loopwatch.runs", "Run.tool_call_ended"),
    ("loopwatch.loops", "LoopDetector.add"),
    ("loopwatch.usage", "read"),
    ("loopwatch.prices", "PriceBook.want"),
    ("loopwatch.agents", "Agent._identity"),
    ("loopwatch.agents", "attributes_of"),
    ("loopwatch.tools", "is_retryable"),
    ("loopwatch.scopes", "Scope.with_iteration"),
    ("loopwatch.scopes", "Scope.with_attributes"),
    ("loopwatch.process", "Process.ended_own"),
    ("loopwatch.encoding", "Encoder.encode"),
    ("loopwatch.encoding", "Encoder._span"),
    ("loopwatch.content", "ContentRules.settle"),
    ("loopwatch.content", "ContentRules.events"),
    ("loopwatch.exporting", "Exporter.put"),
    ("loopwatch.exporting", "Exporter._hand_on_batch"),
    ("loopwatch.exporting", "Exporter._compress"),
    ("loopwatch.delivery", "Delivery.offer"),
    ("loopwatch.delivery", "Delivery.secure"),
    ("loopwatch.delivery", "Delivery._step"),
    ("loopwatch.transport", "HttpTransport.post"),
    ("loopwatch.spool", "Spool.put"),
    ("loopwatch.spool", "Spool.claim"),
]


@loopwatch.tool
def look(value: Any) -> Any:
    """Gives back what it got."""
    return value


@loopwatch.tool
def fails() -> None:
    """Raises the host's own exception."""
    raise LookupError("the host's own")


@loopwatch.agent(limits=loopwatch.Limits(iterations=5, tokens=10_000, cost_usd=1, identical_calls=9))
def agent(value: Any) -> list[Any]:
    """Touches everything."""
    seen: list[Any] = []
    for iteration in loopwatch.iterations(2):
        with loopwatch.step("plan"), loopwatch.model_call("claude-haiku-4-5", provider="anthropic") as call:
            call.record(input_tokens=1, output_tokens=1, output_messages=[value])
        seen.append(look(value))
        with pytest.raises(LookupError):
            fails()
        loopwatch.decide("d", "c", confidence=1, reasoning="r")
        seen.append(iteration is not None)
    loopwatch.escalate("r")
    return seen


@loopwatch.agent
async def async_agent(value: Any) -> Any:
    """Touches the async wrappers."""
    return await async_look(value)


@loopwatch.tool
async def async_look(value: Any) -> Any:
    """Gives back what it got."""
    await asyncio.sleep(0)
    return value


@pytest.fixture
def dead_exporter(tmp_path: Path) -> Iterator[None]:
    """A configured process whose collector is not there."""
    loopwatch.configure(service_name="t", endpoint="http://127.0.0.1:9", spool_dir=tmp_path, capture=True)
    yield
    loopwatch.shutdown()


@pytest.mark.parametrize(("module", "path"), BOUNDARIES, ids=[path for _, path in BOUNDARIES])
def test_fault_at_an_internal_boundary_does_not_reach_the_agent(
    module: str,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    dead_exporter: None,
) -> None:
    """With any internal function broken, agents return what they return and raise what they raise."""
    owner: Any = import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    before = sum(faults.fault_counts().values())
    hit = False

    def broken(*args: Any, **kwargs: Any) -> Any:
        nonlocal hit
        hit = True
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(owner, name, broken)
    with caplog.at_level(logging.CRITICAL):
        assert agent("value") == ["value", True, "value", True]
        assert asyncio.run(async_agent("value")) == "value"
        loopwatch.flush(0.3)
        loopwatch.shutdown()
    assert loopwatch.current_run() is None
    if hit:
        assert sum(faults.fault_counts().values()) > before


class Hostile:
    """Raises whatever one does with it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = None  # type: ignore[assignment]  # unhashable on purpose


class Endless(dict[str, Any]):
    """A mapping that never stops giving items."""

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield str(number)

    def __getitem__(self, key: str) -> Any:
        return key


def cyclic() -> list[Any]:
    """A list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


def deep() -> list[Any]:
    """A list nested far beyond the recursion limit."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


HOSTILE: dict[str, Callable[[], Any]] = {
    "hostile": lambda: Hostile(),
    "hostile inside": lambda: {"a": [Hostile()]},
    "endless": lambda: Endless(a=1),
    "cyclic": cyclic,
    "deep": deep,
    "huge text": lambda: "x" * 20_000_000,
    "huge list": lambda: list(range(1_000_000)),
    "huge inside": lambda: {"a": ["y" * 5_000_000] * 3},
    "bytes": lambda: b"\x00\xff",
    "surrogate": lambda: "\ud800",
    "not a number": lambda: [float("nan"), float("inf")],
    "big integer": lambda: 10**400,
    "keys of all kinds": lambda: {1: 2, None: 3, (1, 2): 4, 1.5: 5},
    "lambda": lambda: lambda: None,
    "class": lambda: Hostile,
    "set": lambda: {1, 2, 3},
    "exception": lambda: ValueError("x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_argument_of_any_kind_is_recorded_and_comes_back_as_it_was(name: str, dead_exporter: None) -> None:
    """Unserialisable, huge, cyclic and hostile values pass through; none of them is a fault."""
    value = HOSTILE[name]()
    before = faults.fault_counts()
    assert id(agent(value)[0]) == id(value)
    assert loopwatch.flush(20)
    assert faults.fault_counts() == before


def test_fault_is_logged_once_per_place(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that repeats is counted each time and logged the first."""
    with record(raise_faults=False):
        monkeypatch.setattr("loopwatch.tools.Tool._open", lambda *args: 1 / 0)
        for _ in range(5):
            look(1)
    assert faults.fault_counts()["tool.begin"] >= 5
    assert len([entry for entry in caplog.records if "tool.begin" in entry.getMessage()]) <= 1


def test_fault_of_each_agent_and_tool_is_told_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    """An extractor's error hides no other's: each model call of each agent is told at its 1st, 10th, 100th fault."""

    def ask(name: str, times: int) -> None:
        @loopwatch.agent(name=name)
        def asks() -> None:
            @loopwatch.model_call("some-model", extract=lambda answer: {"input_tokens": answer["usage"]})
            def call() -> dict[str, int]:
                return {}

            for _ in range(times):
                call()

        asks()

    with record(raise_faults=False):
        ask("first-agent", 25)
        ask("second-agent", 1)
    told = [entry.getMessage() for entry in caplog.records if "operation.succeed" in entry.getMessage()]
    assert [("first-agent" in sentence, "number 10" in sentence) for sentence in told] == [
        (True, False),
        (True, True),
        (False, False),
    ]
    assert "second-agent" in told[2]
    assert "KeyError" in told[1]


def test_names_without_end_are_counted_as_one(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tools named as the program runs can fill neither the memory nor the log."""
    monkeypatch.setattr("loopwatch.tools.Tool._open", lambda *args: 1 / 0)
    with record(raise_faults=False):
        for number in range(3_000):
            loopwatch.tool(name=f"tool-{number}")(lambda: None)()
    assert len(caplog.records) <= 200 + len([1, 10, 100, 1000])


def test_fault_is_raised_under_the_test_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """loopwatch.testing is loud about faults of ours."""
    monkeypatch.setattr("loopwatch.tools.Tool._open", lambda *args: 1 / 0)
    with record(), pytest.raises(ZeroDivisionError):
        look(1)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=10,
)


@given(json_like)
def test_snapshot_of_any_plain_value_can_be_spelled_out(value: Any) -> None:
    """Taking and spelling a value never raises, and equal values have equal identities."""
    taken = snapshots.take(value)
    assert isinstance(snapshots.as_text(taken), str)
    assert snapshots.identity(taken) == snapshots.identity(snapshots.take(value))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_snapshot_of_json_spells_the_same_json(value: Any) -> None:
    """What JSON can hold comes out as that JSON."""
    import json

    text = snapshots.as_text(snapshots.take(value))
    assert (text if isinstance(value, str) else json.loads(text)) == value
