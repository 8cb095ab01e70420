"""What people and Prometheus read."""

from dataclasses import replace

import pytest

from loopwatch_collector.alerts.amounts import format_value, told_apart
from loopwatch_collector.alerts.conditions import Verdict
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.message import body_of, links_of, notification_id, summary_of, title_of
from loopwatch_collector.alerts.prometheus import prometheus_rules
from loopwatch_collector.alerts.records import Remark
from loopwatch_collector.alerts.remarks import SILENCE, arrange
from loopwatch_collector.alerts.rule import Forecast, Rule, Threshold
from loopwatch_collector.alerts.states import Delivery, advance
from loopwatch_collector.counted import counted

RULE = Rule(
    "dear",
    "Dear customer",
    "spend_by",
    "cost_usd",
    "usd",
    Threshold(50.0, None, 50.0),
    3_600,
    group_by="customer",
    description="Look at the runs.",
    severity="critical",
    labels={"team": "agents"},
)
START_NS = 1_790_856_000 * NS


@pytest.fixture
def alert():
    made = advance(None, RULE, "default", "acme", Verdict("breach", 65.0, 50.0), START_NS)
    return replace(made, run_ids=("a1", "b2"))


def test_a_message_says_what_how_much_since_when_and_where_to_look(alert):
    """Title, sentence, description, start, labels and links, in this order."""
    assert title_of(alert, "firing") == "[CRITICAL] Dear customer (customer acme) fires"
    assert body_of(alert, "firing", links_of(alert, "http://pages.example/")).splitlines() == [
        "Dear customer (customer acme): $65.00 within 1 h, the threshold is $50.00.",
        "Look at the runs.",
        "Since 2026-10-01 12:00:00 UTC.",
        "Labels: team=agents",
        f"Alert: http://pages.example/alerts?alert={alert.alert_id}",
        "Run 1: http://pages.example/run?run=a1",
        "Run 2: http://pages.example/run?run=b2",
    ]


def test_the_end_says_how_long_and_how_bad(alert):
    """When it is over the message says when, after how long, and what the worst was."""
    over = replace(alert, state="resolved", resolved_at_ns=START_NS + 5_400 * NS, value=3.0, peak_value=80.0, flaps=2)
    text = body_of(over, "resolved", {})
    assert "Over at 2026-10-01 13:30:00 UTC, after 1 h 30 min." in text
    assert "At its worst: $80.00." in text
    assert "It came back 2 times." in text


def test_a_forecast_says_of_what_it_is_one():
    """A month's budget is not exceeded within a day, though a day is what its evidence is looked for in."""
    rule = replace(RULE, condition=Forecast(10_000.0, "month", 7), window_s=86_400, group_by="")
    verdict = Verdict("breach", 12_000.0, 10_000.0, "$8,000.00 so far, $4,000.00 to come by the end of the month")
    made = advance(None, rule, "default", "", verdict, START_NS)
    assert summary_of(made) == (
        "Dear customer: $12,000.00 foretold for the month, the threshold is $10,000.00 "
        "($8,000.00 so far, $4,000.00 to come by the end of the month)."
    )


def test_without_pages_runs_are_named(alert):
    """No address of the pages: the ids themselves."""
    assert links_of(alert, "") == {"Runs": "a1, b2"}


def test_a_message_keeps_its_name(alert):
    """Sent again it has the same id; another message or channel has another."""
    assert notification_id(alert, Delivery(1, "firing", "ops")) == f"{alert.alert_id}-1-ops"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234.5, "usd", "$1,234.50"),
        (0.0012, "usd", "$0.001200"),
        (0.0, "usd", "$0.00"),
        (0.256, "ratio", "25.6 %"),
        (90e9, "ns", "1 min 30 s"),
        (5e6, "ns", "5 ms"),
        (1200, "tokens", "1,200 tokens"),
        (7, "count", "7"),
    ],
)
def test_values_have_their_units(value, unit, text):
    """Money, shares, durations and counts read as people write them."""
    assert format_value(value, unit) == text


def silence(until_s=100, **body):
    return Remark("default", SILENCE, str(body), until_s * NS, body)


def test_a_silence_covers_what_it_names():
    """By rule, by group, or all; only while it lasts, and the longest counts."""
    remarks = arrange(
        [
            silence(rule="dear", group={"customer": "acme"}),
            silence(until_s=50, rule=None, group={}),
            Remark("other", SILENCE, "x", 100 * NS, {}),
        ]
    )

    def until_s(project, rule, group, now_s):
        covering = remarks.silence(project, rule, "customer", group, now_s * NS)
        return covering and covering.until_ns // NS

    assert until_s("default", "dear", "acme", 10) == 100
    assert until_s("default", "dear", "zeta", 10) == 50
    assert until_s("default", "dear", "zeta", 60) is None
    assert until_s("default", "dear", "acme", 100) is None
    assert until_s("nobody", "dear", "acme", 10) is None


def test_prometheus_rules_quote_what_they_name():
    """Names, labels and texts are quoted, so that no title can break the file."""
    text = prometheus_rules("default", [replace(RULE, title='A "dear" customer: yes', for_s=120)])
    assert '          summary: "A \\"dear\\" customer: yes {{ $labels.group }}"' in text.splitlines()
    assert "        for: 120s" in text.splitlines()
    assert '          "team": "agents"' in text.splitlines()


def test_prometheus_takes_whatever_a_rule_is_called():
    """Labels get names that Prometheus knows, braces are no templates, and a project's name is a string of PromQL."""
    rule = replace(RULE, title="{{ all }}", labels={"on-call": "{{ana}}", "2nd": "ben"})
    lines = prometheus_rules("café ☕", [rule]).splitlines()
    assert '          "on_call": "{{ \\"{{\\" }}ana}}"' in lines
    assert '          "_2nd": "ben"' in lines
    assert '          summary: "{{ \\"{{\\" }} all }} {{ $labels.group }}"' in lines
    assert '        expr: "loopwatch_rule_breached{project=\\"café ☕\\",rule=\\"dear\\"} == 1"' in lines


@pytest.mark.parametrize(
    ("value", "threshold", "unit", "said"),
    [
        (65.0, 50.0, "usd", ("$65.00", "$50.00")),
        (0.0312, 0.03, "usd", ("$0.031", "$0.030")),
        (0.000_000_42, 0.000_000_41, "usd", ("$0.00000042", "$0.00000041")),
        (0.200_04, 0.2, "ratio", ("20.004 %", "20.000 %")),
        (61.4e9, 61.0e9, "ns", ("61.400 s", "61.000 s")),
        (1_000_000.4, 1_000_000.0, "count", ("1,000,000.4", "1,000,000")),
        (50.0, 50.0, "usd", ("$50.00", "$50.00")),
        (None, 50.0, "usd", ("nothing", "$50.00")),
        (3.0, None, "count", ("3", "")),
    ],
)
def test_a_value_over_its_threshold_reads_so(value, threshold, unit, said):
    """Where value and threshold would be written alike though they differ, both get the digits that tell them apart."""
    assert told_apart(value, threshold, unit) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0 rules"), (1, "1 rule"), (2, "2 rules")])
def test_numbers_of_things_agree_with_their_noun(number, said):
    """One rule is no "1 rules"."""
    assert counted(number, "rule") == said
