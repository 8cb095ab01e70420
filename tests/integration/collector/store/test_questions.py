"""The questions on cost, latency, tools, decisions, verdicts and versions, on three runs worked out by hand."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.queries.runs import list_runs
from loopwatch_collector.queries.times import parse_time
from loopwatch_collector.store.store import Store

FROM_NS = parse_time("from", "2026-10-01T00:00:00Z")
TO_NS = parse_time("to", "2026-10-02T00:00:00Z")
SECOND_NS = 1_000_000_000
MakeSpan = Callable[..., list[Any]]


@pytest.fixture
def shop(store: Store, span: MakeSpan, write: Callable[[Store, list[list[Any]]], None]) -> Store:
    """A store with three runs of one agent: one good, one failed without calling a model, one dear and escalated."""
    write(store, [*_good_run(span), *_failed_run(span), *_dear_run(span)])
    return store


def _good_run(span: MakeSpan) -> list[list[Any]]:
    run = {"run_id": "good", "trace_id": b"\x01" * 16, "agent": "a", "agent_version": "1", "conversation_id": "c1",
           "customer_id": "acme"}  # fmt: skip
    offered = {"tools_offered": ["search", "buy"], "tools_schema_bytes": 800}
    model = {"kind": "model_call", "provider": "p", "model": "small", **offered, **run}
    tool = {"kind": "tool_call", "tool": "search", "tool_outcome": "success", **run}
    return [
        span(1, kind="run", duration_ns=20 * SECOND_NS, outcome="completed", **run,
             event_names=["loopwatch.decision", "other"], event_times=[1, 2],
             event_attributes=[{"loopwatch.decision.name": "d", "loopwatch.decision.confidence": "0.95"}, {}]),
        span(2, at_s=1, iteration=1, response_id="m1", duration_ns=SECOND_NS, ttft_ns=100, input_tokens=1000,
             cache_read_tokens=500, output_tokens=10, input_bytes=4000, cost_usd=Decimal("0.010"),
             input_cost_usd=Decimal("0.002"), cache_read_cost_usd=Decimal("0.001"), cache_write_cost_usd=Decimal(0),
             output_cost_usd=Decimal("0.007"), uncached_cost_usd=Decimal("0.004"), **model),
        span(3, at_s=2, iteration=1, arguments_hash="h1", result_bytes=2000, duration_ns=100, **tool),
        span(4, at_s=3, iteration=1, arguments_hash="h2", duration_ns=200, **{**tool, "tool_outcome": "error"}),
        span(5, at_s=4, iteration=1, arguments_hash="h2", result_bytes=1000, duration_ns=3000, **tool),
        span(6, at_s=5, iteration=1, arguments_hash="h3", result_bytes=1000, duration_ns=50,
             **{**tool, "tool": "mail"}),
        span(7, at_s=10, iteration=2, response_id="m2", duration_ns=3 * SECOND_NS, input_tokens=2000, output_tokens=20,
             input_bytes=8000, cost_usd=Decimal("0.020"), input_cost_usd=Decimal("0.008"),
             cache_read_cost_usd=Decimal(0), cache_write_cost_usd=Decimal(0), output_cost_usd=Decimal("0.012"),
             uncached_cost_usd=Decimal("0.008"), **model),
    ]  # fmt: skip


def _failed_run(span: MakeSpan) -> list[list[Any]]:
    run = {"run_id": "failed", "trace_id": b"\x02" * 16, "agent": "a", "agent_version": "1", "conversation_id": "c1",
           "customer_id": "acme"}  # fmt: skip
    return [
        span(1, at_s=60, kind="run", duration_ns=10 * SECOND_NS, status="error", outcome="failed", **run),
        span(2, at_s=61, kind="tool_call", tool="search", tool_outcome="error", iteration=1, arguments_hash="h9",
             duration_ns=400, **run),
        span(3, at_s=62, kind="step", step="validate", name="step validate", status="error", **run),
    ]  # fmt: skip


def _dear_run(span: MakeSpan) -> list[list[Any]]:
    run = {"run_id": "dear", "trace_id": b"\x03" * 16, "agent": "a", "agent_version": "2", "conversation_id": "c2",
           "customer_id": "zeta", "user_id": "u"}  # fmt: skip
    return [
        span(1, at_s=120, kind="run", duration_ns=30 * SECOND_NS, outcome="escalated", limit_name="tokens", **run,
             event_names=["loopwatch.decision"], event_times=[1],
             event_attributes=[{"loopwatch.decision.confidence": "1"}]),
        span(2, at_s=121, kind="model_call", provider="p", model="big", response_id="m3", iteration=12, status="error",
             duration_ns=2 * SECOND_NS, input_tokens=5000, output_tokens=100, cost_usd=Decimal("0.300"),
             input_cost_usd=Decimal("0.1"), output_cost_usd=Decimal("0.2"), **run),
    ]  # fmt: skip


# Cost: good 0.03, failed 0 (no model was called), dear 0.3. Tokens: 3030, 0, 5100.
EXPECTED: list[tuple[str, dict[str, str], list[list[Any]]]] = [
    ("conversations", {}, [
        ["c2", "zeta", "u", 1, 0, 1, "2026-10-01T12:02:00Z", "2026-10-01T12:02:00Z", "a", 0.3, 5100, "dear"],
        ["c1", "acme", "", 2, 1, 0, "2026-10-01T12:00:00Z", "2026-10-01T12:01:00Z", "a", 0.03, 3030, "failed"],
    ]),
    ("cost_summary", {}, [[3, 0.33, 0.11, 0.03, 0.273, 0.2946, 0.3, 1, 0.33, 500 / 8000, 0]]),
    ("cost_distribution", {}, [
        [10**-1.75, 10**-1.5, 1, 0.03],
        [10**-0.75, 10**-0.5, 1, 0.3],
    ]),
    # the median of agent a is 0.03
    ("cost_outliers", {"factor": "5"}, [["dear", "a", "2026-10-01T12:02:00Z", "escalated", 12, 0.3, 0.03, 10.0]]),
    ("concentration", {"dimension": "customer"}, [
        [0.01, 1, 2, 5100, 5100 / 8130, 0.3, 0.3 / 0.33],
        [0.05, 1, 2, 5100, 5100 / 8130, 0.3, 0.3 / 0.33],
        [0.1, 1, 2, 5100, 5100 / 8130, 0.3, 0.3 / 0.33],
        [0.2, 1, 2, 5100, 5100 / 8130, 0.3, 0.3 / 0.33],
        [0.5, 1, 2, 5100, 5100 / 8130, 0.3, 0.3 / 0.33],
    ]),
    # small: (0.004 + 0.008) without a cache, against 0.002 + 0.001 + 0.008
    ("cache_savings", {}, [
        ["p", "big", 1, 5000, 0, 0, 0.0, 0.3, None],
        ["p", "small", 2, 3000, 500, 0, 500 / 3000, 0.03, 0.001],
    ]),
    # the second call reads 3000 new bytes of search and 1000 of mail in 8000: 0.008 x 3/8 and x 1/8
    ("tool_cost", {}, [
        ["(no tool)", 2, 0.326, 0.326 / 0.33, 0.163],
        ["search", 1, 0.003, 0.003 / 0.33, 0.003],
        ["mail", 1, 0.001, 0.001 / 0.33, 0.001],
    ]),
    ("model_summary", {}, [
        ["p", "small", 2, 0, 0.0, 3000, 30, 2e9, 2.9e9, 100.0, 0.03, 1],
        ["p", "big", 1, 1, 1.0, 5000, 100, 2e9, 2e9, None, 0.3, 1],
    ]),
    ("latency", {"dimension": "tool"}, [
        ["search", 4, 300.0, 2220.0, 2610.0, 2922.0, 3000],
        ["mail", 1, 50.0, 50.0, 50.0, 50.0, 50],
    ]),
    ("latency", {"dimension": "agent"}, [["a", 3, 20e9, 28e9, 29e9, 29.8e9, 30_000_000_000]]),
    ("latency_outliers", {"dimension": "tool", "factor": "5"}, [
        ["search", "good", "0000000000000005", "2026-10-01T12:00:04Z", 3000, 300.0, 10.0],
    ]),
    ("tool_retries", {}, [["search", 2, 1, 1, 1.0, 3000]]),
    # only the good run records what was offered; it called mail, which was not
    ("tools_offered", {}, [
        ["buy", 1, 0, 0, 1, 0, "good"],
        ["search", 1, 1, 3, 0, 0, ""],
        ["mail", 0, 1, 1, 0, 1, "good"],
    ]),
    # two calls carry 800 bytes, 200 tokens, of which buy's half is never used
    ("schema_cost", {}, [["a", 1, 1, 2, 400, 200, 200 / 3000]]),
    # search is called four times in two runs; one call repeats (h2), one follows an error
    ("long_runs", {"over_iterations": "10"}, [
        [1, 1, 12.0, 0.0, None, None, None, 0.3, 1.0],
        [0, 2, 1.5, 2.5, 0.4, 0.2, 0.2, 0.015, 0.0],
    ]),
    ("long_run_tools", {"over_iterations": "10"}, [
        ["mail", 0.0, 0.5, None, 0.0],
        ["search", 0.0, 2.0, None, 0.5],
    ]),
    ("confidence_distribution", {}, [[0.9, 2, 2]]),
    ("confidence_calibration", {}, [[0.9, 2, 0.975, 0.5, 0.475]]),
    ("confidence_calibration", {"verdict_name": "helpful"}, [[0.9, 2, 0.975, 0.5, 0.475]]),
    ("error_categories", {}, [
        ["tool", 2, 2, 2 / 3, "failed"],
        ["limit", 1, 1, 1 / 3, "dear"],
        ["model", 1, 1, 1 / 3, "dear"],
        ["run", 1, 1, 1 / 3, "failed"],
        ["validation", 1, 1, 1 / 3, "failed"],
    ]),
    # helpful: 1 and 0, the later of ann's two; mean 0.5, sample deviation sqrt(0.5), half width 1.96 x 0.5
    ("verdict_summary", {}, [
        ["helpful", 2, 2, 2 / 3, 0.5, 0.5 - 0.979981992, 0.5 + 0.979981992, "up"],
        ["correct", 1, 1, 1 / 3, 0.0, None, None, ""],
    ]),
    ("satisfaction_over_time", {"verdict_name": "helpful"}, [["2026-10-01T00:00:00Z", 2, 0.5]]),
]  # fmt: skip


def test_each_question_answers_what_was_worked_out_by_hand(shop: Store) -> None:
    """Each question gives, on the three runs and their verdicts, the rows computed on paper."""
    _judge(shop)
    wrong: list[Any] = []
    for name, params, rows in EXPECTED:
        answer = ask(shop.connection(), Question(name, "default", FROM_NS, TO_NS, params))
        assert [len(row) for row in answer.rows] == [len(answer.query.columns)] * len(answer.rows), name
        if [_rounded(row) for row in answer.rows] != [_rounded(row) for row in rows]:
            wrong.append((name, params, answer.rows))
    assert wrong == []


def test_two_versions_are_compared_with_the_chance_of_their_difference(
    store: Store, span: MakeSpan, write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """8 of 10 against 3 of 10 completed is z = 2.2473 and p = 0.0246; equal iterations differ by nothing."""
    rows = [
        span(n, run_id=f"{version}-{n}", trace_id=f"{version}{n:015}".encode(), agent_version=version, kind="run",
             iteration=4, outcome="completed" if n < completed else "escalated", duration_ns=1000 + n)
        for version, completed in (("1", 8), ("2", 3))
        for n in range(10)
    ]  # fmt: skip
    write(store, rows)
    params = {"version_a": "1", "version_b": "2"}
    answer = ask(store.connection(), Question("versions_compared", "default", FROM_NS, TO_NS, params))
    by_measure = {row[0]: row[1:] for row in answer.rows}
    assert by_measure["completion_rate"] == pytest.approx([0.8, 0.3, -0.5, -0.625, 0.0246188, 10, 10], rel=1e-5)
    assert by_measure["iterations"][:5] == [4.0, 4.0, 0.0, 0.0, 1.0]
    assert by_measure["duration_ns"][4] == pytest.approx(1.0)


def test_cost_by_tool_adds_up_to_the_last_digit(
    store: Store, span: MakeSpan, write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Thirds of an amount that cannot be divided by three: what rounding leaves goes to the largest part."""
    cost = Decimal("0.000000000100")
    tools = [
        span(
            10 + n,
            at_s=n,
            kind="tool_call",
            tool=f"t{n}",
            tool_outcome="success",
            result_bytes=1,
            arguments_hash=str(n),
        )
        for n in range(3)
    ]
    call = span(20, at_s=9, kind="model_call", response_id="k", input_bytes=3, cost_usd=cost, input_cost_usd=cost)
    write(store, [*tools, call])
    rows = store.connection().rows("SELECT tool_cost_names, tool_costs_usd, cost_usd FROM runs FINAL")
    names, costs, whole = rows[0]
    assert dict(zip(names, costs, strict=True)) == {
        "t0": Decimal("0.000000000034"),
        "t1": Decimal("0.000000000033"),
        "t2": Decimal("0.000000000033"),
    }
    assert sum(costs) == whole == cost


