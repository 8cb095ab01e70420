"""The engine's pace over a real store: rules are on time beside slow ones, and what need not be asked is not."""

import threading

import pytest

from loopwatch_collector.alerts.records import AlertRecords
from loopwatch_collector.queries.catalogue import NamedQuery, QueryColumn, catalogue
from loopwatch_collector.queries.runner import ask
from loopwatch_collector.queries.times import LATEST_NS
from tests.processes import wait_for

BUDGET_RULE = """
[[rule]]
name = "customer-budget-hour"
title = "Dear customer"
query = "spend_by"
group_by = "customer"
value = "cost_usd"
window = "1h"
every = "1s"
condition = { kind = "threshold", above = 50 }
"""

SLOW_RULE = """
[[rule]]
name = "slow-{number}"
title = "Slow"
query = "slow"
value = "runs"
window = "{number}h"
every = "1s"
condition = {{ kind = "threshold", above = 50 }}
"""


@pytest.fixture
def slow_query(monkeypatch):
    """A named query that takes four seconds in the engine itself."""
    sql = "SELECT runs FROM (SELECT sum(sleepEachRow(0.2)) AS runs FROM numbers(20) SETTINGS max_block_size = 1)"
    query = NamedQuery("slow", columns=[QueryColumn("runs", "runs", "None")], sql=sql)
    monkeypatch.setitem(catalogue(), "slow", query)


@pytest.mark.usefixtures("slow_query")
def test_rules_are_on_time_although_others_are_slow(tmp_path, hook, rules_file, engines, spend, eventually):
    """Six rules of four seconds each, more than there are lanes: the quick one tells what crosses meanwhile."""
    slow = "".join(SLOW_RULE.format(number=number) for number in range(1, 7))
    path = rules_file(tmp_path / "rules.toml", hook.url, BUDGET_RULE + slow)
    spend(60)
    engine = engines(path, prompt_s=2.0)
    eventually(lambda: hook.received)
    spend(60, "zeta")
    eventually(lambda: len(hook.received) == 2)
    statuses = [engine.status("default", f"slow-{number}") for number in range(1, 7)]
    assert statuses.count(None) >= 3
    done = eventually(lambda: [one for n in range(1, 7) if (one := engine.status("default", f"slow-{n}"))], 30)
    assert not any(one.error for one in done), "it goes on where it has time, and is no fault"


@pytest.fixture
def slow_together(monkeypatch):
    """A named query that takes eight seconds when it is asked for several sets of filters, and none for one."""
    slow = "SELECT sum(sleepEachRow(0.2)) AS runs FROM numbers(40) SETTINGS max_block_size = 1"
    text = f"SELECT toUInt8(0) AS filter_set, runs FROM ({slow})"
    columns = [QueryColumn("runs", "runs", "None")]
    query = NamedQuery("slow", columns=columns, sql="SELECT toInt64(7) AS runs", text_for_filter_sets=text)
    monkeypatch.setitem(catalogue(), "slow", query)


@pytest.mark.usefixtures("slow_together")
def test_a_slow_question_that_rules_share_keeps_nobody_waiting(tmp_path, hook, rules_file, engines, spend, eventually):
    """Eight rules share a question of eight seconds: each is answered alone, and another rule tells what crosses."""
    shared = "".join(
        SLOW_RULE.format(number=1).replace('"slow-1"', f'"slow-{number}"') + f'filters = {{ customer = "c{number}" }}\n'
        for number in range(1, 9)
    )
    path = rules_file(tmp_path / "rules.toml", hook.url, BUDGET_RULE + shared)
    spend(60)
    engine = engines(path, prompt_s=2.5)
    eventually(lambda: hook.received)
    spend(60, "zeta")
    eventually(lambda: len(hook.received) == 2)
    eventually(lambda: all(engine.status("default", f"slow-{number}") for number in range(1, 9)), 30)
    for number in range(1, 9):
        status = engine.status("default", f"slow-{number}")
        assert (status.error, status.verdicts[""].value) == ("", 7.0)


