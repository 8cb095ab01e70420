"""The queries that rules ask, on rows worked out by hand."""

import time
import zlib

import pytest

from loopwatch import names
from loopwatch_collector.alerts.conditions import judge
from loopwatch_collector.alerts.errors import ManyRowsOfAGroup
from loopwatch_collector.alerts.evidence import runs_behind
from loopwatch_collector.alerts.own_health import OwnHealth
from loopwatch_collector.alerts.ranges import window_ending
from loopwatch_collector.alerts.reading import RuleReader
from loopwatch_collector.alerts.rule_parsing import parse_rule
from loopwatch_collector.alerts.rulebook import delivered_rules
from loopwatch_collector.alerts.sources import OWN
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.store.rows import METRIC_POINT_COLUMNS

HOUR_NS = 3_600 * 10**9
BEGAN_NS = time.time_ns() - 3 * HOUR_NS  # when the processes that drop spans began


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
    """Of two spans of one call the higher rank speaks, whether they share a response or the run knows the pair."""
    now_ns = time.time_ns() - 10**9
    told = {"trace_id": b"t" * 16, "response_id": "k", "run_id": "r"}
    native = span("model_call", now_ns, cost_usd=3, input_tokens=5, call_rank=2, **told)
    wrapper = span("model_call", now_ns, cost_usd=4, input_tokens=9, call_rank=1, **told)
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


def test_spend_by_tag_counts_a_call_for_each_of_its_tags(store, asked, span, put, spend):
    """A call has its own tags; one that says none has those of its run, however long ago that began; else no name."""
    put(store, [span("run", time.time_ns() - 3 * HOUR_NS, run_id="long", outcome="completed", tags=["nightly"])])
    spend(4, run_id="long")
    spend(2, run_id="live", tags=["nightly", "batch"])
    spend(1, run_id="bare")
    rows = {row["key"]: (row["cost_usd"], row["runs"]) for row in asked("spend_by", dimension="tag")}
    assert rows == {"nightly": (6, 2), "batch": (2, 1), "": (1, 1)}
    found = asked("spend_top_runs", dimension="tag", key="nightly")
    assert [(row["run_id"], row["cost_usd"]) for row in found] == [("long", 4), ("live", 2)]
    assert [row["run_id"] for row in asked("spend_top_runs", dimension="tag", key="")] == ["bare"]


def test_spend_by_an_attribute_takes_the_calls_own_then_what_its_run_says(store, asked, span, put, spend):
    """A call's own attribute wins; else any span of its run tells, and a resource where no span does."""
    began_ns = time.time_ns() - 3 * HOUR_NS
    put(store, [span("run", began_ns, run_id="long", outcome="completed", attributes={"team": "search"})])
    put(store, [span("run", began_ns, run_id="eu", outcome="completed", attributes={"resource.team": "ops"})])
    spend(4, run_id="long")
    spend(3, run_id="long", attributes={"team": "ads"})
    spend(2, run_id="eu")
    spend(1, run_id="bare", attributes={"other": "x"})
    teams = {"dimension": "attribute", "attribute": "team"}
    rows = {row["key"]: (row["cost_usd"], row["runs"]) for row in asked("spend_by", **teams)}
    # what one call of the run says of itself is a thing its run says too, and so of the call that says nothing
    assert rows == {"search": (4, 1), "ads": (7, 1), "ops": (2, 1), "": (1, 1)}
    assert [row["run_id"] for row in asked("spend_top_runs", **teams, key="ops")] == ["eu"]
    assert sum(row["cost_usd"] for row in asked("spend_by", dimension="attribute", attribute="nothing")) == 10


def test_outcomes_are_told_apart_by_tag_and_attribute(store, asked, span, put):
    """A run with two tags is in both groups; one that no span gives a team is in the one without a name."""
    at_ns = time.time_ns() - 10**9
    team = {"attributes": {"team": "search"}}
    rows = [
        span(
            "run", at_ns, run_id="a", outcome="failed", tags=["nightly", "batch"], attributes={"resource.team": "ops"}
        ),
        span("run", at_ns, run_id="b", outcome="completed", tags=["nightly"]),
        span("tool_call", at_ns, run_id="b", parent_span_id=b"\x07" * 8, tool="search", **team),
        span("run", at_ns, run_id="c", outcome="completed"),
    ]
    put(store, rows)
    put(store, [rows[2]])
    tags = {row["key"]: (row["runs"], row["failed"]) for row in asked("outcomes_by", dimension="tag")}
    assert tags == {"nightly": (2, 1), "batch": (1, 1), "": (1, 0)}
    teams = {row["key"]: row["runs"] for row in asked("outcomes_by", dimension="attribute", attribute="team")}
    assert teams == {"ops": 1, "search": 1, "": 1}


