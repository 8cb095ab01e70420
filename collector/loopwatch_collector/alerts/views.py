"""Rules and alerts as the API shows them."""

from collections.abc import Iterable, Mapping
from typing import Any

from loopwatch_collector.alerts.conditions import Group
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.engine import RuleStatus
from loopwatch_collector.alerts.message import summary_of
from loopwatch_collector.alerts.records import Remark
from loopwatch_collector.alerts.remarks import Remarks
from loopwatch_collector.alerts.replay import Replay
from loopwatch_collector.alerts.rule import Rule, kind_of
from loopwatch_collector.alerts.states import Alert
from loopwatch_collector.queries.times import format_time


def show_rule(rule: Rule, status: RuleStatus | None, alerts: Iterable[Alert]) -> dict[str, Any]:
    """Shows a rule.

    Args:
        rule: the rule.
        status: of its last evaluation in this process.
        alerts: its open alerts.
    """
    states = [alert.state for alert in alerts]
    return {
        "name": rule.name,
        "title": rule.title,
        "description": rule.description,
        "source": rule.source,
        "enabled": rule.enabled,
        "severity": rule.severity,
        "query": rule.query,
        "value": rule.value,
        "unit": rule.unit,
        "params": dict(rule.params),
        "filters": {name: list(values) for name, values in rule.filters.items()},
        "group_by": rule.group_by or None,
        "window_s": rule.window_s,
        "every_s": rule.every_s,
        "for_s": rule.for_s,
        "resolve_after_s": rule.resolve_after_s,
        "renotify_after_s": rule.renotify_after_s,
        "timezone": rule.timezone,
        "labels": dict(rule.labels),
        "notify": list(rule.notify),
        "condition": {"kind": kind_of(rule.condition), **rule.condition._asdict()},
        "toml": rule.toml,
        "state": {
            "evaluated_at": format_time(status.evaluated_at_ns) if status else None,
            "duration_ms": round(status.duration_s * 1000, 2) if status else None,
            "error": status.error or None if status else None,
            "firing": states.count("firing"),
            "pending": states.count("pending"),
        },
    }


def show_alert(alert: Alert, remarks: Remarks, now_ns: int, *, with_history: bool = False) -> dict[str, Any]:
    """Shows an alert.

    Args:
        alert: the alert.
        remarks: who knows of it, what is silenced.
        now_ns: the moment.
        with_history: adds what happened to it.
    """
    snapshot = alert.snapshot
    known = remarks.acknowledgement(alert.project, alert.alert_id)
    silence = remarks.silence(alert.project, alert.rule, snapshot.get("group_by", ""), alert.group, now_ns)
    shown: dict[str, Any] = {
        "alert_id": alert.alert_id,
        "rule": alert.rule,
        "title": snapshot.get("title", alert.rule),
        "description": snapshot.get("description", ""),
        "severity": snapshot.get("severity", ""),
        "state": alert.state,
        "group": group_shown(snapshot.get("group_by", ""), alert.group),
        "labels": snapshot.get("labels", {}),
        "query": snapshot.get("query", ""),
        "unit": snapshot.get("unit", ""),
        "window_s": snapshot.get("window_s", 0),
        "started_at": format_time(alert.started_at_ns),
        "fired_at": _time(alert.fired_at_ns),
        "resolved_at": _time(alert.resolved_at_ns),
        "value": alert.value,
        "threshold": alert.threshold,
        "peak_value": alert.peak_value,
        "summary": summary_of(alert),
        "flaps": alert.flaps,
        "acknowledged_by": known.body["by"] if known else None,
        "acknowledged_at": format_time(known.body["at_ns"]) if known else None,
        "acknowledgement_note": known.body.get("note") if known else None,
        "silenced_until": format_time(silence.until_ns) if silence else None,
        "run_ids": list(alert.run_ids),
        "notifications": [
            {
                "channel": delivery.channel,
                "kind": delivery.kind,
                "state": "queued" if delivery.state == "sending" else delivery.state,
                "attempts": delivery.attempts,
                "at": _time(delivery.at_ns),
                "error": delivery.error or None,
            }
            for delivery in alert.deliveries
        ],
    }
    if with_history:
        shown["history"] = _history(alert, known)
    return shown


def _history(alert: Alert, known: Remark | None) -> list[dict[str, Any]]:
    entries = [(entry.at_ns, entry.event, entry.value, entry.detail) for entry in alert.history]
    entries += [
        (one.at_ns, "notified", None, f"{one.kind} to {one.channel}: {one.state}")
        for one in alert.deliveries
        if one.at_ns
    ]
    if known:
        detail = f"by {known.body['by']}" + (f": {known.body['note']}" if known.body.get("note") else "")
        entries.append((known.body["at_ns"], "acknowledged", None, detail))
    return [
        {"time": format_time(at_ns), "event": event, "value": value, "detail": detail}
        for at_ns, event, value, detail in sorted(entries, key=lambda entry: entry[0])
    ]


def show_silence(remark: Remark) -> dict[str, Any]:
    """Shows a silence."""
    return {
        "silence_id": remark.remark_id,
        "rule": remark.body.get("rule"),
        "group": remark.body.get("group", {}),
        "until": format_time(remark.until_ns),
        "by": remark.body.get("by", ""),
        "reason": remark.body.get("reason", ""),
        "created_at": format_time(remark.body["at_ns"]),
    }


def show_replay(rule: Rule, from_ns: int, to_ns: int, result: Replay) -> dict[str, Any]:
    """Shows what a rule would have done."""
    return {
        "rule": rule.name,
        "unit": rule.unit,
        "filters": {name: list(values) for name, values in rule.filters.items()},
        "window_s": rule.window_s,
        "from": format_time(from_ns),
        "to": format_time(to_ns),
        "step_s": result.step_s,
        "evaluations": result.evaluations,
        "groups": [
            {
                "group": group_shown(rule.group_by, group),
                "points": [
                    {
                        "time": format_time(point.at_ns),
                        "value": point.value,
                        "threshold": point.threshold,
                        "breach": point.is_breach,
                    }
                    for point in track.points
                ],
                "alerts": [
                    {
                        "started_at": format_time(alert.started_at_ns),
                        "fired_at": format_time(alert.fired_at_ns),
                        "resolved_at": _time(alert.resolved_at_ns),
                        "peak_value": alert.peak_value,
                        "duration_s": ((alert.resolved_at_ns or to_ns) - alert.fired_at_ns) // NS,
                    }
                    for alert in track.alerts
                ],
            }
            for group, track in sorted(result.groups.items(), key=lambda item: (-len(item[1].alerts), item[0]))
        ],
    }


def group_shown(group_by: str, group: Group) -> Mapping[str, str]:
    """A group as labels; empty for a rule without groups."""
    return {group_by: group} if group_by else {}


def _time(moment_ns: int) -> str | None:
    return format_time(moment_ns) if moment_ns else None
