"""Spans as a live process of our SDK sends them: each body holds what ended within the exporter's interval.

The exporter waits COLLECT_S after the first span of a body and then sends what has ended by then, at most
MAX_BATCH_SPANS. A run's turns take seconds, so how many spans a body holds follows from how many runs go on at once.
"""

from collections.abc import Iterable, Iterator
from heapq import heapreplace
from typing import Final, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loopwatch.exporting import COLLECT_S, MAX_BATCH_BYTES, MAX_BATCH_SPANS

_COLLECT_NS: Final = int(COLLECT_S * 1e9)


class _Ended(NamedTuple):
    """A span at the moment it ended, with the resource and the scope it was sent under, as bytes."""

    at_ns: int
    resource: bytes
    scope: bytes
    span: Span


class Lives:
    """Runs taken from requests, to be lived again by one process.

    Args:
        requests: bodies of OTLP requests; a run is a trace, wherever its spans are.
    """

    def __init__(self, requests: Iterable[tuple[bytes, int]]) -> None:
        by_trace: dict[bytes, list[_Ended]] = {}
        for body, _ in requests:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                said = resource.resource.SerializeToString()
                for scope in resource.scope_spans:
                    name = scope.scope.SerializeToString()
                    for span in scope.spans:
                        ended = _Ended(span.end_time_unix_nano, said, name, span)
                        by_trace.setdefault(span.trace_id, []).append(ended)
        self._runs = list(by_trace.values())

    @property
    def median_run_s(self) -> float:
        """How long the run in the middle took, in seconds."""
        lengths = sorted(_length_ns(run) for run in self._runs)
        return lengths[len(lengths) // 2] / 1e9

    def bodies(self, concurrent: int) -> Iterator[tuple[bytes, int]]:
        """Sends the runs, so many at any time: when one ends, the next begins.

        Args:
            concurrent: how many runs go on at once.

        Yields:
            Bodies of OTLP requests and the number of their spans.
        """
        spans = sorted(self._lived(concurrent), key=lambda ended: ended.at_ns)
        while spans:
            until_ns = spans[0].at_ns + _COLLECT_NS
            taken = total_bytes = 0
            while taken < min(len(spans), MAX_BATCH_SPANS) and spans[taken].at_ns <= until_ns:
                total_bytes += spans[taken].span.ByteSize()
                taken += 1
                if total_bytes >= MAX_BATCH_BYTES:
                    break
            yield _body(spans[:taken]), taken
            del spans[:taken]

    def _lived(self, concurrent: int) -> Iterator[_Ended]:
        stagger_ns = int(self.median_run_s * 1e9) // concurrent
        free_ns = [place * stagger_ns for place in range(concurrent)]  # sorted, so a heap
        for run in self._runs:
            shift_ns = free_ns[0] - min(ended.span.start_time_unix_nano for ended in run)
            heapreplace(free_ns, free_ns[0] + _length_ns(run))
            yield from (ended._replace(at_ns=ended.at_ns + shift_ns) for ended in run)


def _length_ns(run: list[_Ended]) -> int:
    return max(ended.at_ns for ended in run) - min(ended.span.start_time_unix_nano for ended in run)


def _body(spans: list[_Ended]) -> bytes:
    """One process sends: the resource of the first span stands for it, as the runs of the fleet have several."""
    request = ExportTraceServiceRequest()
    sent = request.resource_spans.add()
    sent.resource.ParseFromString(spans[0].resource)
    scopes: dict[bytes, list[Span]] = {}
    for ended in spans:
        scopes.setdefault(ended.scope, []).append(ended.span)
    for name, members in scopes.items():
        scope = sent.scope_spans.add(spans=members)
        scope.scope.ParseFromString(name)
    return request.SerializeToString()
