"""A rule over history: when it would have fired. The same conditions and states as the engine's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from loopwatch_collector.alerts.conditions import PAST_STEP_S, Group, Values, judge
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.ranges import Range, aligned
from loopwatch_collector.alerts.rule import Forecast, Rule
from loopwatch_collector.alerts.states import Alert, advance

_MAX_STEPS: Final = 5_000
_WINDOW_PARTS: Final = 2
_FORECAST_STEP_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class Point:
    """One evaluation of one group."""

    at_ns: int
    value: float | None
    threshold: float | None
    is_breach: bool


@dataclass(slots=True)
class GroupReplay:
    """What one group went through."""

    points: list[Point] = field(default_factory=list[Point])
    alerts: list[Alert] = field(default_factory=list[Alert])


@dataclass(slots=True)
class Replay:
    """What a rule would have done.

    Attributes:
        step_s: time between two evaluations.
        evaluations: how many there were.
        groups: by group; alerts that never fired are left out.
    """

    step_s: int
    evaluations: int = 0
    groups: dict[Group, GroupReplay] = field(default_factory=dict[Group, GroupReplay])

    def alerts(self) -> list[Alert]:
        """Every alert that fired, in the order of firing."""
        found = [alert for group in self.groups.values() for alert in group.alerts]
        return sorted(found, key=lambda alert: alert.fired_at_ns)


def default_step_s(rule: Rule, stretch: Range) -> int:
    """Half the window, so that no moment is left out, of a forecast an hour; but never more than 5,000 evaluations."""
    least_s = _FORECAST_STEP_S if isinstance(rule.condition, Forecast) else rule.window_s // _WINDOW_PARTS
    return max(rule.every_s, least_s, int(stretch.seconds // _MAX_STEPS) + 1)


def moments(stretch: Range, step_s: int) -> list[int]:
    """When a rule is looked at in a replay: every step, and at the end."""
    # on the grid of past windows, one evaluation's window is a later one's past, and is asked for once
    start_ns = stretch.from_ns if step_s % PAST_STEP_S else aligned(stretch.from_ns, PAST_STEP_S)
    return [*range(start_ns, stretch.to_ns, step_s * NS), stretch.to_ns]


def replay(
    rule: Rule,
    project: str,
    stretch: Range,
    read_at: Callable[[int], Callable[[Range], Mapping[Group, Values]]],
    step_s: int | None = None,
) -> Replay:
    """Evaluates a rule at regular moments of the past, and at the end.

    Args:
        rule: the rule.
        project: whose data.
        stretch: from when to when.
        read_at: for a moment, what answers the rule's query then.
        step_s: time between evaluations; None for `default_step_s`.

    Returns:
        Values, thresholds and alerts by group.
    """
    result = Replay(step_s or default_step_s(rule, stretch))
    alerts: dict[Group, Alert] = {}
    for now_ns in moments(stretch, result.step_s):
        active = [group for group, alert in alerts.items() if alert.state in {"pending", "firing"}]
        result.evaluations += 1
        for group, verdict in judge(rule, now_ns, read_at(now_ns), active).items():
            track = result.groups.setdefault(group, GroupReplay())
            track.points.append(Point(now_ns, verdict.value, verdict.threshold, verdict.state == "breach"))
            before = alerts.get(group)
            after = advance(before, rule, project, group, verdict, now_ns)
            if after is None:
                alerts.pop(group, None)
                continue
            alerts[group] = after
            _note(track, after)
    return result


def _note(track: GroupReplay, alert: Alert) -> None:
    if not alert.fired_at_ns:
        return
    if track.alerts and track.alerts[-1].alert_id == alert.alert_id:
        track.alerts[-1] = alert
    else:
        track.alerts.append(alert)
