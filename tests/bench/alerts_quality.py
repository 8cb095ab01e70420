"""The delivered rules on simulated weeks: false alarms on quiet ones, incidents found and how late.

python -m tests.bench.alerts_quality [--weeks 52] [--seed 31] [--runs-per-week 8000] [--step-minutes 10]

The delivered rules were tuned on the seeds 5 and 6; the fleets looked at here are others. On the quiet weeks each agent
has a release every week that changes nothing, so that rules on releases have something to be wrong about.
"""

import argparse
import time
from collections import Counter

from loopwatch_collector.alerts.durations import NS, format_duration
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.replay import replay
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.rulebook import delivered_rules
from loopwatch_collector.alerts.sources import OWN
from loopwatch_collector.alerts.states import Alert
from loopwatch_collector.simulate.agents import AGENTS
from loopwatch_collector.simulate.facts import RunFacts
from loopwatch_collector.simulate.incidents import KINDS, Incident
from loopwatch_collector.simulate.rhythm import DAY_NS, HOUR_NS
from loopwatch_collector.simulate.simulation import Simulation
from tests.bench.alerts_fleet import Fleet, seconds_since

FIRST_DAY_NS = 1_735_776_000 * NS - 1_735_776_000 * NS % DAY_NS  # 2025-01-02
_MONDAY_NS = 1_735_516_800 * NS  # 2024-12-30
_ROLL_OUT_NS = 6 * HOUR_NS
INCIDENT_DAYS = 84


def with_weekly_release(run: RunFacts) -> str:
    """A version that changes nothing: each agent has a new one every week, rolled out over six hours."""
    place = [agent.name for agent in AGENTS].index(run.planned.agent.name) if run.planned.agent in AGENTS else 0
    days_ns = run.planned.start_ns - _MONDAY_NS - (place % 5) * DAY_NS - 10 * HOUR_NS
    week, since_ns = divmod(days_ns, 7 * DAY_NS)
    is_reached = run.run % 1_000 * _ROLL_OUT_NS < since_ns * 1_000
    return f"{run.planned.version}.{week if is_reached else week - 1}"


def rules_on_data() -> list[Rule]:
    """The delivered rules that look at agents' data; those about the collector itself have nothing to see here."""
    return [rule for rule in delivered_rules() if rule.query not in OWN]


def alerts_of(fleet: Fleet, stretch: Range, step_s: int) -> list[Alert]:
    """Every alert the delivered rules fire over a stretch."""
    found: list[Alert] = []
    for rule in rules_on_data():
        read = fleet.reader(rule)
        found += replay(rule, "default", stretch, lambda _now_ns, read=read: read, step_s).alerts()
    return sorted(found, key=lambda alert: alert.fired_at_ns)


def quiet_weeks(weeks: int, seed: int, runs_per_week: int, step_s: int, rate: float) -> None:
    """Counts false alarms where nothing is wrong."""
    started = time.perf_counter()
    simulation = Simulation(FIRST_DAY_NS, weeks * 7, weeks * runs_per_week, seed, incident_kinds=())
    fleet = Fleet(simulation.facts(), rate, with_weekly_release)
    total = fleet.spend["all"][""].over(Range(0, 2**62))
    stretch = Range(FIRST_DAY_NS, FIRST_DAY_NS + weeks * 7 * DAY_NS)
    alerts = alerts_of(fleet, stretch, step_s)
    cost_usd = (total or {})["cost_usd"]
    print(f"{weeks} quiet weeks (seed {seed}): {fleet.runs:,} runs, ${cost_usd:,.0f}, step {step_s} s")
    print(f"false alarms: {len(alerts)}, {len(alerts) / weeks:.2f} a week (at most 1) [{seconds_since(started):.0f} s]")
    for (rule, group), count in Counter((alert.rule, alert.group) for alert in alerts).most_common():
        example = next(alert for alert in alerts if (alert.rule, alert.group) == (rule, group))
        print(f"  {count:>4}  {rule:<22} {group:<20} e.g. {example.peak_value:.4g} over {example.threshold}")


def concerns(alert: Alert, incident: Incident) -> bool:
    """Whether an alert is about an incident: of the same time, and not of another agent, tool, customer or model."""
    margin_ns = 3_600 * NS
    if not incident.from_ns <= alert.fired_at_ns <= incident.to_ns + margin_ns:
        return False
    names = {incident.agent, incident.tool, incident.customer, incident.model} - {""}
    dimension = alert.snapshot["group_by"]
    wanted = {"agent": incident.agent, "tool": incident.tool, "customer": incident.customer, "model": incident.model}
    if dimension == "agent" and not incident.agent:
        return True  # an overloaded model shows at whoever uses it
    if dimension == "release":
        return alert.group == f"{incident.agent} {incident.version}"
    return alert.group in names if wanted.get(dimension) else not dimension


def incident_weeks(seed: int, runs_per_week: int, step_s: int, rate: float) -> None:
    """Says which injected incidents are found, by what, and how late."""
    runs = INCIDENT_DAYS // 7 * runs_per_week
    simulation = Simulation(FIRST_DAY_NS, INCIDENT_DAYS, runs, seed, incident_kinds=KINDS)
    fleet = Fleet(simulation.facts(), rate)
    stretch = Range(FIRST_DAY_NS, FIRST_DAY_NS + INCIDENT_DAYS * DAY_NS)
    alerts = alerts_of(fleet, stretch, step_s)
    explained: set[str] = set()
    print(f"\n{INCIDENT_DAYS // 7} weeks with incidents (seed {seed}): {fleet.runs:,} runs, {len(alerts)} alerts")
    for incident in simulation.incidents:
        own = [alert for alert in alerts if concerns(alert, incident)]
        explained |= {alert.alert_id for alert in own}
        first: dict[str, Alert] = {}
        for alert in own:
            first.setdefault(alert.rule, alert)
        late = [
            f"{rule} after {format_duration((alert.fired_at_ns - incident.from_ns) / NS)}"
            for rule, alert in first.items()
        ]
        print(f"  {incident.kind:<17} {'; '.join(late) or 'not found'}")
    rest = Counter((alert.rule, alert.group) for alert in alerts if alert.alert_id not in explained)
    print(f"  alerts outside any incident: {sum(rest.values())}  {dict(rest) or ''}")


def main(argv: list[str] | None = None) -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--runs-per-week", type=int, default=8_000)
    parser.add_argument("--step-minutes", type=int, default=10)
    parser.add_argument("--rate", type=float, default=13.0, help="real runs each simulated one stands for in cost")
    options = parser.parse_args(argv or [])
    quiet_weeks(options.weeks, options.seed, options.runs_per_week, options.step_minutes * 60, options.rate)
    incident_weeks(options.seed + 1, 2 * options.runs_per_week, options.step_minutes * 60, options.rate / 2)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
