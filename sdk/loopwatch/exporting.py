"""Ended spans on their way out: a bounded queue and a thread that encodes and posts."""

import atexit
import gzip
import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan

from loopwatch import encoding
from loopwatch.faults import swallow
from loopwatch.settings import Settings
from loopwatch.transport import Transport

MAX_BATCH_SPANS: Final = 512
COLLECT_S: Final = 0.2
"""How long the thread lets spans gather after the first one, so that a request carries many."""


class Exporter:
    """Takes ended spans and sends them from its own thread.

    Args:
        settings: where to, and what may leave.
        resource: the attributes of the process's resource.
    """

    def __init__(self, settings: Settings, resource: Mapping[str, Any]) -> None:
        self._settings = settings
        self._resource = resource
        self._seq = itertools.count(1)
        self._start()
        os.register_at_fork(after_in_child=self._start)
        atexit.register(self.shutdown)

    def _start(self) -> None:
        """Sets everything up anew; in a forked child too, where the parent's spans stay the parent's."""
        self._queue: deque[tuple[int, ReadableSpan]] = deque()
        self._wake = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._lock = threading.Lock()
        self._transport = Transport(self._settings)

    def put(self, span: ReadableSpan) -> None:
        """Takes one ended span; the caller goes on at once."""
        if len(self._queue) >= self._settings.max_queue_spans:
            return
        self._queue.append((next(self._seq), span))
        if not self._wake.is_set():
            self._idle.clear()
            self._wake.set()
            if self._thread is None:
                self._start_thread()

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._work, name="loopwatch-exporter", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._stopping or self._queue:
            self._wake.wait()
            if not self._stopping and len(self._queue) < MAX_BATCH_SPANS:
                time.sleep(COLLECT_S)
            self._wake.clear()
            while self._queue:
                self._send_batch()
            if not self._wake.is_set():
                self._idle.set()

    def _send_batch(self) -> None:
        try:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH_SPANS))]
            body = encoding.encode(batch, self._resource, self._settings.capture)
            if self._settings.compression == "gzip":
                self._transport.post(gzip.compress(body, 1), {"content-encoding": "gzip"})
            else:
                self._transport.post(body, {})
        except Exception as fault:  # noqa: BLE001 - the exporter's thread must outlive any fault
            swallow("exporter", fault)

    def flush(self, timeout_s: float) -> bool:
        """Waits until every span that has ended was handed to the collector.

        Args:
            timeout_s: how long to wait at most.

        Returns:
            Whether it was done in time.
        """
        self._wake.set()
        return self._idle.wait(timeout_s)

    def shutdown(self) -> None:
        """Sends what there is and stops."""
        if self._stopping:
            return
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        atexit.unregister(self.shutdown)
