"""Ended spans on their way out: a bounded queue, and the thread that turns them into batches."""

import atexit
import itertools
import os
import sys
import threading
import time
import zlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace import ReadableSpan

from loopwatch import names
from loopwatch.capture import Capture
from loopwatch.delivery import Batch, Delivery
from loopwatch.drops import QUEUE_FULL, UNREADABLE, Drops
from loopwatch.encoding import Encoder, Ended
from loopwatch.faults import swallow
from loopwatch.forks import renew_in_children
from loopwatch.settings import Settings
from loopwatch.spans import AgentSpan
from loopwatch.spool import METRICS, TRACES, Spool
from loopwatch.transport import HttpTransport

if TYPE_CHECKING:
    from loopwatch.delivery import Transport

MAX_BATCH_SPANS: Final = 512
MAX_BATCH_BYTES: Final = 2 * 1024 * 1024  # half of what gRPC servers take at most by default
COLLECT_S: Final = 0.2
"""How long spans gather after the first one, so that a request carries many."""
BREATH_S: Final = 0.0003
EXIT_S: Final = 1.2
"""How long the end of the process may be held up; what is not delivered by then is on disk."""
LAST_BATCH_S: Final = 10.0
"""How long it waits beyond that for a thread that has spans in its hands and gets no CPU: they are in no queue."""


