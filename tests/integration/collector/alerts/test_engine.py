"""The engine over a real store: it fires in time, says it once, and survives what happens to collectors."""

import time
from dataclasses import replace
from datetime import UTC, datetime

from loopwatch_collector.alerts.engine import AlertEngine
from loopwatch_collector.alerts.lease import Lease
from loopwatch_collector.alerts.ranges import window_ending
from loopwatch_collector.alerts.records import AlertRecords, Remark, StoredRule
from loopwatch_collector.alerts.remarks import ACKNOWLEDGEMENT, SILENCE
from loopwatch_collector.alerts.states import Alert
from loopwatch_collector.alerts.webhook import ID_HEADER, SIGNATURE_HEADER, verify
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.queries.times import LATEST_NS

RATE_RULE = """
[[rule]]
name = "escalations"
title = "Escalations"
query = "outcomes_by"
group_by = "agent"
value = "escalated"
window = "1h"
every = "1s"
condition = { kind = "rate", of = ["ended"], above = 0.2, min_sample = 10 }
"""


def listed(store, *states):
    return AlertRecords(store).list_alerts("default", 0, LATEST_NS, states=states, rules=["customer-budget-hour"])


def test_a_customer_over_the_budget_is_told_once_and_its_end_too(store, rules, engines, spend, hook, eventually):
    """What, how much against what, since when, which runs, signed; one message per incident, then one for the end."""
    spend(20, "acme")
    spend(45, "acme", run_id="the-dear-run")
    spend(49, "zeta")
    engine = engines(rules, dashboards_url="http://pages.example")
    eventually(lambda: hook.received)
    (headers, body), (message,) = hook.received[0], hook.messages()
    assert verify("s3cret", headers[SIGNATURE_HEADER], body, time.time())
    assert headers[ID_HEADER] == message["notification_id"]
    assert message["title"] == "[CRITICAL] Dear customer (customer acme) fires"
    assert message["summary"] == "Dear customer (customer acme): $65.00 within 1 h, the threshold is $50.00."
    assert (message["group"], message["value"], message["threshold"]) == ({"customer": "acme"}, 65.0, 50.0)
    assert message["run_ids"][0] == "the-dear-run"
    assert message["fired_at"].endswith("Z")
    assert datetime.fromisoformat(message["started_at"]) <= datetime.fromisoformat(message["fired_at"])
    assert message["resolved_at"] is None
    assert message["links"]["Run 1"] == "http://pages.example/run?run=the-dear-run"
    evaluated = engine.status("default", "customer-budget-hour").evaluated_at_ns
    eventually(lambda: engine.status("default", "customer-budget-hour").evaluated_at_ns > evaluated + 2e9)
    assert len(hook.received) == 1

    rules.write_text(rules.read_text().replace("above = 50", "above = 5000"))
    engine.changed()
    eventually(lambda: len(hook.received) == 2)
    assert datetime.fromisoformat(hook.messages()[1]["resolved_at"]).tzinfo == UTC
    assert hook.messages()[1]["title"] == "[CRITICAL] Dear customer (customer acme) is over"
    (alert,) = listed(store, "resolved")
    assert [entry.event for entry in alert.history] == ["firing", "resolved"]


TEAM_RULE = """
[[rule]]
name = "dear-team"
title = "A team is expensive"
query = "spend_by"
group_by = "attributes.team"
value = "cost_usd"
window = "1h"
every = "1s"
evidence = "spend_top_runs"
condition = { kind = "threshold", above = 50 }
"""


def test_any_team_over_a_budget_is_one_rule(tmp_path, rules_file, engines, spend, hook, eventually):
    """A rule by an attribute that the sender made up tells each group with its own runs, and is replayed so."""
    path = rules_file(tmp_path / "teams.toml", hook.url, TEAM_RULE)
    for team, cost_usd in (("search", 60), ("ads", 70), ("ops", 5)):
        spend(cost_usd, run_id=f"run-of-{team}", attributes={"team": team})
    engine = engines(path)
    eventually(lambda: len(hook.received) == 2)
    told = {message["group"]["attributes.team"]: message for message in hook.messages()}
    assert told.keys() == {"search", "ads"}
    assert told["ads"]["title"] == "[WARNING] A team is expensive (attributes.team ads) fires"
    assert {team: message["run_ids"] for team, message in told.items()} == {
        "search": ["run-of-search"],
        "ads": ["run-of-ads"],
    }
    rule = engine.rulebook.rule("default", "dear-team")
    replayed = engine.replay("default", rule, window_ending(time.time_ns(), 3_600), 300)
    assert {group for group, track in replayed.groups.items() if track.alerts} == {"search", "ads"}


