"""From a request's bytes to its acknowledgement."""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from google.protobuf.message import Message

from loopwatch_collector.auth import Principal
from loopwatch_collector.compression import decompress
from loopwatch_collector.errors import Unavailable
from loopwatch_collector.journal.journal import Journal
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.receive import screening, signals, status
from loopwatch_collector.receive.screening import Screening, Window
from loopwatch_collector.receive.signals import Signal
from loopwatch_collector.settings import Settings

_INLINE_BYTES: Final = 512 * 2**10  # above it a body is worked on in a thread, so that others are answered meanwhile


class Sending(NamedTuple):
    """One request, as far as receiving it is concerned.

    Attributes:
        signal: traces, logs or metrics.
        principal: who sent it.
        body: the bytes as sent.
        encoding: their content encoding.
        media_type: protobuf or JSON; the answer's too.
        is_import: whether recorded, hence old, spans are welcome.
    """

    signal: Signal
    principal: Principal
    body: bytes
    encoding: str
    media_type: str
    is_import: bool


class Receiver:
    """Takes requests: bounded, decoded, screened, journaled.

    Args:
        settings: the caps.
        journal: where records go.
        metrics: where it counts.
    """

    def __init__(self, settings: Settings, journal: Journal, metrics: Metrics) -> None:
        self._settings = settings
        self._journal = journal
        self._metrics = metrics
        self._held_bytes = 0

    async def take(self, sending: Sending) -> Message:
        """Takes one request.

        Args:
            sending: the request.

        Returns:
            The export response. When it returns, what was taken is on disk.

        Raises:
            RequestRefused: the body cannot be read.
            Unavailable: there is no room for it now.
        """
        started = time.perf_counter()
        received_at_ns = time.time_ns()
        with self._hold(len(sending.body)):
            screened, record = await self._prepare(sending, received_at_ns)
            self._metrics.received_bytes.inc(len(sending.body))
            self._metrics.received_spans.inc(screened.taken + screened.rejected.total())
            if screened.taken:
                await asyncio.wrap_future(self._journal.append(record))
        self._count(screened, time.perf_counter() - started)
        return signals.answer(sending.signal, screened.rejected.total(), screened.reason)

    @contextmanager
    def _hold(self, size: int) -> Generator[None]:
        if self._held_bytes + size > self._settings.max_receiving_bytes:
            raise Unavailable("too many bodies are being received at once; send again in a moment")
        self._held_bytes += size
        try:
            yield
        finally:
            self._held_bytes -= size

    async def _prepare(self, sending: Sending, received_at_ns: int) -> tuple[Screening, Record]:
        if len(sending.body) > _INLINE_BYTES:
            return await asyncio.to_thread(prepare, sending, received_at_ns, self._settings)
        return prepare(sending, received_at_ns, self._settings)

    def _count(self, screened: Screening, seconds: float) -> None:
        self._metrics.acknowledged_spans.inc(screened.taken)
        self._metrics.acknowledge_seconds.observe(seconds)
        for reason, count in screened.rejected.items():
            self._metrics.rejected_spans.labels(reason).inc(count)


def prepare(sending: Sending, received_at_ns: int, settings: Settings) -> tuple[Screening, Record]:
    """Decodes and screens a request.

    Args:
        sending: the request.
        received_at_ns: when it arrived, ns since the epoch.
        settings: the caps.

    Returns:
        The counts, and the record to journal: the body as it came, unless something had to be changed.

    Raises:
        RequestRefused: the body cannot be read.
    """
    raw = decompress(sending.body, sending.encoding, settings.max_body_bytes)
    message = signals.parse(sending.signal, raw, sending.media_type)
    window = screening.EVER if sending.is_import else screening.live_window(received_at_ns, settings.retention_days)
    screened = _screen(sending.signal, message, window)
    kept, encoding = sending.body, "gzip" if sending.encoding == "gzip" else ""
    if screened.rejected or sending.media_type == status.JSON:
        kept, encoding = message.SerializeToString(), ""
    elif sending.encoding == "deflate":
        kept = raw
    record = Record(
        kind=sending.signal.kind,
        project=sending.principal.project,
        received_at_ns=received_at_ns,
        encoding=encoding,
        items=screened.taken,
        body=kept,
        message=message,
    )
    return screened, record


def _screen(signal: Signal, message: Any, window: Window) -> Screening:
    if signal is signals.TRACES:
        return screening.screen_spans(message, window)
    if signal is signals.LOGS:
        return screening.screen_logs(message, window)
    return screening.screen_metrics(message)
