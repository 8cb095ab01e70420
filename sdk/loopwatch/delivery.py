"""Batches on their way to the collector: from memory while it takes them, by way of the disk when it does not."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from loopwatch.drops import REJECTED, SPOOL_FAILED, SPOOL_FULL, Drops
from loopwatch.faults import logger, swallow
from loopwatch.spool import TRACES, Entry, Spool
from loopwatch.transport import Answer, HttpTransport, back_off_s

if TYPE_CHECKING:
    from loopwatch.grpc_transport import GrpcTransport

    Transport = HttpTransport | GrpcTransport

MAX_WAITING_BYTES: Final = 16 * 1024 * 1024
PATIENCE_S: Final = 0.4
"""A batch that is not delivered after this long is put on disk, in case the process dies while it waits."""
LOOK_AROUND_S: Final = 30.0
"""How often the spool is looked at for what other processes left."""


class Batch:
    """One request, and its copy on disk if it has one."""

    __slots__ = ("body", "entry", "kind", "since", "spans")

    def __init__(self, body: bytes, kind: str, spans: int) -> None:
        self.body = body
        self.kind = kind
        self.spans = spans
        self.entry: Entry | None = None
        self.since = time.monotonic()


class Delivery:
    """Sends batches from a thread of its own.

    Args:
        transport: sends one request.
        spool: keeps what cannot be sent.
        drops: counts what is lost.
    """

    def __init__(self, transport: "Transport", spool: Spool, drops: Drops) -> None:
        self._transport = transport
        self._spool = spool
        self._drops = drops
        self._waiting: deque[Batch] = deque()
        self._waiting_bytes = 0
        self._sending: Batch | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._look_at = 0.0
        self._backlog = True  # until looked: an earlier process may have left something
        self._reading = False  # the spool is being sent
        self._stopping = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def offer(self, batch: Batch) -> None:
        """Takes a batch: into memory while things go well, else onto the disk. Never waits for the network."""
        with self._changed:
            healthy = not self._failures and self._waiting_bytes + len(batch.body) <= MAX_WAITING_BYTES
            if healthy and not self._stopping:
                self._waiting.append(batch)
                self._waiting_bytes += len(batch.body)
            self._start()
        if not healthy or self._stopping:
            self._keep(batch)
        self._wake()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="loopwatch-delivery", daemon=True)
            self._thread.start()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _keep(self, batch: Batch, hold: bool = False) -> None:
        """Writes a batch to disk; `hold` keeps its lock, because we are still trying to send it."""
        try:
            entry, dropped = self._spool.put(batch.body, batch.kind, batch.spans)
        except OSError as fault:
            swallow("spool", fault)
            if not hold:
                self._drops.add(SPOOL_FAILED, batch.spans)
            return
        self._drops.add(SPOOL_FULL, dropped)
        if hold:
            batch.entry = entry
        else:
            entry.release()
            self._backlog = True

    def secure(self, patience_s: float = PATIENCE_S) -> None:
        """Puts on disk what has waited too long, so that the death of the process does not lose it.

        Args:
            patience_s: what is older goes to disk.
        """
        with self._changed:
            late = time.monotonic() - patience_s
            if self._sending is not None and self._sending.entry is None and self._sending.since <= late:
                self._keep(self._sending, hold=True)
            while self._waiting and self._waiting[0].since <= late:
                batch = self._waiting.popleft()
                self._waiting_bytes -= len(batch.body)
                self._keep(batch)

    def begin(self) -> None:
        """Starts at once if an earlier process left something to send."""
        if not self._spool.is_empty():
            with self._changed:
                self._start()

    def abandon(self) -> None:
        """In a forked child: what was under way is the parent's, its locks too."""
        if self._sending is not None and self._sending.entry is not None:
            self._sending.entry.abandon()

    def settled(self) -> bool:
        """Whether everything is with the collector, or on disk because the collector takes nothing."""
        with self._changed:
            if self._waiting or self._sending is not None or self._reading:
                return False
            return self._failures > 0 or self._thread is None or not self._backlog

    def wait(self, done: Callable[[], bool], deadline: float) -> bool:
        """Waits for a condition on the delivery.

        Args:
            done: the condition.
            deadline: monotonic time at which to give up.

        Returns:
            Whether it came true.
        """
        self._wake()
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait(min(left, 0.02))
        return True

    def stop(self, deadline: float) -> None:
        """Gives what is in memory until the deadline to be sent, then puts it on disk."""
        self.wait(self.settled, deadline)
        self._stopping = True
        self.secure(patience_s=0.0)
        self._wake()
        if self._thread is not None:
            self._thread.join(max(deadline - time.monotonic(), 0.0))
        if self._thread is None or not self._thread.is_alive():
            self._transport.close()

    def _work(self) -> None:
        try:
            self._spool.sweep()
        except OSError as fault:
            swallow("spool", fault)
        while not self._stopping:
            try:
                self._step()
            except Exception as fault:  # noqa: BLE001 - the thread must outlive any fault
                swallow("delivery", fault)
                time.sleep(0.1)

    def _step(self) -> None:
        """Sends one batch, or the spool, or waits."""
        now = time.monotonic()
        with self._changed:
            if not self._failures or now >= self._retry_at:
                self._sending = self._waiting.popleft() if self._waiting else None
            if self._sending is not None:
                self._waiting_bytes -= len(self._sending.body)
        if self._sending is not None:
            self._send(self._sending)
        elif now >= self._retry_at and (self._backlog or now >= self._look_at):
            self._send_spool()
        else:
            with self._changed:
                self._changed.wait(self._pause_s(now))

    def _pause_s(self, now: float) -> float:
        until = self._retry_at if self._failures and self._backlog else self._look_at
        return max(min(until - now, LOOK_AROUND_S), 0.001)

    def _send(self, batch: Batch) -> None:
        answer = self._transport.post(batch.kind, batch.body)
        self._judge(answer, batch.spans if batch.kind == TRACES else 0)
        with self._changed:
            self._sending = None
            if answer.verdict != "later":
                if batch.entry is not None:
                    batch.entry.remove()
            elif batch.entry is not None:
                batch.entry.release()
                self._backlog = True
            else:
                self._keep(batch)
            self._changed.notify_all()

    def _send_spool(self) -> None:
        self._look_at = time.monotonic() + LOOK_AROUND_S
        with self._changed:
            self._reading, self._backlog = True, False
        try:
            self._send_entries()
        finally:
            self._reading = False
        self._wake()

    def _send_entries(self) -> None:
        for entry in self._spool.claim():
            answer = self._transport.post(entry.kind, entry.read())
            self._judge(answer, entry.spans)
            if answer.verdict == "later":
                entry.release()
                self._backlog = True
            else:
                entry.remove()
            if answer.verdict == "later" or self._stopping:
                return

    def _judge(self, answer: Answer, spans: int) -> None:
        if answer.verdict == "later":
            self._failures += 1
            self._retry_at = time.monotonic() + back_off_s(self._failures, answer.retry_after_s)
            if self._failures == 1:
                logger.warning("loopwatch: %s; spans are kept on disk and sent later", answer.reason)
            return
        if self._failures:
            logger.info("loopwatch: the collector takes spans again")
        self._failures = 0
        self._retry_at = 0.0
        self._drops.add(REJECTED, spans if answer.verdict == "refused" else answer.rejected_spans)
        if answer.verdict == "refused":
            logger.warning("loopwatch: %s; %d spans are lost", answer.reason, spans)
