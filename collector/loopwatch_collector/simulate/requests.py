"""Spans gathered into OTLP requests: so many to a request, by process and scope, numbered within their process."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from loopwatch import names
from loopwatch_collector.simulate import wire
from loopwatch_collector.simulate.facts import RunFacts
from loopwatch_collector.simulate.schedule import PlannedRun
from loopwatch_collector.simulate.spans import RunSpans

_sequence_number = wire.integers(names.SEQ)
_SDK_VERSION = "0.1.0"


class SimulatedRequest(NamedTuple):
    """One request.

    Attributes:
        body: an ExportTraceServiceRequest, uncompressed.
        spans: how many spans it holds.
    """

    body: bytes
    spans: int


class _Process:
    """One process of an agent: its resource, and how many spans it has ended."""

    __slots__ = ("ended", "resource")

    def __init__(self, resource: bytes) -> None:
        self.resource = resource
        self.ended = 0


def requests(
    seed: int, runs: Iterable[RunFacts], spans_per_request: int, *, has_content: bool
) -> Iterator[SimulatedRequest]:
    """Writes runs as requests. A run may lie across two of them.

    Args:
        seed: the fleet's; names the processes.
        runs: the runs, in the order in which they are sent.
        spans_per_request: how many spans a request holds; the last one may hold fewer.
        has_content: whether messages, arguments and results are written.

    Yields:
        Each request.
    """
    writer = RunSpans(has_content=has_content)
    processes: dict[tuple[int, str, str, int], _Process] = {}
    pending: dict[_Process, dict[tuple[str, str], list[bytes]]] = {}
    count = 0
    for run in runs:
        process = _process_of(seed, run.planned, processes)
        for scope, body in writer.spans(run):
            process.ended += 1
            numbered = body + _sequence_number(process.ended) + wire.NO_PARENT_FLAGS
            pending.setdefault(process, {}).setdefault(scope, []).append(wire.delimited(b"\x12", numbered))
            count += 1
            if count == spans_per_request:
                yield SimulatedRequest(_body(pending), count)
                pending, count = {}, 0
    if count:
        yield SimulatedRequest(_body(pending), count)


def _body(pending: dict[_Process, dict[tuple[str, str], list[bytes]]]) -> bytes:
    return b"".join(
        wire.resource_spans(process.resource, [wire.scope_spans(*scope, spans) for scope, spans in by_scope.items()])
        for process, by_scope in pending.items()
    )


def _process_of(seed: int, planned: PlannedRun, processes: dict[tuple[int, str, str, int], _Process]) -> _Process:
    key = (planned.day, planned.agent.name, planned.environment, planned.worker)
    process = processes.get(key)
    if process is None:
        if len(processes) > 1000:  # yesterday's processes have ended
            processes.clear()
        process = processes[key] = _Process(_resource(seed, planned))
    return process


def _resource(seed: int, planned: PlannedRun) -> bytes:
    named = f"{seed} {planned.day} {planned.agent.name} {planned.environment} {planned.worker}"
    attributes = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.2",
        names.SERVICE_NAME: planned.agent.service,
        names.SERVICE_VERSION: planned.agent.version,
        names.PROCESS_ID: blake2b(named.encode(), digest_size=8).hexdigest(),
        names.SDK_VERSION: _SDK_VERSION,
    }
    return b"".join(wire.text(key, value, wire.RESOURCE_ATTRIBUTE) for key, value in attributes.items())
