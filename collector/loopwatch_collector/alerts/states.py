"""The states of an alert, and what moves it from one to the next: pure functions of verdicts and times.

        breach            breach for `for_s`             clear for the hold time
    · ────────▶ pending ──────────────────▶ firing ──────────────────────────────▶ resolved
                   │ clear                     ▲                                      │
                   ▼                           └──────────── breach again ────────────┘
                dropped                                 (within REOPEN_WITHIN_S: the same alert)

`acknowledged` and `silenced` are not states of their own: they say who knows and who is not told. A flapping
alert is damped: with each return the time it must be clear before it is resolved doubles.
"""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from loopwatch_collector.alerts.conditions import Group, Verdict
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.rule import Forecast, Rule

REOPEN_WITHIN_S: Final = 1_800
MAX_HOLD_FACTOR: Final = 8
_MAX_HISTORY: Final = 200

State = Literal["pending", "firing", "resolved", "dropped"]
MessageKind = Literal["firing", "reminder", "resolved"]
DeliveryState = Literal["queued", "sending", "sent", "failed"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one channel.

    Attributes:
        number: of the message within the alert; with the alert's id it names the message for ever.
        attempts: made so far.
        next_at_ns: not before this.
        at_ns: when it was last tried.
    """

    number: int
    kind: MessageKind
    channel: str
    state: DeliveryState = "queued"
    attempts: int = 0
    next_at_ns: int = 0
    at_ns: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something that happened to an alert."""

    at_ns: int
    event: str
    value: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing of a rule for one group, from the first breach to the end.

    Attributes:
        alert_id: 16 hexadecimal digits, a function of project, rule, group and start.
        group: value of the rule's `group_by` dimension, or "".
        started_at_ns: the first breach.
        fired_at_ns: 0 while pending.
        resolved_at_ns: 0 until then.
        clear_since_ns: since when it has been clear; 0 while it is not.
        value: the latest, with the threshold it was held against.
        peak_value: the furthest beyond the threshold so far.
        flaps: how often it came back.
        announced: whether a message said that it fires.
        reminded_at_ns: when it was last said.
        run_ids: runs behind it.
        snapshot: of the rule when it fired: title, severity, labels, unit, window; an alert outlives its rule.
    """

    project: str
    alert_id: str
    rule: str
    group: Group
    state: State
    started_at_ns: int
    fired_at_ns: int = 0
    resolved_at_ns: int = 0
    clear_since_ns: int = 0
    value: float | None = None
    threshold: float | None = None
    peak_value: float | None = None
    detail: str = ""
    flaps: int = 0
    announced: bool = False
    reminded_at_ns: int = 0
    run_ids: tuple[str, ...] = ()
    snapshot: dict[str, Any] = field(default_factory=dict[str, Any])
    deliveries: tuple[Delivery, ...] = ()
    history: tuple[HistoryEntry, ...] = ()

    def noted(self, at_ns: int, event: str, detail: str = "") -> "Alert":
        """The same alert with one more entry of history; the oldest go when there are too many."""
        entry = HistoryEntry(at_ns, event, self.value, detail)
        return replace(self, history=(*self.history, entry)[-_MAX_HISTORY:])

    def closed(self, at_ns: int, detail: str) -> "Alert":
        """The same alert, ended from outside: dropped while pending, resolved while firing."""
        if self.state == "pending":
            return replace(self, state="dropped").noted(at_ns, "dropped", detail)
        return replace(self, state="resolved", resolved_at_ns=at_ns, detail=detail).noted(at_ns, "resolved", detail)


def alert_id_of(project: str, rule: str, group: Group, started_at_ns: int) -> str:
    """Makes an alert's id; the same alert gets the same one in every process."""
    text = "\0".join((project, rule, group, str(started_at_ns)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def advance(alert: Alert | None, rule: Rule, project: str, group: Group, verdict: Verdict, now_ns: int) -> Alert | None:
    """Moves an alert on.

    Args:
        alert: as it was; None when there is none for the group.
        rule: whose it is.
        project: whose data it is about.
        group: which of the rule's groups.
        verdict: of this evaluation.
        now_ns: the moment.

    Returns:
        The alert as it is now; None when there still is none.
    """
    if alert is None or alert.state == "dropped" or _is_over(alert, now_ns):
        return _begin(rule, project, group, verdict, now_ns) if verdict.state == "breach" else None
    alert = _with_reading(alert, rule, verdict)
    if alert.state == "resolved":
        return _reopen(alert, now_ns) if verdict.state == "breach" else alert
    if alert.state == "pending":
        return _advance_pending(alert, rule, verdict, now_ns)
    return _advance_firing(alert, rule, verdict, now_ns)


def _is_over(alert: Alert, now_ns: int) -> bool:
    return alert.state == "resolved" and now_ns - alert.resolved_at_ns > REOPEN_WITHIN_S * NS


def _begin(rule: Rule, project: str, group: Group, verdict: Verdict, now_ns: int) -> Alert:
    alert = Alert(
        project,
        alert_id_of(project, rule.name, group, now_ns),
        rule.name,
        group,
        "pending",
        now_ns,
        snapshot=_snapshot(rule),
    )
    alert = _with_reading(alert, rule, verdict)
    return _fire(alert, now_ns) if rule.for_s == 0 else alert.noted(now_ns, "pending", verdict.detail)


def _snapshot(rule: Rule) -> dict[str, Any]:
    return {
        "title": rule.title,
        "description": rule.description,
        "severity": rule.severity,
        "labels": dict(rule.labels),
        "unit": rule.unit,
        "query": rule.query,
        "group_by": rule.group_by,
        "window_s": rule.window_s,
        "period": rule.condition.period if isinstance(rule.condition, Forecast) else "",
    }


def _with_reading(alert: Alert, rule: Rule, verdict: Verdict) -> Alert:
    threshold = verdict.threshold if verdict.threshold is not None else alert.threshold
    return replace(
        alert,
        value=verdict.value,
        threshold=threshold,
        detail=verdict.detail,
        peak_value=_further(alert.peak_value, verdict.value, below=getattr(rule.condition, "below", None) is not None),
    )


def _further(peak: float | None, value: float | None, *, below: bool) -> float | None:
    if peak is None or value is None:
        return value if peak is None else peak
    return min(peak, value) if below else max(peak, value)


def _fire(alert: Alert, now_ns: int) -> Alert:
    return replace(alert, state="firing", fired_at_ns=now_ns).noted(now_ns, "firing", alert.detail)


def _advance_pending(alert: Alert, rule: Rule, verdict: Verdict, now_ns: int) -> Alert:
    if verdict.state != "breach":
        return replace(alert, state="dropped").noted(now_ns, "dropped", verdict.detail)
    return _fire(alert, now_ns) if now_ns - alert.started_at_ns >= rule.for_s * NS else alert


def _advance_firing(alert: Alert, rule: Rule, verdict: Verdict, now_ns: int) -> Alert:
    if verdict.state == "breach":
        return replace(alert, clear_since_ns=0)
    if verdict.state == "hold":
        return alert
    if not alert.clear_since_ns:
        alert = replace(alert, clear_since_ns=now_ns)
    if now_ns - alert.clear_since_ns < hold_s(rule, alert.flaps) * NS:
        return alert
    return replace(alert, state="resolved", resolved_at_ns=now_ns).noted(now_ns, "resolved", verdict.detail)


def hold_s(rule: Rule, flaps: int) -> int:
    """How long a firing alert must be clear before it is resolved: longer each time it came back."""
    return rule.resolve_after_s * min(2**flaps, MAX_HOLD_FACTOR)


def _reopen(alert: Alert, now_ns: int) -> Alert:
    again = replace(alert, state="firing", resolved_at_ns=0, clear_since_ns=0, flaps=alert.flaps + 1, announced=False)
    return again.noted(now_ns, "reopened", alert.detail)


def speak(
    alert: Alert, rule: Rule, now_ns: int, *, silenced: bool, acknowledged: bool, channels: tuple[str, ...]
) -> Alert:
    """Adds the messages that are due. One alert is said once when it fires and once when it is over.

    Args:
        alert: as it is now.
        rule: whose it is.
        now_ns: the moment.
        silenced: nobody is told now; if it still fires when the silence ends, they are told then.
        acknowledged: somebody knows, so it is not said again.
        channels: those that exist among the rule's.

    Returns:
        The alert with its queued deliveries.
    """
    if silenced or not channels:
        return alert
    if alert.state == "firing" and not alert.announced:
        alert = replace(alert, announced=True, reminded_at_ns=now_ns)
        return _queue(alert, "firing", channels, now_ns)
    if alert.state == "firing" and _is_reminder_due(alert, rule, now_ns) and not acknowledged:
        return _queue(replace(alert, reminded_at_ns=now_ns), "reminder", channels, now_ns)
    if alert.state == "resolved" and alert.announced:
        return _queue(replace(alert, announced=False), "resolved", channels, now_ns)
    return alert


def _is_reminder_due(alert: Alert, rule: Rule, now_ns: int) -> bool:
    return bool(rule.renotify_after_s) and now_ns - alert.reminded_at_ns >= rule.renotify_after_s * NS


def _queue(alert: Alert, kind: MessageKind, channels: tuple[str, ...], now_ns: int) -> Alert:
    number = 1 + max((delivery.number for delivery in alert.deliveries), default=0)
    queued = tuple(Delivery(number, kind, channel, next_at_ns=now_ns) for channel in channels)
    return replace(alert, deliveries=(*alert.deliveries, *queued))