def test_data_that_comes_later_fires(rules, engines, spend, hook, eventually):
    """The engine notices new data by itself: nothing fires before, and the crossing is told."""
    engine = engines(rules)
    eventually(lambda: engine.status("default", "customer-budget-hour"))
    spend(40)
    spend(20)
    eventually(lambda: hook.received)
    assert hook.messages()[0]["value"] == 60.0


def test_a_span_stored_twice_counts_once(store, rules, engines, span, put, hook, eventually):
    """Duplicates of spans, and two spans of one call, do not push a customer over the budget."""
    now_ns = time.time_ns()
    told = {"trace_id": b"t" * 16, "response_id": "k", "customer_id": "acme", "run_id": "r"}
    row = span("model_call", now_ns, cost_usd=30, call_rank=2, **told)
    wrapper = span("model_call", now_ns, cost_usd=30, call_rank=1, **told)
    for _ in range(3):
        put(store, [row, wrapper])
    engine = engines(rules)
    eventually(lambda: engine.status("default", "customer-budget-hour"))
    assert engine.status("default", "customer-budget-hour").verdicts["acme"].value == 30.0
    assert hook.received == []


def test_a_restart_in_the_middle_says_nothing_twice(store, rules, engines, spend, hook, eventually):
    """A collector that takes over knows what fires: the alert goes on, nobody is told again."""
    spend(60)
    first = engines(rules)
    eventually(lambda: [one for one in listed(store, "firing") if one.deliveries[0].state == "sent"])
    first.stop(10)
    second = engines(rules)
    eventually(lambda: second.status("default", "customer-budget-hour"))
    spend(5)
    eventually(lambda: second.status("default", "customer-budget-hour").verdicts["acme"].value == 65.0)
    assert len(hook.received) == 1
    assert len(listed(store, "firing", "resolved")) == 1


def test_killed_between_firing_and_notifying_the_next_one_tells(store, rules, engines, spend, hook, eventually):
    """An alert that was stored with its message queued, or under way, is delivered by the next collector, once."""
    spend(60)
    hook.statuses = [503] * 50
    first = engines(rules)
    eventually(lambda: hook.received)
    first.stop(10)
    (alert,) = listed(store, "firing")
    refused = len(hook.received)
    for state in ("queued", "sending"):
        deliveries = tuple(replace(one, state=state, next_at_ns=0) for one in alert.deliveries)
        AlertRecords(store).save([replace(alert, deliveries=deliveries)])
        hook.statuses = []
        engine = engines(rules)
        eventually(lambda: listed(store, "firing")[0].deliveries[0].state == "sent")
        engine.stop(10)
    ids = {message["notification_id"] for message in hook.messages()}
    assert len(hook.received) == refused + 2
    assert ids == {f"{alert.alert_id}-1-hook"}, "a receiver can tell that it is the same message"


def test_a_webhook_that_fails_is_tried_again(store, rules, engines, spend, hook, eventually):
    """After a 503 the message is tried again with back-off; after a 400 it is not."""
    hook.statuses = [503]
    spend(60)
    engines(rules)
    eventually(lambda: len(hook.received) == 2)
    delivery = eventually(lambda: [d for d in listed(store, "firing")[0].deliveries if d.state == "sent"])[0]
    assert delivery.attempts == 2
    hook.statuses = [400]
    spend(60, "zeta")
    failed = eventually(lambda: [d for a in listed(store, "firing") for d in a.deliveries if d.state == "failed"])
    assert failed[0].error == "127.0.0.1 answered 400"


def test_a_redirect_is_not_followed(store, rules, engines, spend, hook, eventually):
    """A redirect could lead anywhere: it is a failure."""
    hook.statuses = [302]
    spend(60)
    engines(rules)
    failed = eventually(lambda: [d for a in listed(store, "firing") for d in a.deliveries if d.state == "failed"])
    assert failed[0].error == "127.0.0.1 answered 302"


