"""The alerts that may still change, in memory, written to the store before anybody acts on them."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from loopwatch_collector.alerts.conditions import Group
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.records import AlertRecords
from loopwatch_collector.alerts.states import Alert, Delivery

# Longer than any window that is looked at again for late data, so that what was told is not told anew.
_REMEMBER_RESOLVED_NS: Final = 12 * 3_600 * NS


class AlertBook:
    """The open alerts of every project, one per rule and group.

    Args:
        records: where they are stored.
    """

    def __init__(self, records: AlertRecords) -> None:
        self._records = records
        self._alerts: dict[tuple[str, str, Group], Alert] = {}
        self._lock = threading.RLock()

    def load(self) -> None:
        """Takes over what is stored, as a collector does that has just got the lease."""
        with self._lock:
            self._alerts = {}
            for alert in sorted(self._records.open_alerts(), key=lambda one: one.started_at_ns):
                self._alerts[_key(alert)] = alert

    def groups_of(self, project: str, rule: str) -> dict[Group, Alert]:
        """The alerts of one rule."""
        with self._lock:
            return {key[2]: alert for key, alert in self._alerts.items() if key[:2] == (project, rule)}

    def all(self) -> list[Alert]:
        """Every alert in the book."""
        with self._lock:
            return list(self._alerts.values())

    def put(self, alerts: Iterable[Alert], now_ns: int) -> None:
        """Stores alerts as they are now; in the book only after that."""
        changed = list(alerts)
        with self._lock:
            merged = [self._with_deliveries(alert) for alert in changed]
            if merged:
                self._records.save(merged)
            for alert in merged:
                self._alerts[_key(alert)] = alert
            self._forget(now_ns)

    def _with_deliveries(self, alert: Alert) -> Alert:
        """Keeps what the notifier did meanwhile: states of messages that were already queued."""
        known = self._alerts.get(_key(alert))
        if known is None or known.alert_id != alert.alert_id:
            return alert
        done = {(delivery.number, delivery.channel): delivery for delivery in known.deliveries}
        deliveries = tuple(done.get((one.number, one.channel), one) for one in alert.deliveries)
        return replace(alert, deliveries=deliveries)

    def record_delivery(self, alert: Alert, delivery: Delivery) -> Alert:
        """Stores how a message fared."""
        with self._lock:
            current = self._alerts.get(_key(alert), alert)
            if current.alert_id != alert.alert_id:
                current = alert
            deliveries = tuple(
                delivery if (one.number, one.channel) == (delivery.number, delivery.channel) else one
                for one in current.deliveries
            )
            current = replace(current, deliveries=deliveries)
            if self._alerts.get(_key(current), current).alert_id == current.alert_id:
                self._alerts[_key(current)] = current  # even if the store fails now: what was sent was sent
            self._records.save([current])
            return current

    def keep(self, alerts: Iterable[Alert]) -> None:
        """Keeps newer readings in memory only: they are stored with the next change."""
        with self._lock:
            for alert in alerts:
                self._alerts[_key(alert)] = self._with_deliveries(alert)

    def due(self, now_ns: int) -> list[tuple[Alert, Delivery]]:
        """Messages whose time has come, the oldest first."""
        with self._lock:
            found = [
                (alert, delivery)
                for alert in self._alerts.values()
                for delivery in _next_per_channel(alert)
                if delivery.next_at_ns <= now_ns
            ]
        return sorted(found, key=lambda pair: pair[1].next_at_ns)

    def _forget(self, now_ns: int) -> None:
        for key, alert in list(self._alerts.items()):
            waiting = any(delivery.state in {"queued", "sending"} for delivery in alert.deliveries)
            long_over = alert.state == "resolved" and now_ns - alert.resolved_at_ns > _REMEMBER_RESOLVED_NS
            if not waiting and (alert.state == "dropped" or long_over):
                del self._alerts[key]


def _next_per_channel(alert: Alert) -> Iterable[Delivery]:
    """The oldest message per channel that has not arrived: nobody hears of the end before the beginning."""
    waiting: dict[str, Delivery] = {}
    for delivery in sorted(alert.deliveries, key=lambda one: one.number):
        if delivery.state in {"queued", "sending"}:
            waiting.setdefault(delivery.channel, delivery)
    return waiting.values()


def _key(alert: Alert) -> tuple[str, str, Group]:
    return alert.project, alert.rule, alert.group
