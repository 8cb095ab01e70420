"""The queries that rules ask, on rows worked out by hand."""

import time

import pytest

from loopwatch_collector.alerts.rule_parsing import parse_rule
from loopwatch_collector.alerts.rulebook import delivered_rules
from loopwatch_collector.queries.runner import Question, ask

HOUR_NS = 3_600 * 10**9


@pytest.fixture
def asked(store):
    """Asks a query about the last hour; returns its rows as dicts."""

    def ask_query(name, *, from_ns=None, filters=None, **params):
        now_ns = time.time_ns()
        question = Question(name, "default", from_ns or now_ns - HOUR_NS, now_ns, params, filters or {})
        answer = ask(store.connection(), question)
        names = [column.name for column in answer.query.columns]
        return [dict(zip(names, row, strict=True)) for row in answer.rows]

    return ask_query


def test_spend_counts_calls_by_their_own_time(store, asked, span, put, spend):
    """spend_by takes a run that began three hours ago for what it spent in the last hour."""
    put(store, [span("run", time.time_ns() - 3 * HOUR_NS, run_id="long", outcome="completed")])
    spend(100, ago_s=2 * 3_600, run_id="long")
    spend(7, ago_s=600, run_id="long")
    spend(2, ago_s=60, customer="zeta")
    (total,) = asked("spend_by")
    assert (total["key"], total["cost_usd"], total["model_calls"], total["runs"], total["tokens"]) == ("", 9, 2, 2, 30)
    assert {row["key"]: row["cost_usd"] for row in asked("spend_by", dimension="customer")} == {"acme": 7, "zeta": 2}
    assert asked("spend_top_runs")[0]["run_id"] == "long"
    assert [row["cost_usd"] for row in asked("spend_top_runs", filters={"customer": ["acme"]})] == [7]
    assert [row["run_id"] for row in asked("spend_top_runs", least_usd="5")] == ["long"]


def test_spend_counts_a_call_once(store, asked, span, put):
    """Of two spans of one call the higher rank speaks, whether they share a key or the run knows the pair."""
    now_ns = time.time_ns() - 10**9
    native = span("model_call", now_ns, cost_usd=3, input_tokens=5, call_key="k", call_rank=2, run_id="r")
    wrapper = span("model_call", now_ns, cost_usd=4, input_tokens=9, call_key="k", call_rank=1, run_id="r")
    put(store, [native, wrapper])
    put(store, [native])
    (total,) = asked("spend_by")
    assert (total["cost_usd"], total["model_calls"], total["tokens"]) == (3, 1, 5)


def test_chance_is_what_single_runs_weigh(asked, spend):
    """The noise of a sum is the root of the runs' squared costs: 3 and 4 make 5, calls of one run add up first."""
    spend(1, run_id="a")
    spend(2, run_id="a")
    spend(4, run_id="b")
    (total,) = asked("spend_by")
    assert (total["cost_usd"], total["cost_noise_usd"]) == (7, pytest.approx(5))


def test_a_tools_failures_count_each_run_once(store, asked, span, put):
    """A run that fails nine times of ten brings 0.9, one that fails once of twice 0.5, others nothing."""
    at_ns = time.time_ns() - 10**9
    outcomes = {"a": ["error"] * 9 + ["success"], "b": ["error", "success"], "c": ["success"]}
    put(
        store,
        [
            span("tool_call", at_ns, run_id=run_id, tool="search", tool_outcome=outcome)
            for run_id, results in outcomes.items()
            for outcome in results
        ],
    )
    (row,) = asked("tool_reliability")
    assert (row["tool"], row["runs"], row["failing_runs"]) == ("search", 3, pytest.approx(1.4))
    assert (row["calls"], row["errors"]) == (13, 10)


def test_calls_without_a_price_are_unpriced_not_free(store, asked, span, put):
    """Their tokens are a number of their own, and where no call has a price there is no cost."""
    put(store, [span("model_call", time.time_ns(), model="home-made", input_tokens=70, output_tokens=30, call_key="k")])
    (row,) = asked("spend_by", dimension="model", from_ns=time.time_ns() - HOUR_NS)
    assert (row["key"], row["cost_usd"], row["unpriced_tokens"]) == ("home-made", None, 100)


def test_outcomes_are_told_apart(store, asked, span, put):
    """outcomes_by counts ended, capped and looping runs by agent; a run without an end is not ended."""
    now_ns = time.time_ns() - 60 * 10**9
    put(
        store,
        [
            span("run", now_ns, run_id="a", outcome="completed", iteration_cap=5),
            span("run", now_ns, run_id="b", outcome="escalated", iteration_cap=2),
            span("iteration", now_ns, run_id="b", iteration=2, parent_span_id=b"\x07" * 8),
            span("run", now_ns, run_id="c", outcome="failed", agent="other"),
            span("run", now_ns, run_id="d", outcome="stopped", limit_name="identical_calls"),
            span(
                "tool_call",
                now_ns,
                run_id="e",
                parent_span_id=b"\x07" * 8,
                event_names=["loopwatch.loop"],
                event_times=[now_ns],
                event_attributes=[{}],
            ),
        ],
    )
    rows = {row["key"]: row for row in asked("outcomes_by", dimension="agent")}
    resolver = rows["resolver"]
    assert [resolver[name] for name in ("runs", "ended", "completed", "escalated", "failed", "stopped")] == [
        4,
        3,
        1,
        1,
        0,
        1,
    ]
    assert [resolver[name] for name in ("capped", "at_cap", "looping")] == [2, 1, 2]
    assert (rows["other"]["runs"], rows["other"]["failed"]) == (1, 1)
    (total,) = asked("outcomes_by")
    assert total["runs"] == 5


def test_every_delivered_rule_can_be_asked(asked):
    """Each rule's query takes the rule's parameters and has the columns the rule judges, on an empty store too."""
    for rule in delivered_rules():
        assert parse_rule(rule.toml, "stored").name == rule.name
        if rule.query != "collector":
            asked(rule.query, **rule.params)
            asked(rule.evidence)
