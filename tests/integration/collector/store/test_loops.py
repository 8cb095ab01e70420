"""The SQL loop detector on the SDK's table of cases."""

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from importlib import resources
from random import Random
from typing import Any

import pytest

from loopwatch.loops import Loop, LoopDetector
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.store.store import Store

SECOND_NS = 1_000_000_000


def _cases() -> list[dict[str, Any]]:
    text = (resources.files("loopwatch") / "loop_cases.json").read_text(encoding="utf-8")
    return json.loads(text)["cases"]


def _calls(span: Callable[..., list[Any]], run: int, case: dict[str, Any]) -> list[list[Any]]:
    return [
        span(
            run * 1000 + i,
            at_s=i,
            run_id=f"run-{run}",
            trace_id=(run + 1).to_bytes(16, "big"),
            kind="tool_call",
            tool=call["tool"],
            tool_outcome=call["outcome"],
            duration_ns=SECOND_NS // 2,
            arguments_hash=_hash(call["arguments"]),
            result_hash=_hash(call["result"]) if "result" in call else "",
            result_bytes=len(call["result"].encode()) if "result" in call else 0,
        )
        for i, call in enumerate(case["calls"], 1)
    ]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_the_sql_detector_finds_the_loops_of_the_case_table(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """For every case, and its own n, `loop_list` reports the loops the table lists, and no other."""
    cases = _cases()
    write(store, [row for run, case in enumerate(cases) for row in _calls(span, run, case)])
    found = {n: _found(store, n) for n in {case["identical_calls"] for case in cases}}
    for run, case in enumerate(cases):
        wanted = sorted((loop["at"], loop["kind"], loop["tool"], loop["calls"]) for loop in case["loops"])
        assert sorted(found[case["identical_calls"]].get(f"run-{run}", [])) == wanted, case["name"]


def _found(store: Store, identical_calls: int) -> dict[str, list[tuple[Any, ...]]]:
    params = {"identical_calls": str(identical_calls)}
    loops: dict[str, list[tuple[Any, ...]]] = {}
    for row in ask(store.connection(), Question("loop_list", "default", 0, 2**62, params)).rows:
        loops.setdefault(row[0], []).append((row[5], row[3], row[4], row[6]))
    return loops


@pytest.mark.parametrize("told", [1, 2])
def test_a_loop_wastes_the_model_calls_that_asked_for_its_repeats(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None], told: int
) -> None:
    """Of four equal calls in two iterations the first is no repeat; what asked for the other three is waste, once.

    That a second library tells of a model call changes nothing.
    """
    calls = [
        span(10 + i, at_s=at_s, kind="tool_call", tool="search", tool_outcome="success", arguments_hash="a",
             result_hash="r", result_bytes=100)
        for i, at_s in enumerate((1.0, 1.5, 3.0, 3.5))
    ]  # fmt: skip
    models = [
        span(20 + i, at_s=at_s, kind="model_call", response_id=f"k{i}", input_tokens=100 * (i + 1), output_tokens=1,
             cost_usd=Decimal(i + 1), call_rank=9)
        for i, at_s in enumerate((0.5, 2.5, 4.5))
    ]  # fmt: skip
    again = span(30, at_s=2.7, kind="model_call", response_id="k1", input_tokens=999, cost_usd=Decimal(99))
    write(store, calls + models + [again] * (told - 1))
    rows = ask(store.connection(), Question("loops", "default", 0, 2**62)).rows
    assert rows == [["identical_calls", "search", 1, 1, 3, 302, 3.0, "run-1"]]


def test_loops_are_told_of_the_runs_that_pass_the_filters(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Of two customers one has a loop: asked about both or about that one it is told, about the other none is."""
    write(
        store,
        [
            span(run * 100 + i, at_s=i, run_id=f"run-{run}", trace_id=run.to_bytes(16, "big"), kind="tool_call",
                 tool="search", tool_outcome="success", customer_id=customer, arguments_hash=f"{i * (run - 1)}",
                 result_hash="r", result_bytes=100)
            for run, customer in ((1, "acme"), (2, "umbra"))
            for i in range(4 - run)
        ],
    )  # fmt: skip
    told = {
        (name, filters, text): len(
            ask(
                store.connection(),
                Question(name, "default", 0, 2**62, filters={"customer": filters}, filter_text=text),
            ).rows
        )
        for name in ("loops", "loop_list")
        for filters, text in (
            ((), ""),
            (("acme",), ""),
            (("umbra",), ""),
            ((), "customer=acme"),
            ((), "customer=umbra"),
        )
    }
    assert list(told.values()) == [1, 1, 0, 1, 0] * 2


def test_the_sql_detector_and_the_sdks_agree_on_runs_nobody_wrote_by_hand(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """On seeded random runs of few tools, arguments and answers, both report the same loops at the same calls."""
    draws = Random(20)
    cases = [{"calls": [_drawn(draws) for _ in range(draws.randrange(4, 40))]} for _ in range(150)]
    write(store, [row for run, case in enumerate(cases) for row in _calls(span, run, case)])
    kinds: set[str] = set()
    for n in (2, 3):
        found = _found(store, n)
        for run, case in enumerate(cases):
            detector = LoopDetector(n)
            wanted = [
                (at, loop.kind, loop.tool, loop.calls)
                for at, call in enumerate(case["calls"], 1)
                if (loop := _added(detector, call)) is not None
            ]
            assert sorted(found.get(f"run-{run}", [])) == sorted(wanted), case["calls"]
            kinds |= {kind for _, kind, _, _ in wanted}
    assert kinds == {"identical_calls", "cycle", "no_progress", "retry_storm", "polling"}


def _drawn(draws: Random) -> dict[str, str]:
    call = {"tool": draws.choice("ab"), "arguments": draws.choice("xyz"), "outcome": "success"}
    if draws.random() < 0.2:
        return {**call, "outcome": "error"}
    answer = "the answer that both of them give, at length" if draws.random() < 0.5 else draws.choice("12")
    return {**call, "result": answer if draws.random() < 0.9 else str(draws.random())}


def _added(detector: LoopDetector, call: dict[str, str]) -> Loop | None:
    result = call.get("result")
    size = len(result.encode()) if result is not None else 0
    return detector.add(call["tool"], hash(call["arguments"]), None if result is None else hash(result), lambda: size)