def test_tools_are_told_apart_by_whatever_a_rule_wants(store, asked, span, put):
    """Failures by tool, by agent, by a run's tag and by an attribute of the call; calls of one run count it once."""
    at_ns = time.time_ns() - 10**9
    failed = {"tool": "search", "tool_outcome": "error", "parent_span_id": b"\x07" * 8}
    rows = [
        span("run", at_ns, run_id="a", outcome="completed", tags=["nightly"]),
        span("tool_call", at_ns, run_id="a", attributes={"shard": "7"}, **failed),
        span("tool_call", at_ns, run_id="a", attributes={"shard": "8"}, **{**failed, "tool_outcome": "success"}),
        span("tool_call", at_ns, run_id="b", agent="triage", **{**failed, "tool": "fetch"}),
    ]
    put(store, rows)

    def told(**params):
        return {row["key"]: (row["runs"], row["failing_runs"]) for row in asked("tool_reliability", **params)}

    assert told() == {"search": (1, 0.5), "fetch": (1, 1)}
    assert told(dimension="all") == {"": (2, 1.5)}
    assert told(dimension="agent") == {"resolver": (1, 0.5), "triage": (1, 1)}
    assert told(dimension="tag") == {"nightly": (1, 0.5), "": (1, 1)}
    assert told(dimension="attribute", attribute="shard") == {"7": (1, 1), "8": (1, 0), "": (1, 1)}


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
    assert (row["key"], row["runs"], row["failing_runs"]) == ("search", 3, pytest.approx(1.4))
    assert (row["calls"], row["errors"]) == (13, 10)


def test_a_tools_speed_counts_each_run_once(store, asked, span, put):
    """Runs of 1, 2 and 9 ms have a median of 2 ms; the eight slow calls of one of them weigh no more than one."""
    at_ns = time.time_ns() - 10**9
    calls = [("a", 1), ("b", 2), *[("c", 9)] * 8]
    rows = [span("tool_call", at_ns, run_id=run, tool="search", duration_ns=ms * 1_000_000) for run, ms in calls]
    put(store, rows)
    (row,) = asked("tool_reliability")
    assert (row["p50_duration_ns"], row["p50_noise_ns"], row["example_run_id"]) == (2e6, 4e6, "c")


def test_tokens_not_read_from_the_cache_have_a_share(asked, spend):
    """Of 10 + 10 input tokens 4 were read from the cache: 80 % were not."""
    spend(1, cache_read_tokens=4)
    spend(1)
    assert [row["uncached_share"] for row in asked("spend_by")] == [pytest.approx(0.8)]


def ended_runs(span, version, first_ns, iterations, completed):
    """A run for each number of iterations, of which so many completed, a second apart."""
    rows = []
    for number, count in enumerate(iterations):
        at_ns, run_id = first_ns + number * 10**9, f"{version}-{number}"
        outcome = "completed" if number < completed else "escalated"
        rows.append(span("run", at_ns, run_id=run_id, agent_version=version, outcome=outcome))
        rows.append(
            span("iteration", at_ns, run_id=run_id, agent_version=version, iteration=count, parent_span_id=b"\x07" * 8)
        )
    return rows


