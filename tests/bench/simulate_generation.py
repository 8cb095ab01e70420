"""How fast simulated spans are made, on one core: the ceiling of every benchmark that feeds on them."""

import time
from collections.abc import Iterable
from statistics import median

from loopwatch_collector.simulate.requests import SimulatedRequest
from loopwatch_collector.simulate.rhythm import DAY_NS
from loopwatch_collector.simulate.simulation import Simulation
from loopwatch_collector.simulate.truth import Truth

_ROUNDS = 5


def main() -> None:
    """Prints CPU time and bytes a span, without and with content, without and with counting the truth."""
    print(f"{'content':<8} {'truth':<6} {'µs/span':>8} {'spans/s/core':>13} {'bytes/span':>11}")
    for has_content, runs in ((False, 4000), (True, 1500)):
        simulation = Simulation(20_000 * DAY_NS, 7, runs, has_content=has_content)
        for with_truth in (False, True):
            rounds = [_round(simulation.requests(Truth() if with_truth else None)) for _ in range(_ROUNDS)]
            us = median(seconds / spans for seconds, spans, _ in rounds) * 1e6
            size = rounds[0][2] / rounds[0][1]
            switches = f"{'on' if has_content else 'off':<8} {'yes' if with_truth else 'no':<6}"
            print(f"{switches} {us:8.1f} {1e6 / us:13,.0f} {size:11,.0f}")


def _round(requests: Iterable[SimulatedRequest]) -> tuple[float, int, int]:
    began = time.process_time()
    spans = size = 0
    for request in requests:
        spans += request.spans
        size += len(request.body)
    return time.process_time() - began, spans, size
