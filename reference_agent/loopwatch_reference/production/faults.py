"""The kinds of fault that can be injected, as data."""

from typing import Final, NamedTuple


class FaultKind(NamedTuple):
    """What one kind of fault does to the service it is injected into.

    Attributes:
        root_cause: what a post-mortem would say.
        messages: the error lines it writes; `{service}` and `{n}` are filled in.
        factors: by metric, what its usual value is multiplied by once the fault is fully grown.
        error_rate: the share of failing requests once the fault is fully grown.
        deployed: a release of the service brought it.
        growing: it builds up over its whole age instead of being there at once.
    """

    root_cause: str
    messages: tuple[str, ...]
    factors: dict[str, float]
    error_rate: float
    deployed: bool = False
    growing: bool = False


class Fault(NamedTuple):
    """One fault: its kind, where it is, and for how long."""

    kind: str
    service: str
    age_minutes: int


FAULT_KINDS: Final[dict[str, FaultKind]] = {
    "bad_deployment": FaultKind(
        "the latest release of the service fails on a value that may be missing",
        (
            "unhandled NullPointerException in request handler at PriceCalculator.total:{n}",
            "request failed with 500: NullPointerException (release introduced a required field)",
        ),
        {"latency_ms": 0.8},
        0.22,
        deployed=True,
    ),
    "connection_exhaustion": FaultKind(
        "the connection pool of the database is used up",
        (
            "remaining connection slots are reserved: too many connections ({n} of 400)",
            "rejecting client: too many connections",
        ),
        {"latency_ms": 9.0, "connections": 3.4},
        0.15,
    ),
    "memory_leak": FaultKind(
        "the service leaks memory and is restarted by the kernel",
        (
            "OutOfMemoryError: heap limit reached, container killed (exit code 137)",
            "long garbage collection pause: {n} ms",
        ),
        {"latency_ms": 3.5, "memory_mb": 3.1, "cpu_ratio": 1.9},
        0.08,
        deployed=True,
        growing=True,
    ),
    "certificate_expired": FaultKind(
        "the TLS certificate of the service has expired",
        ("TLS handshake failed: certificate has expired ({n} handshakes in the last minute)",),
        {"request_rate": 0.2},
        0.64,
    ),
    "disk_full": FaultKind(
        "the data volume is full",
        (
            "write failed: No space left on device",
            "could not extend segment file: No space left on device ({n} writes rejected)",
        ),
        {"latency_ms": 2.2, "disk_ratio": 1.6},
        0.31,
        growing=True,
    ),
    "queue_backlog": FaultKind(
        "consumers are slower than producers and the queue grows",
        ("queue depth {n} over the high-water mark, publishers are blocked",),
        {"latency_ms": 14.0, "queue_depth": 220.0},
        0.05,
        growing=True,
    ),
}


def strength(fault: Fault, minutes_ago: float) -> float:
    """How far a fault has grown at a moment.

    Args:
        fault: the fault.
        minutes_ago: the moment, counted back from now.

    Returns:
        0 before the fault began, up to 1 when it is fully grown.
    """
    if minutes_ago > fault.age_minutes:
        return 0.0
    if not FAULT_KINDS[fault.kind].growing:
        return 1.0
    return max(0.05, 1.0 - minutes_ago / fault.age_minutes)