def test_what_was_not_recorded_is_not_free(
    store: Store, span: MakeSpan, write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """A run whose calls tell no tokens has no cost, in lists and by any dimension, where another has one."""
    call = {"kind": "model_call", "provider": "anthropic", "at_s": 1}
    rows = [
        span(1, run_id="imported", trace_id=b"\x01" * 16, agent="a", response_id="x", model="claude-opus-5-5", **call),
        span(2, run_id="live", trace_id=b"\x02" * 16, agent="b", response_id="y", model="claude-haiku-5-5",
             input_tokens=1_000, **call),
    ]  # fmt: skip
    for row in rows:
        Pricer().price(row)
    write(store, rows)
    runs = list_runs(store.connection(), "default", FROM_NS, TO_NS, {}, 10).runs
    assert {run["run_id"]: run["cost_usd"] for run in runs} == {"imported": None, "live": 0.0001}
    for dimension, keys in (("agent", ("b", "a")), ("model", ("claude-haiku-5-5", "claude-opus-5-5"))):
        answer = ask(store.connection(), Question("cost_by", "default", FROM_NS, TO_NS, {"dimension": dimension}))
        assert [(row[0], row[3]) for row in answer.rows] == [(keys[0], 0.0001), (keys[1], None)]


def _judge(store: Store) -> None:
    verdicts = [
        ("good", "helpful", "ann", 0.0, "down", 1),
        ("good", "helpful", "ann", 1.0, "up", 2),  # the last of an author counts
        ("dear", "helpful", "ann", 0.0, "", 1),
        ("dear", "correct", "judge", 0.0, "", 1),
        ("elsewhere", "helpful", "ann", 1.0, "up", 1),
    ]
    for run_id, name, author, score, label, version in verdicts:
        store.insert_verdicts([["default", run_id, "", name, author, score, label, "", FROM_NS, version]])


def _rounded(row: list[Any]) -> list[Any]:
    return [round(float(f"{value:.6g}"), 12) if isinstance(value, float) else value for value in row]


def test_repeats_of_runs_that_were_derived_before_repeats_were_are_counted_from_their_spans(shop: Store) -> None:
    """Where some runs do not know how much they repeat themselves, long runs compare as where all do."""
    question = Question("long_runs", "default", 0, 2**62)
    known = ask(shop.connection(), question).rows
    shop.connection().run(
        "INSERT INTO runs SELECT * REPLACE (-1 AS repeated_arguments, row_version + 1 AS row_version) "
        "FROM runs FINAL WHERE run_id = 'good'"
    )
    assert ask(shop.connection(), question).rows == known
    assert known[1][5] == 0.2
