"""One evaluation of one rule: from its query's answers to changed alerts."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from loopwatch_collector.alerts.book import AlertBook
from loopwatch_collector.alerts.channels import Channels
from loopwatch_collector.alerts.conditions import PAST_STEP_S, Group, Values, Verdict, judge
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.errors import OutOfTime
from loopwatch_collector.alerts.evidence import runs_behind
from loopwatch_collector.alerts.ranges import Range, aligned
from loopwatch_collector.alerts.reading import RuleReader
from loopwatch_collector.alerts.remarks import Remarks
from loopwatch_collector.alerts.rule import Baseline, Rate, Rule, Threshold
from loopwatch_collector.alerts.states import Alert, advance, speak
from loopwatch_collector.errors import CollectorError
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.errors import QueryTooLarge, StoreUnavailable

_LOG = logging.getLogger(__name__)
LATE_S: Final = 6 * 3_600
_SAVE_READINGS_NS: Final = 60 * NS


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an evaluation needs beside the rule.

    Attributes:
        connection: gives this thread's connection.
        book: the alerts so far.
        channels: who can be told.
        remarks: who knows, and what is silenced.
        may_write: whether we still hold the lease.
        late: stretches of the past for which data came since the rule was evaluated last.
        until_s: when the evaluation must be done, by the monotonic clock; None for no such bound.
        since: the answers know of all data that had arrived by then (see RuleReader.arrived); None for now.
        is_stopping: whether the collector ends, which waits for no further question.
    """

    connection: Callable[[], Connection]
    book: AlertBook
    channels: Channels
    remarks: Remarks
    may_write: Callable[[], bool]
    late: Sequence[Range] = ()
    until_s: float | None = None
    since: int | None = None
    is_stopping: Callable[[], bool] = lambda: False


