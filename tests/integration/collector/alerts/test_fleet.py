"""The fleet in memory, on which a year of rules is evaluated, answers as the store does."""

from datetime import UTC, datetime, timedelta

import pytest

from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.rulebook import delivered_rules
from loopwatch_collector.simulate.rhythm import HOUR_NS
from loopwatch_collector.simulate.simulation import Simulation
from tests.bench.alerts_fleet import Fleet
from tests.processes import bare_collector, get, loopwatch, wait_for

DAYS, RUNS = 2, 250
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
FIRST_NS = int((END - timedelta(days=DAYS)).timestamp()) * 10**9
COMPARED = {
    "spend_by": ("cost_usd", "unpriced_tokens", "model_calls", "uncached_share"),
    "outcomes_by": ("runs", "ended", "escalated", "failed", "capped", "at_cap", "p95_duration_ns"),
    "tool_reliability": ("runs", "failing_runs", "calls", "errors", "p50_duration_ns", "p50_noise_ns"),
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    """A collector with the simulation in its store."""
    with bare_collector(tmp_path_factory.mktemp("fleet")) as running:
        words = ("simulate", "--endpoint", running.url, "--days", str(DAYS), "--runs", str(RUNS), "--seed", "3")
        sent = loopwatch(*words, "--incidents", "tool_outage", "--end", END.strftime("%Y-%m-%d"))
        assert sent.returncode == 0, sent.stderr
        wanted = sum(1 for _ in simulation().facts())

        def stored():
            answer = get(f"{running.url}/api/v1/queries/runs_summary", **{"from": "2020-01-01", "to": "2100-01-01"})
            return answer["rows"][0][0] >= wanted

        wait_for(stored, "the simulation is stored")
        yield running.url


def simulation():
    return Simulation(FIRST_NS, DAYS, RUNS, seed=3, incident_kinds=("tool_outage",))


def test_ranges_have_the_same_answers(endpoint):
    """For each kind of delivered rule and several ranges, groups and numbers agree with the store's."""
    fleet = Fleet(simulation().facts())
    rules = {(rule.query, rule.group_by): rule for rule in delivered_rules() if rule.query in COMPARED}
    assert len(rules) >= 5
    for rule in rules.values():
        read = fleet.reader(rule)
        for start_h, hours in ((0, 48), (9, 5), (33, 1)):
            stretch = Range(FIRST_NS + start_h * HOUR_NS, FIRST_NS + min(start_h + hours, DAYS * 24) * HOUR_NS)
            mine, stored = (_compared(rows, rule) for rows in (read(stretch), _stored(endpoint, rule, stretch)))
            assert mine.keys() == stored.keys()
            for group, values in stored.items():
                assert mine[group] == pytest.approx(values, rel=1e-6, abs=1e-6)


def _stored(endpoint, rule, stretch):
    bounds = {"from": stretch.from_ns // 10**6, "to": stretch.to_ns // 10**6}
    answer = get(f"{endpoint}/api/v1/queries/{rule.query}", **bounds, **rule.params)
    names = [column["name"] for column in answer["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in answer["rows"]]
    return {row[rule.group_column] if rule.group_column else "": row for row in rows}


def _compared(readings, rule):
    return {
        group: {name: float(values[name] or 0.0) for name in COMPARED[rule.query]} for group, values in readings.items()
    }