def test_a_release_is_held_against_the_version_before(store, asked, span, put):
    """Version 8 needs eight iterations instead of four, give or take one, and completes half: more than chance."""
    hour_ns, day_ns = HOUR_NS, 24 * HOUR_NS
    now_ns = time.time_ns()
    put(store, ended_runs(span, "7", now_ns - 3 * day_ns, [3, 4, 5] * 10, completed=30))
    put(store, ended_runs(span, "8", now_ns - hour_ns // 2, [7, 8, 9] * 8, completed=12))
    put(store, ended_runs(span, "9", now_ns - hour_ns // 3, [4] * 5, completed=5))
    rows = {row["release"]: row for row in asked("releases", from_ns=now_ns - day_ns)}
    assert rows.keys() == {"resolver 8", "resolver 9"}
    release = rows["resolver 8"]
    assert (release["previous_version"], release["runs"], release["previous_runs"]) == ("7", 24, 30)
    # (8 - 4 - 3.2905 * root(16 / 23 / 24 + 20 / 29 / 30)) / 4
    assert release["more_iterations"] == pytest.approx(0.8125, abs=1e-4)
    assert 0.1 < release["fewer_completed"] < 0.5
    assert release["more_cost"] is None, "none of the runs has a cost"
    assert release["example_run_id"].startswith("8-")
    few = rows["resolver 9"]
    assert (few["runs"], few["more_iterations"], few["fewer_completed"]) == (5, None, None)


def drops(store, counts, *, ago_s=60, process="p1", reason="queue_full"):
    """Stores what a process says it dropped so far, report by report, a second apart."""
    now_ns = time.time_ns()
    for number, count in enumerate(counts):
        at_ns = now_ns - (ago_s - number) * 10**9
        values = {
            "metric": names.DROPPED_SPANS_METRIC,
            "time": at_ns,
            "row_version": at_ns,
            "start_time": BEGAN_NS,
            "is_cumulative": 1,
            "series": zlib.crc32(f"{process} {reason}".encode()),
            "value": float(count),
            "service": "shop",
            "process_id": process,
            "attributes": {names.DROP_REASON: reason},
        }
        row = [values.get(column.name, column.default) for column in METRIC_POINT_COLUMNS]
        store.connection().insert("metric_points", METRIC_POINT_COLUMNS, [row])


def test_what_senders_dropped_is_what_they_reported_more(store, asked):
    """A process reports its count since it began: what it had reported before the range is not of the range."""
    drops(store, [40], ago_s=2 * 3_600)
    drops(store, [43, 50])
    drops(store, [7], process="p2", reason="rejected")
    drops(store, [9], ago_s=2 * 3_600, process="p3")
    rows = {row["source"]: row["dropped_spans"] for row in asked("sender_drops")}
    assert rows == {"shop p1 queue_full": 10, "shop p2 rejected": 7}


def test_a_rule_on_losses_sees_senders_and_the_collector(store):
    """What SDKs say they dropped stands beside what this collector refused, each under its own name."""
    metrics = Metrics()
    health = OwnHealth(metrics)
    reader = RuleReader(store.connection, "default", health)
    (rule,) = [one for one in delivered_rules() if one.name == "collector-drops"]
    health.sample(time.time_ns())
    drops(store, [3])
    metrics.note_answered("traces", "default", 1, {"too_old": 2})
    metrics.note_answered("logs", "default", 0, {"a log line that is no event of an agent": 40})
    health.sample(time.time_ns())
    now_ns = time.time_ns()
    verdicts = judge(rule, now_ns, lambda stretch: reader.read(rule, now_ns, stretch))
    assert {group: (verdict.state, verdict.value) for group, verdict in verdicts.items()} == {
        "the collector refused spans": ("breach", 2),
        "shop p1 queue_full": ("breach", 3),
    }


@pytest.mark.parametrize("has_drops", [False, True])
def test_losses_of_many_ranges_are_those_of_each(store, has_drops):
    """A replay reads what each of its moments would; nothing at all where no sender ever dropped a span."""
    reader = RuleReader(store.connection, "default", OwnHealth(Metrics()))
    (rule,) = [one for one in delivered_rules() if one.name == "collector-drops"]
    if has_drops:
        drops(store, [3], ago_s=2_000)
        drops(store, [3, 8], ago_s=700)
    now_ns = time.time_ns()
    ranges = [window_ending(now_ns - minutes * 60 * 10**9, 900) for minutes in (0, 10, 20, 30)]
    read = reader.read_each(rule, now_ns, ranges)
    assert read == {one: reader.read(rule, now_ns, one) for one in ranges}
    assert [sum(values["lost"] for values in read[one].values()) for one in ranges] == (
        [5.0, 5.0, 3.0, 3.0] if has_drops else [0.0] * 4
    )


def test_calls_without_a_price_are_unpriced_not_free(store, asked, span, put):
    """Their tokens are a number of their own, and where no call has a price there is no cost."""
    put(
        store,
        [span("model_call", time.time_ns(), model="home-made", input_tokens=70, output_tokens=30, response_id="k")],
    )
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
        if rule.query not in OWN:
            asked(rule.query, **rule.params)
            asked(rule.evidence)


RULE = """
[[rule]]
name = "r"
title = "R"
query = "QUERY"
group_by = "GROUP"
value = "VALUE"
window = "1h"
evidence = "EVIDENCE"
condition = { kind = "threshold", above = 1 }
"""


def rule_of(query, group, value, evidence):
    """A rule that groups a query's answer."""
    words = {"QUERY": query, "GROUP": group, "VALUE": value, "EVIDENCE": evidence}
    text = RULE
    for word, meant in words.items():
        text = text.replace(word, meant)
    return parse_rule(text, "stored")


@pytest.mark.parametrize(
    ("query", "dimension", "value", "evidence", "group", "expected"),
    [
        ("spend_by", "customer", "cost_usd", "spend_top_runs", "acme", ["dear", "cheap"]),
        ("spend_by", "agent", "cost_usd", "spend_top_runs", "resolver", ["dear", "cheap", "other"]),
        ("spend_by", "user", "cost_usd", "spend_top_runs", 'o"neill\\', ["dear"]),
        ("spend_by", "conversation", "cost_usd", "spend_top_runs", "talk", ["cheap"]),
        ("spend_by", "user", "cost_usd", "spend_top_runs", "", ["old", "cheap", "other"]),
        ("spend_by", "tag", "cost_usd", "spend_top_runs", "nightly", ["old", "cheap"]),
        ("spend_by", "tag", "cost_usd", "cost_top_runs", "nightly", ["cheap"]),
        ("spend_by", "attributes.team", "cost_usd", "spend_top_runs", "search", ["old", "other"]),
        ("spend_by", "attributes.team", "cost_usd", "cost_top_runs", "search", ["other"]),
        ("outcomes_by", "attributes.team", "runs", "cost_top_runs", "", ["dear", "cheap"]),
        ("outcomes_by", "tag", "runs", "cost_top_runs", "", ["dear", "other"]),
        ("tool_reliability", "tag", "calls", "tool_errors", "nightly", ["cheap"]),
        ("tool_reliability", "tool", "calls", "tool_reliability", "search", ["cheap"]),
        ("tool_reliability", "tool", "calls", "tool_errors", "search", ["cheap"]),
        ("tool_reliability", "tool", "calls", "cost_top_runs", "search", ["cheap"]),
        ("spend_top_runs", "run_id", "cost_usd", "spend_top_runs", "other", ["other"]),
        ("sender_gaps", "process_id", "missing", "cost_top_runs", "p1", []),
    ],
)
def test_the_runs_behind_an_alert_are_its_groups(
    store, span, put, spend, query, dimension, value, evidence, group, expected
):
    """Whatever a rule groups by, a message names runs of that group and no others; none where nobody can tell."""
    began_ns = time.time_ns() - 3 * HOUR_NS
    old = {"tags": ["nightly"], "attributes": {"resource.team": "search"}, "agent": "former"}
    put(store, [span("run", began_ns, run_id="old", outcome="completed", **old)])
    spend(9, "omega", run_id="old", agent="former")
    spend(30, "acme", run_id="dear", user_id='o"neill\\')
    spend(3, "acme", run_id="cheap", conversation_id="talk", tags=["nightly"])
    spend(2, "zeta", run_id="other", attributes={"team": "search"})
    failed = {"tool": "search", "tool_outcome": "error", "error_message": "timed out"}
    put(store, [span("tool_call", time.time_ns() - 50 * 10**9, run_id="cheap", customer_id="acme", **failed)])
    rule = rule_of(query, dimension, value, evidence)
    assert list(runs_behind(store.connection(), "default", rule, group, time.time_ns())) == expected


def test_a_rule_that_tells_less_apart_than_its_query_is_refused(store, span, put):
    """Of a tool's errors of several kinds there is no one number: the rule says so instead of judging the last."""
    at_ns = time.time_ns() - 50 * 10**9
    for message in ("timed out", "no such index"):
        failed = {"tool": "search", "tool_outcome": "error", "error_message": message}
        put(store, [span("tool_call", at_ns, run_id=message, **failed)])
    rule = rule_of("tool_errors", "tool", "calls", "tool_errors")
    reader = RuleReader(store.connection, "default", OwnHealth(Metrics()))
    with pytest.raises(ManyRowsOfAGroup, match="several rows for tool 'search'"):
        reader.read(rule, time.time_ns(), window_ending(time.time_ns(), 3_600))