class Exporter:
    """Takes ended spans and sends them from its own threads.

    Args:
        settings: where to, and within which bounds.
        encoder: turns spans into bytes.
        resource: the attributes of the process's resource, which the encoder writes too.
        spool: where batches wait that could not be sent.
    """

    def __init__(self, settings: Settings, encoder: Encoder, resource: dict[str, Any], spool: Spool) -> None:
        self._settings = settings
        self._encoder = encoder
        self._resource = resource
        self._spool = spool
        self._seq = itertools.count(1)
        self.drops = Drops()
        self._begin()
        renew_in_children(self)
        _finish_with_multiprocessing(self)
        atexit.register(self.shutdown)

    def _begin(self) -> None:
        self._queue: deque[Ended] = deque()
        self._queue_bytes = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._working = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._delivery = Delivery(_transport(self._settings), self._spool, self.drops)
        self._delivery.begin()

    def renew(self) -> None:
        """In a forked child: starts anew; what waits is the parent's to send, and its count the parent's."""
        self._delivery.abandon()
        self._resource[names.PROCESS_ID] = os.urandom(8).hex()
        self._seq = itertools.count(1)
        self.drops = Drops()
        self._begin()
        _finish_with_multiprocessing(self)

    def put(self, span: ReadableSpan, capture: Capture | None) -> None:
        """Takes one ended span; the caller goes on at once.

        Args:
            span: it is counted as dropped if more wait than the bounds allow.
            capture: what its run says may leave, or None for the process's choice.
        """
        if type(span) is AgentSpan:
            kept, weight, shared = span.packed() or span, span.weight, span.shared
        else:
            kept, weight, shared = span, _weight(span), None
        with self._lock:
            seq = next(self._seq)  # also of a span that is dropped: the gap is what shows it
            full = len(self._queue) >= self._settings.max_queue_spans or (
                self._queue_bytes + weight > self._settings.max_queue_bytes
            )
            if not full:
                self._queue.append(Ended(seq, kept, capture, shared, weight))
                self._queue_bytes += weight
        if full:
            self.drops.add(QUEUE_FULL, 1)
        if not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._work, name="loopwatch-exporter", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        """Waits for a span, lets others gather, hands them on; secures what is not delivered meanwhile."""
        while not self._stopping:
            self._wake.wait(None if self._delivery.settled() else COLLECT_S)
            if len(self._queue) < MAX_BATCH_SPANS:
                self._hurry.wait(COLLECT_S)
            try:
                self._hand_on()
                self._delivery.secure()
            except Exception as fault:  # noqa: BLE001 - the exporter's thread must outlive any fault
                swallow("exporter", fault)

    def _hand_on(self) -> None:
        """Turns everything that waits into batches."""
        with self._lock:
            self._working = True
        self._wake.clear()
        try:
            while self._queue:
                self._hand_on_batch()
            self._report_drops()
        finally:
            self._working = False

    def _hand_on_batch(self) -> None:
        spans: list[Ended] = []
        taken = 0
        with self._lock:
            while self._queue and len(spans) < MAX_BATCH_SPANS and taken < MAX_BATCH_BYTES:
                spans.append(self._queue.popleft())
                taken += spans[-1].weight
            self._queue_bytes -= taken
        body, unreadable = self._encoder.encode(spans, self._breathe)
        self.drops.add(UNREADABLE, unreadable)
        if len(spans) > unreadable:
            self._delivery.offer(Batch(self._compress(body), TRACES, len(spans) - unreadable))

    def _breathe(self) -> None:
        """Lets the agent's threads go on, unless the queue fills or the process ends."""
        if not self._stopping and len(self._queue) < self._settings.max_queue_spans // 4:
            time.sleep(BREATH_S)

    def _report_drops(self) -> None:
        counts = self.drops.unreported()
        if counts is not None:
            self.drops.reported(counts)
            self._delivery.offer(Batch(self._compress(self.drops.encode(counts, self._resource)), METRICS, 0))

    def _compress(self, body: bytes) -> bytes:
        if self._settings.compression != "gzip":
            return body
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        return packer.compress(body) + packer.flush()

    def flush(self, timeout_s: float) -> bool:
        """Waits until every span that has ended is with the collector, or on disk because it takes nothing.

        Args:
            timeout_s: how long to wait at most.

        Returns:
            Whether it was done in time.
        """
        deadline = time.monotonic() + timeout_s
        self._hurry.set()
        self._wake.set()
        try:
            if self._thread is None and self._queue:
                self._start()
            return self._delivery.wait(lambda: self._is_drained() and self._delivery.settled(), deadline)
        finally:
            self._hurry.clear()

    def _is_drained(self) -> bool:
        with self._lock:
            return not self._queue and not self._working

    def shutdown(self) -> None:
        """Sends what there is, puts on disk what cannot be sent, and stops. A second call does nothing."""
        if self._stopping:
            return
        self._stopping = True
        deadline = time.monotonic() + EXIT_S
        self._hurry.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(EXIT_S)
        try:
            self._hand_on()
        except Exception as fault:  # noqa: BLE001 - the end of the host's process goes before our spans
            swallow("exporter.shutdown", fault)
        if self._thread is not None:
            self._thread.join(LAST_BATCH_S)
        try:
            self._delivery.stop(deadline)
        except Exception as fault:  # noqa: BLE001 - likewise
            swallow("exporter.shutdown", fault)
        atexit.unregister(self.shutdown)


def _transport(settings: Settings) -> "Transport":
    if settings.protocol != "grpc":
        return HttpTransport(settings)
    from loopwatch.grpc_transport import GrpcTransport  # an extra, and slow to import

    return GrpcTransport(settings)


_CONTENTS: Final = (names.INPUT_MESSAGES, names.OUTPUT_MESSAGES, names.SYSTEM_INSTRUCTIONS, names.TOOL_DEFINITIONS)


def _weight(span: ReadableSpan) -> int:
    """The text another library's span carries, as far as it is large."""
    attributes = span.attributes or {}
    contents = [attributes.get(name) for name in _CONTENTS]
    return sum(len(content) for content in contents if isinstance(content, str))


def _finish_with_multiprocessing(exporter: Exporter) -> None:
    """A child of multiprocessing leaves without atexit; its own list of last things is used instead."""
    if "multiprocessing.util" not in sys.modules:
        return
    from multiprocessing import util  # already imported, as just seen

    util.register_after_fork(exporter, lambda living: util.Finalize(living, living.shutdown, exitpriority=10))
    util.Finalize(exporter, exporter.shutdown, exitpriority=10)