def evaluate(
    project: str, rule: Rule, reader: RuleReader, surroundings: Surroundings, now_ns: int | None = None
) -> dict[Group, Verdict]:
    """Evaluates a rule and stores what changed.

    Args:
        project: whose data.
        rule: the rule.
        reader: answers its query.
        surroundings: see there.
        now_ns: the moment; None for now.

    Returns:
        The verdicts.

    Raises:
        OutOfTime: it could not be done in time, or before the collector ends; nothing was changed.
        QueryTooLarge: a question alone took longer.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    known = surroundings.book.groups_of(project, rule.name)
    active = [group for group, alert in known.items() if alert.state in {"pending", "firing"}]

    def read(stretch: Range) -> Mapping[Group, Values]:
        if surroundings.is_stopping():
            raise OutOfTime(f"rule {rule.name} is left to the next collector")
        return reader.read(rule, now_ns, stretch, surroundings.until_s, surroundings.since)

    verdicts = judge(rule, now_ns, read, active)
    late = late_verdicts(rule, now_ns, read, verdicts, known, surroundings.late)
    at_once = replace(rule, for_s=0)  # a window that is over will not be breached for any longer
    after = [
        _after(project, at_once if group in late else rule, group, verdict, known.get(group), surroundings, now_ns)
        for group, verdict in {**verdicts, **late}.items()
    ]
    alerts = [alert for alert in after if alert is not None]
    if surroundings.may_write():
        changed = [one for one in alerts if _must_be_stored(known.get(one.group), one, now_ns, rule.every_s)]
        surroundings.book.put(changed, now_ns)
        surroundings.book.keep([one for one in alerts if one not in changed])
    return {**verdicts, **late}


def _after(
    project: str,
    rule: Rule,
    group: Group,
    verdict: Verdict,
    before: Alert | None,
    surroundings: Surroundings,
    now_ns: int,
) -> Alert | None:
    alert = advance(before, rule, project, group, verdict, now_ns)
    if alert is None:
        return None
    if alert.state == "firing" and (before is None or before.state != "firing"):
        alert = replace(alert, run_ids=_runs_behind(project, rule, group, surroundings, now_ns))
    silence = surroundings.remarks.silence(project, rule.name, rule.group_by, group, now_ns)
    acknowledgement = surroundings.remarks.acknowledgement(project, alert.alert_id)
    return speak(
        alert,
        rule,
        now_ns,
        silenced=silence is not None,
        acknowledged=acknowledgement is not None,
        channels=surroundings.channels.of(rule.notify),
    )


def _runs_behind(project: str, rule: Rule, group: Group, surroundings: Surroundings, now_ns: int) -> tuple[str, ...]:
    """The runs a message names; an alert without them is better than none.

    Raises:
        OutOfTime: there is no time left for the question; it goes on where there is.
        QueryTooLarge: the time that was left did not do.
        StoreUnavailable: nothing can be asked or stored just now.
    """
    left_s = None if surroundings.until_s is None else surroundings.until_s - time.monotonic()
    if left_s is not None and left_s <= 0:
        raise OutOfTime(f"rule {rule.name} has no time left to look for the runs behind an alert")
    try:
        return runs_behind(surroundings.connection(), project, rule, group, now_ns, left_s)
    except CollectorError as fault:
        if isinstance(fault, StoreUnavailable) or (left_s is not None and isinstance(fault, QueryTooLarge)):
            raise
        _LOG.warning("rule %s of project %s fires without its runs: %s", rule.name, project, fault)
        return ()


def _must_be_stored(before: Alert | None, after: Alert, now_ns: int, every_s: int) -> bool:
    """Whether more than a reading changed; readings alone are stored once a minute."""
    if before is None or before.alert_id != after.alert_id:
        return True
    same_reading = replace(
        after, value=before.value, threshold=before.threshold, peak_value=before.peak_value, detail=before.detail
    )
    if same_reading != before:
        return True
    return after.state == "firing" and now_ns // _SAVE_READINGS_NS != (now_ns - every_s * NS) // _SAVE_READINGS_NS


def late_verdicts(
    rule: Rule,
    now_ns: int,
    read: Callable[[Range], Mapping[Group, Values]],
    verdicts: Mapping[Group, Verdict],
    known: Mapping[Group, Alert],
    changed: Sequence[Range],
) -> dict[Group, Verdict]:
    """Looks at windows that are over, for which data came late or while no collector was at work.

    Args:
        rule: the rule; a threshold below, absence and a forecast say nothing of a window that is over.
        now_ns: the moment.
        read: answers the rule's query.
        verdicts: of the window that ends now.
        known: the rule's alerts; a window during which one was open has been told.
        changed: stretches for which data came; only windows that overlap one are looked at.

    Returns:
        A breach for each group that had one in such a window and has none now.
    """
    is_late_kind = isinstance(rule.condition, Rate | Baseline) or (
        isinstance(rule.condition, Threshold) and rule.condition.above is not None
    )
    late: dict[Group, Verdict] = {}
    if not is_late_kind or rule.window_s < PAST_STEP_S:
        return late
    for position in range(1, LATE_S // rule.window_s + 1):
        end_ns = aligned(now_ns, PAST_STEP_S) - position * rule.window_s * NS
        if not any(one.from_ns < end_ns and end_ns - rule.window_s * NS < one.to_ns for one in changed):
            continue
        for group, verdict in judge(rule, end_ns, read).items():
            is_new = verdict.state == "breach" and group not in late
            current = verdicts.get(group)
            if (
                is_new
                and (current is None or current.state != "breach")
                and not _was_told(known.get(group), rule, end_ns)
            ):
                minutes = (now_ns - end_ns) // (60 * NS)
                late[group] = verdict._replace(
                    detail=f"{verdict.detail} in the window that ended {minutes} min ago".strip()
                )
    return late


def _was_told(alert: Alert | None, rule: Rule, end_ns: int) -> bool:
    if alert is None or alert.state == "dropped":
        return False
    return alert.state in {"pending", "firing"} or alert.resolved_at_ns >= end_ns - rule.window_s * NS
