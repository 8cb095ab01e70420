"""What lists put first and how they write what is not known."""

from typing import Any

import pytest

from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.outcome_shares import shares
from loopwatch_dashboards.page.cost import forecast_tile, narrowing
from loopwatch_dashboards.page.escalations import with_rates
from loopwatch_dashboards.page.iterations import cost_fact
from loopwatch_dashboards.page.quality import satisfaction_fact
from loopwatch_dashboards.page.rules import fact, step_seconds, urgency
from loopwatch_dashboards.page.runs import with_unknowns
from loopwatch_dashboards.page.system import readable
from loopwatch_dashboards.page.tools import worst_pair


def _rule(name: str, *, enabled: bool = True, firing: int = 0, pending: int = 0, error: str = "") -> dict[str, Any]:
    return {"name": name, "enabled": enabled, "state": {"firing": firing, "pending": pending, "error": error}}


@pytest.mark.parametrize(
    ("range_s", "window_s", "step_s"),
    [
        (3_600, 3_600, 300),
        (86_400, 3_600, 600),
        (7 * 86_400, 3_600, 1_800),
        (7 * 86_400, 86_400, 3_600),
        (30 * 86_400, 3_600, 3_600),
        (30 * 86_400, 900, 3_600),
    ],
)
def test_a_test_of_a_rule_looks_as_often_as_its_window_needs(range_s: float, window_s: float, step_s: int) -> None:
    """As smooth as a graph is, at least twice a window, and no more than 720 times."""
    assert step_seconds(range_s, window_s) == step_s


def test_rules_that_need_a_look_come_first() -> None:
    """What fires is first, then what cannot be evaluated, what is pending, what is quiet, what is off."""
    listed = [
        _rule("off", enabled=False, error="x"),
        _rule("quiet"),
        _rule("pending", pending=1),
        _rule("faulty", error="no such column"),
        _rule("firing", firing=2, error="x"),
    ]
    assert [one["name"] for one in sorted(listed, key=urgency)] == ["firing", "faulty", "pending", "quiet", "off"]
    assert fact(listed) == "5 rules, 1 firing, 2 cannot be evaluated"
    assert fact(listed[:1]) == "1 rule, 0 firing"


def test_small_samples_do_not_lead() -> None:
    """The share that leads is the one the data can vouch for: 12 of 90, not 2 of 12."""
    rows = [{"key": "few", "ended": 12, "escalated": 2}, {"key": "many", "ended": 900, "escalated": 120}]
    assert [row["key"] for row in shares(rows, "escalated")] == ["many", "few"]
    lowest = [{"key": "one", "ended": 2, "completed": 1}, {"key": "most", "ended": 900, "completed": 500}]
    assert [row["key"] for row in shares(lowest, "completed", lowest_first=True)] == ["most", "one"]


@pytest.mark.parametrize(
    ("cost_usd", "tokens", "shown"), [(None, 0, None), (None, 900, 900), (0.0, 0, 0), (0.02, 900, 900)]
)
def test_tokens_nobody_reported_are_unknown(cost_usd: float | None, tokens: int, shown: int | None) -> None:
    """No usage at all is a dash; a call that failed before any token cost nothing and used none."""
    assert with_unknowns({"cost_usd": cost_usd, "total_tokens": tokens})["total_tokens"] == shown


def test_settings_are_written_to_be_read() -> None:
    """Sizes have a unit, lists are words with commas, what is not set is a dash, all else is as it is."""
    settings = [
        {"name": "LOOPWATCH_MAX_BODY_BYTES", "value": "67108864"},
        {"name": "LOOPWATCH_GRPC_PORT", "value": ""},
        {"name": "LOOPWATCH_PORT", "value": "4318"},
        {"name": "LOOPWATCH_HANDOVER_TOOLS", "value": "('*escalate*', '*hand_off*')"},
        {"name": "LOOPWATCH_HANDOVER_TOOLS", "value": "('one',)"},
    ]
    shown = ["64 MiB", "–", "4318", "*escalate*, *hand_off*", "one"]
    assert [one["value"] for one in readable(settings) or ()] == shown
    assert readable(None) is None


def test_worst_pair_of_agent_and_tool_is_named() -> None:
    """The fact above agents and tools is the pair that fails most as far as its calls can tell."""
    rows = [
        {"agent": "a", "tool": "t", "calls": 2, "errors": 1, "error_rate": 0.5, "error_rate_low": 0.09},
        {"agent": "b", "tool": "t", "calls": 900, "errors": 270, "error_rate": 0.3, "error_rate_low": 0.27},
    ]
    assert worst_pair(Answer("", (), rows)) == "t fails most, called by b: 30.0 % of 900"
    calm = [{**row, "errors": 0, "error_rate": 0.0, "error_rate_low": 0.0} for row in rows]
    assert worst_pair(Answer("", (), calm)) == "2 agents call 1 tool, no call failed"


def test_mean_of_verdicts_weighs_each_verdict() -> None:
    """The mean over time buckets is that of all verdicts, whatever bucket they are in."""
    rows = [{"mean_score": 1.0, "verdicts": 1}, {"mean_score": 0.5, "verdicts": 3}, {"mean_score": None, "verdicts": 0}]
    assert satisfaction_fact(Answer("", (), rows), "correct") == "correct: 0.625 on average, over 4 verdicts"


def test_long_runs_are_set_beside_the_others() -> None:
    """The facts above long runs give both sides; without others there is one side."""
    long, other = {"mean_cost_usd": 0.091}, {"mean_cost_usd": 0.014}
    assert cost_fact(long, other) == "A long run costs $0.091, the others $0.014"
    assert cost_fact(long, None) == "A long run costs $0.091"


def test_forecast_without_an_answer_is_not_zero() -> None:
    """Where the collector was too busy to foretell the month there is a dash and the reason."""
    tile = forecast_tile({})
    assert (tile.value, "too busy" in tile.note) == ("–", True)


@pytest.mark.parametrize(
    ("dimension", "value", "condition"),
    [
        ("customer", "", 'customer = ""'),
        ("model", "(none)", 'model = ""'),
        ("tool", "search", 'called("search")'),
        ("outcome", "", ""),
        ("customer", "all others", ""),
    ],
)
def test_bar_without_a_name_leads_to_runs_without_one(dimension: str, value: str, condition: str) -> None:
    """A bar for what has no value leads to those runs and not to all."""
    assert narrowing(dimension, value) == condition


def test_a_run_may_escalate_before_it_ends() -> None:
    """Where no run of a value has ended there is no share, and no fault; values without escalations are left out."""
    rows = [
        {"key": key, "ended": ended, "escalated": escalated} for key, ended, escalated in (("a", 0, 1), ("b", 4, 0))
    ]
    assert with_rates(Answer("", (), rows)) == [{"key": "a", "ended": 0, "escalated": 1, "escalation_rate": None}]
