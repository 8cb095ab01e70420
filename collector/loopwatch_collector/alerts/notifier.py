"""Delivers queued messages: stored as under way before they leave, as sent after they arrived."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from loopwatch_collector.alerts.book import AlertBook
from loopwatch_collector.alerts.channels import Channels
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.errors import DestinationRefused
from loopwatch_collector.alerts.states import Alert, Delivery
from loopwatch_collector.alerts.webhook import DeliveryFailed
from loopwatch_collector.errors import Unavailable
from loopwatch_collector.metrics import Metrics

_LOG = logging.getLogger(__name__)
BACK_OFF_S: Final = (2, 5, 15, 60, 300, 900, 3_600)
GIVE_UP_AFTER: Final = 20  # attempts: about half a day


class Notifier:
    """Takes messages from the book and delivers them, each channel on its own.

    A message found under way by a new holder of the lease may or may not have arrived: it is sent again under the
    same notification id, so that nothing is lost and a receiver can tell.

    Args:
        book: where messages wait.
        channels: gives the channels as they are configured now.
        may_send: whether we hold the lease.
        metrics: where it counts.
    """

    def __init__(
        self, book: AlertBook, channels: Callable[[], Channels], may_send: Callable[[], bool], metrics: Metrics
    ) -> None:
        self._book = book
        self._channels = channels
        self._may_send = may_send
        self._metrics = metrics
        self._wake = threading.Event()
        self._stopping = False
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        """Begins to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """Says that something was queued."""
        self._wake.set()

    def stop(self, timeout_s: float) -> None:
        """Ends after the message under way."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(1.0)
            self._wake.clear()
            if not self._may_send():
                continue
            for alert, delivery in self._book.due(time.time_ns()):
                self._dispatch(alert, delivery)

    def _dispatch(self, alert: Alert, delivery: Delivery) -> None:
        """Hands a message to its channel's thread, unless that is busy: a slow channel holds up nobody else."""
        with self._lock:
            if delivery.channel in self._busy or self._stopping:
                return
            self._busy.add(delivery.channel)
        work = threading.Thread(
            target=self._deliver, args=(alert, delivery), name=f"notify {delivery.channel}", daemon=True
        )
        work.start()

    def _deliver(self, alert: Alert, delivery: Delivery) -> None:
        try:
            self.deliver(alert, delivery)
        except Unavailable as fault:
            _LOG.warning("a message waits because the store cannot note it: %s", fault)
        finally:
            with self._lock:
                self._busy.discard(delivery.channel)
            self._wake.set()

    def deliver(self, alert: Alert, delivery: Delivery) -> Delivery:
        """Delivers one message now.

        Args:
            alert: what it is about.
            delivery: which message, to which channel.

        Returns:
            How it fared, as stored.
        """
        now_ns = time.time_ns()
        delivery = replace(delivery, state="sending", attempts=delivery.attempts + 1, at_ns=now_ns)
        alert = self._book.record_delivery(alert, delivery)
        try:
            self._channels().deliver(alert, delivery)
        except (DeliveryFailed, DestinationRefused) as fault:
            delivery = _failed(delivery, fault)
            _LOG.warning("message %s to %s: %s", delivery.kind, delivery.channel, fault)
        except Exception as fault:  # noqa: BLE001 whatever a library meets, the message waits its time and is tried again
            delivery = _failed(delivery, DeliveryFailed(f"{type(fault).__name__}: {fault}"))
            _LOG.exception("message %s to %s", delivery.kind, delivery.channel)
        else:
            delivery = replace(delivery, state="sent", error="", at_ns=time.time_ns())
        self._metrics.notifications.labels(delivery.channel, delivery.state).inc()
        self._book.record_delivery(alert, delivery)
        return delivery


def _failed(delivery: Delivery, fault: Exception) -> Delivery:
    retryable = getattr(fault, "retryable", False) and delivery.attempts < GIVE_UP_AFTER
    pause_s = BACK_OFF_S[min(delivery.attempts - 1, len(BACK_OFF_S) - 1)]
    return replace(
        delivery,
        state="queued" if retryable else "failed",
        error=str(fault)[:300],
        next_at_ns=time.time_ns() + pause_s * NS,
    )