def test_a_rule_without_new_data_costs_nothing(rules, engines, spend, eventually, monkeypatch):
    """After it was evaluated on an empty store, and again after data of others, it asks the store nothing more."""
    rules.write_text(rules.read_text().replace("evidence =", 'filters = { customer = "acme" }\nevidence ='))
    asked = []

    def counted(connection, question, *rest):
        asked.append(question.name)
        return ask(connection, question, *rest)

    monkeypatch.setattr("loopwatch_collector.alerts.reading.ask", counted)
    engine = engines(rules)
    eventually(lambda: engine.status("default", "customer-budget-hour"))
    before = list(asked)
    looks = engine.looks
    spend(70, "zeta")
    eventually(lambda: engine.looks > looks + 3)
    assert asked == before
    spend(20, "acme")
    eventually(lambda: len(asked) > len(before))


def test_who_stops_asks_nothing_more(store, rules, engines, spend, monkeypatch):
    """An evaluation of many windows ends with the question under way; what it began is left to the next collector."""
    spend(60)
    spend(60, "zeta", ago_s=3 * 3_600)
    asked, stopped = [], threading.Event()

    def held(connection, question, *rest):
        asked.append(question.name)
        assert stopped.wait(20)
        return ask(connection, question, *rest)

    with monkeypatch.context() as patched:
        patched.setattr("loopwatch_collector.alerts.reading.ask", held)
        engine = engines(rules)
        wait_for(lambda: asked or None, "a question is under way")
        stop = threading.Thread(target=engine.stop, args=(10,))
        stop.start()
        wait_for(lambda: engine.is_stopping or None, "it stops")
        stopped.set()
        stop.join(20)
    assert len(asked) == 1
    assert AlertRecords(store).list_alerts("default", 0, LATEST_NS, states=["firing", "resolved"]) == []


@pytest.fixture
def broken_evidence(monkeypatch):
    """A named query that names runs and always fails."""
    sql = "SELECT throwIf(1, 'no such luck') AS run_id"
    query = NamedQuery("broken", columns=[QueryColumn("run_id", "text", "None")], sql=sql)
    monkeypatch.setitem(catalogue(), "broken", query)


@pytest.mark.usefixtures("broken_evidence")
def test_an_alert_fires_although_its_runs_cannot_be_found(rules, engines, spend, hook, eventually):
    """What the message would name its runs by fails: it is sent without them."""
    rules.write_text(rules.read_text().replace('"spend_top_runs"', '"broken"'))
    spend(60)
    engines(rules)
    eventually(lambda: hook.received)
    (message,) = hook.messages()
    assert (message["kind"], message["value"], message["run_ids"]) == ("firing", 60.0, [])


@pytest.fixture
def slow_evidence(monkeypatch):
    """A named query that names a run after four seconds."""
    slept = "SELECT sum(sleepEachRow(0.2)) AS runs FROM numbers(20) SETTINGS max_block_size = 1"
    sql = f"SELECT concat('slow-', toString(runs)) AS run_id FROM ({slept})"
    query = NamedQuery("slow", columns=[QueryColumn("run_id", "text", "None")], sql=sql)
    monkeypatch.setitem(catalogue(), "slow", query)


@pytest.mark.usefixtures("slow_evidence")
def test_rules_are_on_time_although_another_looks_for_its_runs(tmp_path, hook, rules_file, engines, spend, eventually):
    """Five rules that fire take four seconds each, more than there are lanes, to find their runs; another one tells."""
    firing = "".join(
        BUDGET_RULE.replace('"customer-budget-hour"', f'"slow-{number}"\nevidence = "slow"') for number in range(5)
    )
    spend(60)
    path = rules_file(tmp_path / "rules.toml", hook.url, firing + BUDGET_RULE)
    engines(path, prompt_s=2.5)
    eventually(lambda: len(hook.received) == 6, 90)
    first, *others = hook.messages()
    assert first["rule"] == "customer-budget-hour"
    assert {tuple(message["run_ids"]) for message in others} == {("slow-0",)}
