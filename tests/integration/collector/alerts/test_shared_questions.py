"""Rules that differ in their filters and windows: one question to the store, and each gets what it would get alone."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwatch_collector.alerts import reading
from loopwatch_collector.alerts.own_health import OwnHealth
from loopwatch_collector.alerts.ranges import Range, window_ending
from loopwatch_collector.alerts.reading import RuleReader
from loopwatch_collector.alerts.rule import Rule, Threshold
from loopwatch_collector.alerts.rulebook import delivered_rules
from loopwatch_collector.alerts.sources import OWN
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.queries.catalogue import NamedQuery, QueryColumn, catalogue
from loopwatch_collector.queries.filter_sets.asking import FilterSet, ask_each
from loopwatch_collector.queries.runner import MAX_LIMIT, Question, ask
from loopwatch_collector.store.errors import StatementFailed
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.store.store import Store
from tests.integration.collector.alerts.conftest import put, span
from tests.migrated_store import migrated_store

NOW_NS = time.time_ns()
HOUR_NS = 3_600 * 10**9
VALUES = {
    "environment": ["production", "staging", ""],
    "agent": ["resolver", "triage"],
    "version": ["1", "2"],
    "model": ["opus", "haiku", "unpriced"],
    "customer": ["acme", "zeta", "o'neill", ""],
}
MANY = {query.name for query in catalogue().values() if query.tells_ranges_apart}
SHARED = [query for query in catalogue().values() if query.text_for_filter_sets]


def some_run(random: Random, number: int) -> list[list]:
    """A run's spans: calls of one or two models, some of them told twice, and tools that fail now and then."""
    at_ns = NOW_NS - random.randrange(3 * HOUR_NS)
    own = {
        "run_id": f"run-{number}",
        "environment": random.choice(VALUES["environment"]),
        "agent": random.choice(VALUES["agent"]),
        "agent_version": random.choice(VALUES["version"]),
        "user_id": random.choice(["ana", "ben"]),
        "tags": random.choice([[], ["nightly"], ["nightly", "batch"]]),
        "attributes": random.choice([{}, {"team": "search"}, {"team": "ops"}]),
        "trace_id": number.to_bytes(16, "big"),
    }
    customer = random.choice(VALUES["customer"])
    rows = []
    for _ in range(random.randrange(4)):
        rows.append(some_call(random, at_ns + random.randrange(HOUR_NS // 60), customer, own))
        if random.random() < 0.3:
            rows.append(rows[-1])
    for _ in range(random.randrange(4)):
        tool = {"tool": random.choice(["search", "fetch"]), "tool_outcome": random.choice(["success", "error"])}
        rows.append(span("tool_call", at_ns, customer_id=customer, duration_ns=random.randrange(10**9), **tool, **own))
    if random.random() < 0.8:
        looped = ["loopwatch.loop"] if random.random() < 0.3 else []
        events = {"event_names": looped, "event_times": [at_ns] * len(looped), "event_attributes": [{}] * len(looped)}
        outcome = {"outcome": random.choice(["completed", "escalated", "failed"]), "iteration_cap": 5}
        rows.append(span("run", at_ns, customer_id=customer, **own, **outcome, **events))
    return rows


def some_call(random: Random, at_ns: int, customer: str, own: dict) -> list:
    """A model call; some models have no price."""
    model = random.choice(VALUES["model"])
    cost = None if model == "unpriced" else Decimal(random.randrange(1, 99)) / 8
    tokens = {"input_tokens": 10, "output_tokens": 5, "cache_read_tokens": random.randrange(5)}
    key = {"response_id": f"call-{random.randrange(10**9)}", "call_rank": 1}
    return span("model_call", at_ns, model=model, customer_id=customer, cost_usd=cost, **tokens, **key, **own)


@cache
def some_runs() -> list[list]:
    """The spans of a hundred and fifty runs of every kind in the last three hours."""
    random = Random(11)
    return [row for number in range(150) for row in some_run(random, number)]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A store with some runs, and one of three days ago: hours before the first day would all be one question."""
    opened = Store.open(migrated_store(tmp_path_factory.mktemp("fleet") / "store"))
    put(opened, [*some_runs(), span("run", NOW_NS - 72 * HOUR_NS)])
    yield opened
    opened.close()


def beginnings():
    """Whole hours, and moments at which something started, or that are just past."""
    started = sorted({row[SPAN_INDEX["start_time"]] for row in some_runs()})
    return st.sampled_from([NOW_NS - hours * HOUR_NS for hours in (1, 2, 3)]) | st.builds(
        int.__add__, st.sampled_from(started), st.sampled_from([0, 1])
    )


filters = st.fixed_dictionaries(
    {},
    optional={name: st.lists(st.sampled_from([*values, "nobody"]), max_size=3) for name, values in VALUES.items()},
)


def filter_set(chosen, from_ns, lasts_ns):
    """A set of filters with a range that ends when the question's does, or before."""
    return FilterSet(chosen, from_ns, None if lasts_ns is None else from_ns + lasts_ns)


lengths = st.none() | st.sampled_from([0, 1, HOUR_NS // 60, HOUR_NS // 2, HOUR_NS])
filter_sets = st.lists(st.builds(filter_set, filters, st.deferred(beginnings), lengths), min_size=1, max_size=8)


def assert_same(found, expected):
    """Rows are the same in any order, floats but for their last digits: those tell in which order they were added."""
    assert len(found) == len(expected)
    for one, other in zip(sorted(found, key=_texts), sorted(expected, key=_texts), strict=True):
        for value, wanted in zip(one, other, strict=True):
            assert value == (pytest.approx(wanted, rel=1e-9) if isinstance(wanted, float) else wanted)


def _texts(row):
    return [value for value in row if isinstance(value, str)]


@pytest.mark.parametrize("query", SHARED, ids=lambda query: query.name)
@settings(max_examples=12, deadline=timedelta(seconds=60), suppress_health_check=list(HealthCheck))
@given(asked=filter_sets, data=st.data())
def test_each_set_of_filters_is_answered_as_if_alone(fleet, query, asked, data):
    """Whatever filters and ranges: values nobody has, overlapping sets, the same set twice, none at all."""
    choices = [param.values for param in query.params if param.values]
    params = {"dimension": data.draw(st.sampled_from(choices[0])), "attribute": "team"} if choices else {}
    question = Question(query.name, "default", 0, NOW_NS, params, limit=MAX_LIMIT)
    shared = ask_each(fleet.connection(), question, asked)
    for one, rows in zip(asked, shared, strict=True):
        to_ns = question.to_ns if one.to_ns is None else one.to_ns
        alone = replace(question, filters=one.filters, from_ns=one.from_ns, to_ns=to_ns)
        assert_same(rows, ask(fleet.connection(), alone).rows)


def test_sets_of_several_ranges_are_refused_where_the_query_cannot_tell(fleet, monkeypatch):
    """Its answer would be that of the longest range for all of them."""
    text = "SELECT toUInt8(0) AS filter_set, {to_ns:Int64} - {from_ns:Int64} AS length_ns"
    monkeypatch.setitem(catalogue(), "length", NamedQuery("length", text_for_filter_sets=text))
    question = Question("length", "default", 0, 100)
    assert ask_each(fleet.connection(), question, [FilterSet({}, 40), FilterSet({}, 40)]) == [[[60]], []]
    with pytest.raises(ValueError, match="length"):
        ask_each(fleet.connection(), question, [FilterSet({}, 40), FilterSet({}, 50)])
    with pytest.raises(ValueError, match="length"):
        ask_each(fleet.connection(), question, [FilterSet({}, 40), FilterSet({}, 40, 90)])


def test_sixty_four_sets_are_told_apart(fleet):
    """The last bit of the engine's number is a set like the others, beside one that lets everything pass."""
    question = Question("spend_by", "default", 0, NOW_NS, {"dimension": "customer"}, limit=MAX_LIMIT)
    chosen = [{"customer": [f"nobody-{number}"]} for number in range(62)] + [{}, {"customer": ["acme"]}]
    asked = [FilterSet(filters, NOW_NS - HOUR_NS - number % 2 * HOUR_NS) for number, filters in enumerate(chosen)]
    *others, everybody, acme = ask_each(fleet.connection(), question, asked)
    assert not any(others)
    assert {row[0] for row in everybody} == set(VALUES["customer"])
    (longer,) = ask_each(fleet.connection(), question, [asked[-1]])
    assert_same(acme, longer)
    assert longer[0][1] > next(row[1] for row in everybody if row[0] == "acme")


def reader_of(store, *rules, clock=time.monotonic):
    """A reader of the default project that knows of rules."""
    made = RuleReader(store.connection, "default", OwnHealth(Metrics()), clock)
    made.share(rules)
    return made


def with_filters(rule: Rule) -> list[Rule]:
    """The rule for everybody, for each of seventy customers, and for some other choices, over three windows."""
    chosen = [{"customer": (f"customer-{number}",)} for number in range(70)]
    chosen += [{name: (value,)} for name, values in VALUES.items() for value in values]
    chosen += [{"environment": ("production", ""), "customer": ("acme", "zeta")}]
    others = [replace(rule, filters=filters) for filters in chosen]
    return [rule, *(replace(one, window_s=rule.window_s // (1 + at % 3)) for at, one in enumerate(others))]


def rows_of(readings):
    """A reader's answer as rows."""
    return [[group, *values.values()] for group, values in readings.items()]


@pytest.mark.parametrize("rule", [one for one in delivered_rules() if one.query not in OWN], ids=lambda rule: rule.name)
def test_a_delivered_rule_reads_the_same_with_any_filters(fleet, rule):
    """Values by group are those that a reader finds that knows of no other rule, past sixty-four filters too."""
    rules = with_filters(rule)
    shared, alone = reader_of(fleet, *rules), reader_of(fleet)
    for one in [*rules[::20], *rules[-7:]]:
        window = window_ending(NOW_NS, one.window_s)
        expected, found = alone.read(one, NOW_NS, window), shared.read(one, NOW_NS, window)
        assert_same(rows_of(found), rows_of(expected))


@pytest.fixture
def questions(monkeypatch):
    """The questions that were asked: (query, for how many sets of filters)."""
    asked = []

    def ask_counted(connection, question, *rest):
        asked.append((question.name, 1))
        return ask(connection, question, *rest)

    def ask_each_counted(connection, question, filter_sets, *rest):
        asked.append((question.name, len(filter_sets)))
        return ask_each(connection, question, filter_sets, *rest)

    monkeypatch.setattr(reading, "ask", ask_counted)
    monkeypatch.setattr(reading, "ask_each", ask_each_counted)
    return asked


CUSTOMERS = [
    Rule(
        f"dear-{customer}", "Dear", "spend_by", "cost_usd", "usd", Threshold(50.0, None, 50.0), 3_600,
        params={"dimension": "agent"}, group_by="agent", group_column="key", filters={"customer": (customer,)},
    )
    for customer in ("acme", "zeta", "o'neill", "nobody")
]  # fmt: skip


def test_rules_of_several_windows_are_one_question(fleet, questions):
    """Five rules over one and two hours, asked at once by as many threads, cost one statement; a group one more."""
    rules = [*CUSTOMERS, replace(CUSTOMERS[0], window_s=7_200)]
    other = replace(CUSTOMERS[0], params={"dimension": "customer"})
    reader = reader_of(fleet, *rules, other)
    together = threading.Barrier(len(rules))

    def read(rule):
        together.wait()
        reader.read(rule, NOW_NS, window_ending(NOW_NS, rule.window_s))

    threads = [threading.Thread(target=read, args=(rule,)) for rule in rules]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert questions == [("spend_by", 5)]
    reader.read(other, NOW_NS, window_ending(NOW_NS, 3_600))
    assert questions[1:] == [("spend_by", 1)]


def test_other_ranges_than_windows_that_end_now_are_asked_about_as_they_are(fleet, questions):
    """A window of the past, or a piece of a day that ends now, is shared with those of the same window alone."""
    rules = [*CUSTOMERS, replace(CUSTOMERS[0], window_s=7_200)]
    reader, alone = reader_of(fleet, *rules), reader_of(fleet)
    for stretch in (window_ending(NOW_NS - HOUR_NS, 3_600), window_ending(NOW_NS, 5_000)):
        for rule in rules[:2]:
            assert_same(rows_of(reader.read(rule, NOW_NS, stretch)), rows_of(alone.read(rule, NOW_NS, stretch)))
    assert [sets for _, sets in questions if sets > 1] == [4, 4]


def test_who_has_to_know_of_new_data_gets_no_older_answer(fleet, questions):
    """An evaluation that began before data came may share an older answer; one that began after it asks anew."""
    reader = reader_of(fleet, *CUSTOMERS)
    before = reader.arrived
    window = window_ending(NOW_NS, 3_600)
    reader.read(CUSTOMERS[0], NOW_NS, window)
    reader.forget([], NOW_NS)
    reader.read(CUSTOMERS[1], NOW_NS, window, since=before)
    assert len(questions) == 1
    reader.read(CUSTOMERS[1], NOW_NS, window)
    assert len(questions) == 2


def test_late_data_leaves_other_answers_alone(fleet, questions):
    """What came for five hours ago makes the answers about then old, and those about now, but not the others."""
    reader = reader_of(fleet, *CUSTOMERS)
    long_ago, then = (window_ending(NOW_NS - hours * HOUR_NS, 3_600) for hours in (9, 5))
    for window in (long_ago, then):
        reader.read(CUSTOMERS[0], NOW_NS, window)
    reader.forget([Range(then.from_ns, then.from_ns + 900 * 10**9)], NOW_NS)
    reader.read(CUSTOMERS[0], NOW_NS, long_ago)
    assert len(questions) == 2
    reader.read(CUSTOMERS[0], NOW_NS, then)
    assert len(questions) == 3


HISTORY = [Range(NOW_NS - at * HOUR_NS // 4 - HOUR_NS, NOW_NS - at * HOUR_NS // 4) for at in range(10)]


@pytest.mark.parametrize("rule", [one for one in delivered_rules() if one.query not in OWN], ids=lambda rule: rule.name)
def test_many_ranges_read_at_once_are_as_each_alone(fleet, questions, rule):
    """Those that are over are one question where the query tells ranges apart; what ends now is asked for itself."""
    read = reader_of(fleet).read_each(rule, NOW_NS, HISTORY)
    asked = list(questions)
    alone = reader_of(fleet)
    assert read.keys() == set(HISTORY)
    for one in HISTORY:
        assert_same(rows_of(read[one]), rows_of(alone.read(rule, NOW_NS, one)))
    assert asked == ([(rule.query, 9), (rule.query, 1)] if rule.query in MANY else [(rule.query, 1)] * 10)


def test_too_many_rows_for_one_question_are_asked_for_in_two(fleet, questions, monkeypatch):
    """What does not fit the limit of rows together is read in halves."""
    text = (
        "SELECT toUInt8(number % length({window_from_ns:Array(Int64)})) AS filter_set, "
        "toString(number) AS key, 1 AS runs FROM numbers(toUInt64(45000 * length({window_sets:Array(UInt64)})))"
    )
    columns = [QueryColumn("key", "text", "Each of its own"), QueryColumn("runs", "runs", "One")]
    query = NamedQuery("broken", columns=columns, sql=RUNS, text_for_filter_sets=text, tells_ranges_apart=True)
    monkeypatch.setitem(catalogue(), "broken", query)
    over = [window_ending(NOW_NS - hours * HOUR_NS, 3_600) for hours in (3, 2, 1)]
    read = reader_of(fleet).read_each(replace(BROKEN, filters={}, group_by="key", group_column="key"), NOW_NS, over)
    assert questions[0] == ("broken", 3)
    assert sorted(sets for _, sets in questions[1:]) == [1, 2]
    assert [len(read[one]) for one in over] == [45_000] * 3


RUNS = """
SELECT toInt64(count()) AS runs
FROM runs
WHERE project = {project:String} AND has({customer:Array(String)}, customer_id)
"""
BROKEN = replace(CUSTOMERS[0], query="broken", value="runs", params={}, group_by="", group_column="")


@pytest.fixture
def broken_query(monkeypatch):
    """A named query that answers one set of filters, and fails for several."""
    text = "SELECT throwIf(1, 'never together') AS filter_set, toInt64(0) AS runs"
    query = NamedQuery("broken", columns=[QueryColumn("runs", "runs", "None")], sql=RUNS, text_for_filter_sets=text)
    monkeypatch.setitem(catalogue(), "broken", query)


@pytest.mark.usefixtures("broken_query")
def test_where_a_shared_question_fails_each_asks_alone(fleet, questions):
    """Every rule has its answer all the same, and for ten minutes none tries to share again."""
    now_s = 1_000.0
    rules = [replace(BROKEN, filters=rule.filters) for rule in CUSTOMERS]
    reader = reader_of(fleet, *rules, clock=lambda: now_s)
    window = window_ending(NOW_NS, 3_600)
    found = [reader.read(rule, NOW_NS, window)[""]["runs"] for rule in rules]
    assert found[0] > 0
    assert found[-1] == 0
    assert questions == [("broken", 4), *[("broken", 1)] * 4]
    now_s += 601
    reader.read(rules[0], NOW_NS, window)
    assert questions[5:] == [("broken", 4), ("broken", 1)]


def test_where_a_question_of_several_windows_fails_there_is_one_for_each_window(fleet, questions, monkeypatch):
    """At once each asks for itself; for the next ten minutes those of one window ask together."""
    text = (
        "SELECT arrayJoin([toUInt8(0), 1, 2, 3]) AS filter_set, "
        "toInt64(throwIf(length({window_from_ns:Array(Int64)}) > 1)) + length({window_sets:Array(UInt64)}) AS runs"
    )
    columns = [QueryColumn("runs", "runs", "None")]
    query = NamedQuery("broken", columns=columns, sql=RUNS, text_for_filter_sets=text, tells_ranges_apart=True)
    monkeypatch.setitem(catalogue(), "broken", query)
    rules = [replace(BROKEN, filters=rule.filters) for rule in CUSTOMERS]
    longer = replace(rules[0], window_s=7_200)
    reader = reader_of(fleet, *rules, longer)
    for rule in [longer, *rules]:
        reader.read(rule, NOW_NS, window_ending(NOW_NS, rule.window_s))
    assert questions == [("broken", 5), ("broken", 1), ("broken", 4)]


def test_a_rule_that_fails_alone_says_why(fleet, monkeypatch):
    """What is wrong with a question itself reaches the rule that asks it."""
    query = NamedQuery("broken", columns=[QueryColumn("runs", "runs", "None")], sql="SELECT throwIf(1, 'never')")
    monkeypatch.setitem(catalogue(), "broken", query)
    with pytest.raises(StatementFailed, match="never"):
        reader_of(fleet, BROKEN).read(BROKEN, NOW_NS, window_ending(NOW_NS, 3_600))
