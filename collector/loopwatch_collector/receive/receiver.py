"""From a request's bytes to its acknowledgement."""

import asyncio
import time
from typing import Any, Final, NamedTuple

from google.protobuf.message import Message

from loopwatch_collector.auth import Principal
from loopwatch_collector.compression import decompress
from loopwatch_collector.errors import TooLarge
from loopwatch_collector.journal.journal import Journal
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.receive import screening, signals, status
from loopwatch_collector.receive.allowance import Allowance, Hold, json_memory_bytes, protobuf_memory_bytes
from loopwatch_collector.receive.screening import Screening, Window
from loopwatch_collector.receive.signals import Signal
from loopwatch_collector.settings import Settings

# Above these a body is worked on in a thread, so that others are answered meanwhile.
_INLINE_BYTES: Final = 128 * 2**10
_INLINE_MEMORY_BYTES: Final = 12 * 2**20
_THREADS: Final = 2  # what is decompressed at the same time is not held yet
_MAX_ITEMS: Final = 50_000  # each becomes a row of some kilobytes


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
        self.allowance = Allowance(settings.max_receiving_bytes)
        self._threads = asyncio.Semaphore(_THREADS)

    async def take(self, sending: Sending, hold: Hold) -> Message:
        """Takes one request.

        Args:
            sending: the request.
            hold: this request's share of the allowance; its body is counted in already.

        Returns:
            The export response. When it returns, what was taken is on disk.

        Raises:
            RequestRefused: the body cannot be read.
            Unavailable: there is no room for it now.
        """
        started = time.perf_counter()
        received_at_ns = time.time_ns()
        self._journal.require_room(len(sending.body))
        raw = await self._decompressed(sending)
        if raw is not sending.body:
            hold.add(len(raw))
        memory_bytes = _memory_bytes(raw, sending.media_type)
        hold.add(memory_bytes)
        screened, record = await self._prepared(sending, raw, received_at_ns, memory_bytes)
        self._metrics.received_bytes.inc(len(sending.body))
        kind, project = sending.signal.kind, sending.principal.project
        self._metrics.note_received(kind, project, screened.taken + screened.rejected.total())
        if screened.taken:
            await asyncio.wrap_future(self._journal.append(record))
        self._metrics.note_answered(kind, project, screened.taken, screened.rejected)
        self._metrics.acknowledge_seconds.observe(time.perf_counter() - started)
        if sending.signal is signals.TRACES:
            sending.principal.use.spans(screened.taken, screened.rejected.total())
        return signals.answer(sending.signal, screened.rejected.total(), screened.reason)

    async def _decompressed(self, sending: Sending) -> bytes:
        work = (sending.body, sending.encoding, self._settings.max_body_bytes)
        if len(sending.body) <= _INLINE_BYTES:
            return decompress(*work)
        async with self._threads:
            return await asyncio.to_thread(decompress, *work)

    async def _prepared(
        self, sending: Sending, raw: bytes, received_at_ns: int, memory_bytes: int
    ) -> tuple[Screening, Record]:
        work = (sending, raw, received_at_ns, memory_bytes, self._settings)
        if memory_bytes <= _INLINE_MEMORY_BYTES:
            return prepare(*work)
        async with self._threads:
            return await asyncio.to_thread(prepare, *work)


def prepare(
    sending: Sending, raw: bytes, received_at_ns: int, memory_bytes: int, settings: Settings
) -> tuple[Screening, Record]:
    """Decodes and screens a request.

    Args:
        sending: the request.
        raw: its body, decompressed.
        received_at_ns: when it arrived, ns since the epoch.
        memory_bytes: what its decoded body takes, estimated.
        settings: the caps.

    Returns:
        The counts, and the record to journal: the body as it came, unless something had to be changed.

    Raises:
        RequestRefused: the body cannot be read, or holds too many items.
    """
    message = signals.parse(sending.signal, raw, sending.media_type)
    window = (
        screening.EVER
        if sending.is_import
        else screening.live_window(received_at_ns, settings.retention.days(sending.principal.project).everything)
    )
    screened = _screen(sending.signal, message, window)
    if screened.taken > _MAX_ITEMS:
        raise TooLarge(f"the request holds {screened.taken} items, over {_MAX_ITEMS}; send smaller batches")
    kept, encoding = sending.body, "gzip" if sending.encoding == "gzip" else ""
    if screened.rejected or sending.media_type == status.JSON:
        kept = raw = message.SerializeToString()
        encoding = ""
    elif sending.encoding == "deflate":
        kept = raw
    record = Record(
        kind=sending.signal.kind,
        project=sending.principal.project,
        received_at_ns=received_at_ns,
        encoding=encoding,
        items=screened.taken,
        body=kept,
        raw=raw,
        memory_bytes=memory_bytes,
    )
    return screened, record


def _memory_bytes(raw: bytes, media_type: str) -> int:
    return json_memory_bytes(raw) if media_type == status.JSON else protobuf_memory_bytes(raw)


def _screen(signal: Signal, message: Any, window: Window) -> Screening:
    if signal is signals.TRACES:
        return screening.screen_spans(message, window)
    if signal is signals.LOGS:
        return screening.screen_logs(message, window)
    return screening.screen_metrics(message, window)
