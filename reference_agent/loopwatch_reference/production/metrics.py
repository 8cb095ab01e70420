"""Metrics of each service: a usual value with noise, moved by a fault near it."""

from typing import Final, NamedTuple

from loopwatch_reference.production.faults import FAULT_KINDS, Fault, strength
from loopwatch_reference.production.topology import SERVICES, Service, hops_to
from loopwatch_reference.seeding import seeded

METRICS: Final = (
    "request_rate",
    "error_rate",
    "latency_ms",
    "memory_mb",
    "cpu_ratio",
    "connections",
    "queue_depth",
    "disk_ratio",
)
_STEP_MINUTES: Final = 10
_STEPS: Final = 12


class MetricReading(NamedTuple):
    """A metric over the last two hours, one value every ten minutes, the newest last.

    Attributes:
        usual: its value on a quiet day.
        values: the readings.
    """

    service: str
    metric: str
    usual: float
    values: tuple[float, ...]


def _usual(service: Service, metric: str) -> float:
    values = {
        "request_rate": service.request_rate,
        "error_rate": 0.004,
        "latency_ms": service.latency_ms,
        "memory_mb": service.memory_mb,
        "cpu_ratio": 0.38,
        "connections": 110.0,
        "queue_depth": 12.0,
        "disk_ratio": 0.61,
    }
    return values[metric]


def _moved(metric: str, usual: float, hops: int, fault: Fault, grown: float) -> float:
    kind = FAULT_KINDS[fault.kind]
    reach = 0.6**hops
    if metric == "error_rate":
        return usual + kind.error_rate * reach * grown
    if hops > 0:
        return usual * (1 + 1.8 * reach * grown) if metric == "latency_ms" else usual
    return usual * (1 + (kind.factors.get(metric, 1.0) - 1) * grown)


def read_metric(seed: int, fault: Fault | None, service: str, metric: str) -> MetricReading:
    """Reads one metric.

    Args:
        seed: of the system.
        fault: what is wrong, or None.
        service: a name of `SERVICES`.
        metric: a name of `METRICS`.
    """
    usual = _usual(SERVICES[service], metric)
    hops = hops_to(service, fault.service) if fault else None
    values: list[float] = []
    for step in reversed(range(_STEPS)):
        minutes_ago = step * _STEP_MINUTES
        rng = seeded(seed, service, metric, step)
        grown = strength(fault, minutes_ago) if fault else 0.0
        value = usual if fault is None or hops is None else _moved(metric, usual, hops, fault, grown)
        values.append(round(value * rng.uniform(0.96, 1.04), 4))
    return MetricReading(service, metric, usual, tuple(values))
