"""Alerts, stored rules and remarks as rows of the store."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.errors import UnknownAlert
from loopwatch_collector.alerts.statements import statement
from loopwatch_collector.alerts.states import Alert, Delivery, HistoryEntry
from loopwatch_collector.store.rows import Column
from loopwatch_collector.store.store import Store

_ALERT_COLUMNS: Final = (
    Column("project", "LowCardinality(String)", ""),
    Column("alert_id", "String", ""),
    Column("rule", "LowCardinality(String)", ""),
    Column("severity", "LowCardinality(String)", ""),
    Column("state", "LowCardinality(String)", ""),
    Column("started_at", "DateTime64(3, 'UTC')", 0),
    Column("undelivered", "UInt32", 0),
    Column("row_version", "UInt64", 0),
    Column("body", "String", ""),
)
_RULE_COLUMNS: Final = (
    Column("project", "LowCardinality(String)", ""),
    Column("name", "String", ""),
    Column("toml", "String", ""),
    Column("enabled", "UInt8", 1),
    Column("is_deleted", "UInt8", 0),
    Column("row_version", "UInt64", 0),
)
_REMARK_COLUMNS: Final = (
    Column("project", "LowCardinality(String)", ""),
    Column("kind", "LowCardinality(String)", ""),
    Column("remark_id", "String", ""),
    Column("until", "DateTime64(3, 'UTC')", 0),
    Column("is_deleted", "UInt8", 0),
    Column("row_version", "UInt64", 0),
    Column("body", "String", ""),
)
_UNDELIVERED: Final = frozenset({"queued", "sending"})


class StoredRule(NamedTuple):
    """A rule made through the API: its text, or (empty text) only whether a rule of that name is on."""

    project: str
    name: str
    toml: str
    enabled: bool


class Remark(NamedTuple):
    """What somebody said: an acknowledgement (its id is the alert's) or a silence."""

    project: str
    kind: str
    remark_id: str
    until_ns: int
    body: dict[str, Any]


class AlertRecords:
    """Reads and writes the alert tables.

    What was said last wins, even where the clock was set back in between.

    Args:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self._connection = store.connection
        self._next_version = store.next_row_version

    def save(self, alerts: Iterable[Alert]) -> None:
        """Stores alerts as they are now, replacing what was stored of each; durable when this returns."""
        for month in _by_month(alerts).values():
            self._connection().insert("alerts", _ALERT_COLUMNS, [_row(alert, self._next_version()) for alert in month])

    def open_alerts(self) -> list[Alert]:
        """Returns the alerts of all projects that may still change."""
        return [_alert(body) for (body,) in self._connection().rows(statement("open_alerts"))]

    def list_alerts(
        self,
        project: str,
        from_ns: int,
        to_ns: int,
        *,
        states: Sequence[str] = (),
        rules: Sequence[str] = (),
        severities: Sequence[str] = (),
        limit: int = 200,
    ) -> list[Alert]:
        """Returns a project's alerts that started in a range, the latest first; empty filters match everything."""
        parameters = {
            "project": project,
            "from_ns": from_ns,
            "to_ns": to_ns,
            "states": list(states),
            "rules": list(rules),
            "severities": list(severities),
            "page_limit": limit,
        }
        return [_alert(body) for (body,) in self._connection().rows(statement("list_alerts"), parameters)]

    def get_alert(self, project: str, alert_id: str) -> Alert:
        """Returns one alert.

        Raises:
            UnknownAlert: there is none of that id in the project.
        """
        rows = self._connection().rows(statement("get_alert"), {"project": project, "alert_id": alert_id})
        if not rows:
            raise UnknownAlert(f"there is no alert '{alert_id[:40]}' in this project")
        return _alert(rows[0][0])

    def rules(self) -> list[StoredRule]:
        """Returns the rules made through the API, of every project."""
        rows = self._connection().rows(statement("stored_rules"))
        return [StoredRule(project, name, toml, bool(enabled)) for project, name, toml, enabled in rows]

    def save_rule(self, rule: StoredRule, *, is_deleted: bool = False) -> None:
        """Stores a rule made through the API, or that it is no more."""
        row = [rule.project, rule.name, rule.toml, int(rule.enabled), int(is_deleted), self._next_version()]
        self._connection().insert("alert_rules", _RULE_COLUMNS, [row])

    def remarks(self) -> list[Remark]:
        """Returns the remarks that are in force, of every project."""
        rows = self._connection().rows(statement("remarks"))
        return [Remark(project, kind, id_, until_ns, json.loads(body)) for project, kind, id_, until_ns, body in rows]

    def save_remark(self, remark: Remark, *, is_deleted: bool = False) -> None:
        """Stores a remark, or that it is no more."""
        row = [
            remark.project,
            remark.kind,
            remark.remark_id,
            remark.until_ns // 1_000_000,
            int(is_deleted),
            self._next_version(),
            json.dumps(remark.body),
        ]
        self._connection().insert("alert_remarks", _REMARK_COLUMNS, [row])


def _by_month(alerts: Iterable[Alert]) -> dict[int, list[Alert]]:
    months: dict[int, list[Alert]] = {}
    for alert in alerts:
        days = alert.started_at_ns // (86_400 * NS)
        months.setdefault(days // 28, []).append(alert)  # finer than the partitions: one insert, one partition or two
    return months


def _row(alert: Alert, version: int) -> list[Any]:
    undelivered = sum(delivery.state in _UNDELIVERED for delivery in alert.deliveries)
    return [
        alert.project,
        alert.alert_id,
        alert.rule,
        alert.snapshot.get("severity", ""),
        alert.state,
        alert.started_at_ns // 1_000_000,
        undelivered,
        version,
        json.dumps(asdict(alert)),
    ]


def _alert(body: str) -> Alert:
    values = json.loads(body)
    values["deliveries"] = tuple(Delivery(**delivery) for delivery in values["deliveries"])
    values["history"] = tuple(HistoryEntry(**entry) for entry in values["history"])
    values["run_ids"] = tuple(values["run_ids"])
    return Alert(**values)
