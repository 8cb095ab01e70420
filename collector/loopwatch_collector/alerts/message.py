"""What a message says: what, how much against what, since when, which runs."""

import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from loopwatch_collector.alerts.amounts import format_value, told_apart
from loopwatch_collector.alerts.durations import NS, format_duration
from loopwatch_collector.alerts.states import Alert, Delivery
from loopwatch_collector.queries.times import format_time

_VERBS: Final = {"firing": "fires", "reminder": "still fires", "resolved": "is over"}


def title_of(alert: Alert, kind: str) -> str:
    """The subject line.

    Args:
        alert: what it is about.
        kind: firing, reminder or resolved.
    """
    severity = str(alert.snapshot.get("severity", "")).upper()
    again = " again" if kind == "firing" and alert.flaps else ""
    return f"[{severity}] {alert.snapshot.get('title', alert.rule)}{_group(alert)} {_VERBS[kind]}{again}"


def _group(alert: Alert) -> str:
    dimension = alert.snapshot.get("group_by")
    return f" ({dimension} {alert.group or 'without a name'})" if dimension else ""


def summary_of(alert: Alert) -> str:
    """One sentence: how much against what."""
    unit = str(alert.snapshot.get("unit", ""))
    value, threshold = told_apart(alert.value, alert.threshold, unit)
    against = f", the threshold is {threshold}" if threshold else ""
    detail = f" ({alert.detail})" if alert.detail else ""
    return f"{alert.snapshot.get('title', alert.rule)}{_group(alert)}: {value} {_when(alert)}{against}{detail}."


def _when(alert: Alert) -> str:
    if period := alert.snapshot.get("period"):
        return f"foretold for the {period}"
    return f"within {format_duration(alert.snapshot.get('window_s', 0))}"


def body_of(alert: Alert, kind: str, links: dict[str, str]) -> str:
    """The message's text.

    Args:
        alert: what it is about.
        kind: firing, reminder or resolved.
        links: addresses by what they lead to; see `links_of`.
    """
    lines = [summary_of(alert)]
    if description := alert.snapshot.get("description"):
        lines.append(str(description))
    lines.append(f"Since {_time(alert.started_at_ns)}.")
    if kind == "resolved":
        lasted = format_duration((alert.resolved_at_ns - alert.started_at_ns) / NS)
        lines.append(f"Over at {_time(alert.resolved_at_ns)}, after {lasted}.")
    if alert.peak_value is not None and alert.peak_value != alert.value:
        lines.append(f"At its worst: {format_value(alert.peak_value, str(alert.snapshot.get('unit', '')))}.")
    if alert.flaps:
        lines.append(f"It came back {alert.flaps} time{'s' if alert.flaps > 1 else ''}.")
    if labels := alert.snapshot.get("labels"):
        lines.append("Labels: " + ", ".join(f"{name}={value}" for name, value in sorted(labels.items())))
    lines += [f"{what}: {address}" for what, address in links.items()]
    return "\n".join(lines)


def links_of(alert: Alert, dashboards_url: str) -> dict[str, str]:
    """Where to look: the alert, and the runs behind it.

    Args:
        alert: what it is about.
        dashboards_url: base URL of the pages; without one the runs are named by their ids.
    """
    if not dashboards_url:
        return {"Runs": ", ".join(alert.run_ids)} if alert.run_ids else {}
    base = dashboards_url.rstrip("/")
    links = {"Alert": f"{base}/alerts?{urlencode({'alert': alert.alert_id})}"}
    for number, run_id in enumerate(alert.run_ids, 1):
        links[f"Run {number}"] = f"{base}/run?{urlencode({'run': run_id})}"
    return links


def payload_of(alert: Alert, delivery: Delivery, links: dict[str, str]) -> bytes:
    """The JSON a webhook gets.

    Args:
        alert: what it is about.
        delivery: which message this is; sent again, it has the same `notification_id`.
        links: see `links_of`.
    """
    facts: dict[str, Any] = {
        "notification_id": notification_id(alert, delivery),
        "kind": delivery.kind,
        "title": title_of(alert, delivery.kind),
        "summary": summary_of(alert),
        "description": alert.snapshot.get("description", ""),
        "project": alert.project,
        "alert_id": alert.alert_id,
        "rule": alert.rule,
        "severity": alert.snapshot.get("severity", ""),
        "group": {alert.snapshot["group_by"]: alert.group} if alert.snapshot.get("group_by") else {},
        "labels": alert.snapshot.get("labels", {}),
        "value": alert.value,
        "threshold": alert.threshold,
        "peak_value": alert.peak_value,
        "unit": alert.snapshot.get("unit", ""),
        "started_at": format_time(alert.started_at_ns),
        "fired_at": format_time(alert.fired_at_ns),
        "resolved_at": format_time(alert.resolved_at_ns) if alert.resolved_at_ns else None,
        "run_ids": list(alert.run_ids),
        "links": links,
    }
    return json.dumps(facts, ensure_ascii=False).encode()


def notification_id(alert: Alert, delivery: Delivery) -> str:
    """Names a message: a receiver that has seen it may drop it."""
    return f"{alert.alert_id}-{delivery.number}-{delivery.channel}"


def _time(moment_ns: int) -> str:
    return datetime.fromtimestamp(moment_ns // NS, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