def test_a_private_webhook_is_refused_unless_allowed(store, tmp_path, rules, engines, spend, hook, eventually):
    """Without allow_private nothing is sent to this machine."""
    rules.write_text(rules.read_text().replace("allow_private = true", "allow_private = false"))
    spend(60)
    engines(rules)
    failed = eventually(lambda: [d for a in listed(store, "firing") for d in a.deliveries if d.state == "failed"])
    assert "has the private address 127.0.0.1" in failed[0].error
    assert hook.received == []


def test_silenced_and_acknowledged(store, rules, engines, spend, hook, eventually):
    """A silence holds messages back until it is lifted; an acknowledgement ends reminders."""
    records = AlertRecords(store)
    body = {"rule": "customer-budget-hour", "group": {"customer": "acme"}, "by": "ana", "at_ns": time.time_ns()}
    silence = Remark("default", SILENCE, "s1", time.time_ns() + 3_600 * 10**9, body)
    records.save_remark(silence)
    spend(60, "acme")
    spend(70, "zeta")
    rules.write_text(rules.read_text().replace('every = "1s"', 'every = "1s"\nrenotify_after = "1s"'))
    engine = engines(rules)
    eventually(lambda: len(hook.received) >= 2)
    assert {message["group"]["customer"] for message in hook.messages()} == {"zeta"}
    assert hook.messages()[1]["kind"] == "reminder"
    records.save_remark(silence, is_deleted=True)
    engine.changed()
    eventually(lambda: {message["group"]["customer"] for message in hook.messages()} == {"acme", "zeta"})
    for alert in listed(store, "firing"):
        known = {"by": "ana", "at_ns": time.time_ns()}
        records.save_remark(Remark("default", ACKNOWLEDGEMENT, alert.alert_id, LATEST_NS // 2, known))
    engine.changed()
    evaluated = engine.status("default", "customer-budget-hour").evaluated_at_ns
    eventually(lambda: engine.status("default", "customer-budget-hour").evaluated_at_ns > evaluated + 2e9)
    said = len(hook.received)
    eventually(lambda: engine.status("default", "customer-budget-hour").evaluated_at_ns > evaluated + 5e9)
    assert len(hook.received) == said


def test_late_data_fires_for_the_window_it_belongs_to(store, rules, engines, spend, hook, eventually):
    """$60 that were spent three hours ago and arrive now are told, once, with how long ago that was."""
    engine = engines(rules)
    eventually(lambda: engine.status("default", "customer-budget-hour"))
    spend(60, ago_s=3 * 3_600)
    eventually(lambda: [message for message in hook.messages() if message["kind"] == "resolved"], 30)
    assert [message["kind"] for message in hook.messages()] == ["firing", "resolved"]
    assert "in the window that ended" in hook.messages()[0]["summary"]


BASELINE_RULE = """
[[rule]]
name = "spike"
title = "Spike"
query = "spend_by"
group_by = "customer"
value = "cost_usd"
window = "1h"
every = "1s"
resolve_after = "0s"
condition = { kind = "baseline", floor = 5, min_days = 3, days = 5 }
"""


def test_a_spike_that_arrives_late_fires_too(store, tmp_path, rules_file, engines, spend, put, call, hook, eventually):
    """$60 of three hours ago, where $6 is usual, are held against that hour of past days."""
    now_s = time.time_ns() // 10**9
    ages_s = [days * 86_400 + minutes * 60 for days in range(1, 6) for minutes in range(0, 360, 30)]
    put(store, [call((now_s - age_s) * 10**9, 3) for age_s in ages_s])
    engine = engines(rules_file(tmp_path / "spike.toml", hook.url, BASELINE_RULE))
    eventually(lambda: engine.status("default", "spike"))
    assert hook.received == []
    spend(60, ago_s=3 * 3_600)
    message = eventually(hook.messages, 30)[0]
    assert "$60.00 within 1 h" in message["summary"]
    assert "usually $6.00 at this hour in the window that ended" in message["summary"]


def samples(*gauges):
    """The series of gauges, by value."""
    return [sample.value for gauge in gauges for family in gauge.collect() for sample in family.samples]


def test_what_is_not_evaluated_any_more_has_no_series(store, rules, hook, spend, eventually):
    """A rule that is turned off leaves Prometheus nothing that fires for ever."""
    metrics = Metrics()
    engine = AlertEngine(store, metrics, ["default"], rules)
    engine.start()
    spend(60)
    eventually(lambda: hook.received)
    try:
        eventually(lambda: samples(metrics.rule_breached, metrics.alerts) == [1.0, 1.0])
        AlertRecords(store).save_rule(StoredRule("default", "customer-budget-hour", "", False))
        engine.changed()
        eventually(lambda: samples(metrics.rule_breached, metrics.alerts) == [])
    finally:
        engine.stop(10)


def test_a_collector_that_lost_the_lease_shows_no_readings(store, rules, hook, spend, eventually, monkeypatch):
    """Asleep for longer than its term, it finds that another evaluates: what it last saw is not on its /metrics."""
    metrics = Metrics()
    engine = AlertEngine(store, metrics, ["default"], rules, shares_store=True)
    engine.start()
    spend(60)
    try:
        eventually(lambda: samples(metrics.rule_breached, metrics.alerts) == [1.0, 1.0])
        assert samples(metrics.rule_value) == [60.0]
        assert Lease(store.connection, "alerts", "another", is_exclusive=True).hold()
        awake = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: awake() + 60)
        eventually(lambda: samples(metrics.rule_breached, metrics.rule_value, metrics.alerts) == [])
        assert not engine.is_evaluating
    finally:
        engine.stop(10)


def test_a_rule_that_is_removed_ends_its_alerts(store, rules, engines, spend, hook, eventually):
    """Nobody would say that it is over otherwise."""
    spend(60)
    engine = engines(rules)
    eventually(lambda: hook.received)
    AlertRecords(store).save_rule(StoredRule("default", "customer-budget-hour", "", False))
    engine.changed()
    (alert,) = eventually(lambda: listed(store, "resolved"))
    assert alert.detail == "the rule was removed or turned off"


def test_escalations_by_agent(store, tmp_path, rules_file, engines, span, put, hook, eventually):
    """A rate over runs: ten of twenty runs escalated is told with the sample it rests on."""
    path = rules_file(tmp_path / "rate.toml", hook.url, RATE_RULE)
    outcomes = ["escalated"] * 10 + ["completed"] * 10
    put(store, [span("run", time.time_ns() - 60 * 10**9, outcome=outcome) for outcome in outcomes])
    engines(path)
    message = eventually(lambda: [one for one in hook.messages() if one["rule"] == "escalations"])[0]
    assert message["summary"] == "Escalations (agent resolver): 50.0 % within 1 h, the threshold is 20.0 % (10 of 20)."


def test_one_of_two_engines_evaluates_and_the_other_takes_over(rules, engines, spend, hook, eventually):
    """With two collectors exactly one holds the lease; when it stops the other goes on, and nobody is told twice."""
    first, second = engines(rules, shares_store=True), engines(rules, shares_store=True)
    eventually(lambda: first.is_evaluating or second.is_evaluating)
    spend(60)
    eventually(lambda: hook.received)
    holder, other = (first, second) if first.is_evaluating else (second, first)
    assert not other.is_evaluating
    holder.stop(10)
    eventually(lambda: other.is_evaluating, 30)
    spend(60, "zeta")
    eventually(lambda: len(hook.received) == 2)
    assert [message["group"]["customer"] for message in hook.messages()] == ["acme", "zeta"]


def test_what_was_said_last_wins_though_the_clock_was_set_back(store, monkeypatch):
    """An alert, a rule and a remark saved after the clock went back an hour are what is read."""
    records = AlertRecords(store)
    now_ns = time.time_ns()
    alert = Alert("default", "a1", "r", "", "firing", now_ns)
    silence = Remark("default", SILENCE, "s1", now_ns + 7_200 * 10**9, {"by": "ana"})
    records.save([alert])
    records.save_rule(StoredRule("default", "r", "", True))
    records.save_remark(silence)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns - 3_600 * 10**9)
    for latest in (records, AlertRecords(store)):
        latest.save([replace(alert, state="resolved")])
        latest.save_rule(StoredRule("default", "r", "", False))
        latest.save_remark(silence, is_deleted=True)
        assert latest.get_alert("default", "a1").state == "resolved"
        assert [rule.enabled for rule in latest.rules()] == [False]
        assert latest.remarks() == []
