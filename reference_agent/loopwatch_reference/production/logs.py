"""Log lines: the quiet chatter of every service, a fault's own errors, and its callers' complaints."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from loopwatch_reference.production.faults import FAULT_KINDS, Fault, strength
from loopwatch_reference.production.topology import SERVICES, hops_to, next_hop
from loopwatch_reference.seeding import seeded

_CHATTER = (
    ("INFO", "handled {n} requests"),
    ("INFO", "health check passed"),
    ("DEBUG", "configuration unchanged, revision {n}"),
    ("WARN", "slow request took {n} ms"),
)


class LogLine(NamedTuple):
    """One line, as the log search shows it."""

    time: str
    service: str
    level: str
    message: str


def log_lines(seed: int, fault: Fault | None, now: datetime, minutes: int) -> Iterator[LogLine]:
    """Yields every line of the last minutes, newest first.

    Args:
        seed: of the system.
        fault: what is wrong, or None on a quiet day.
        now: an aware time.
        minutes: how far back to go.
    """
    for minutes_ago in range(minutes):
        moment = now - timedelta(minutes=minutes_ago)
        for service in SERVICES:
            rng = seeded(seed, service, minutes_ago)
            for level, message in _messages(rng, service, fault, minutes_ago):
                second = moment - timedelta(seconds=rng.randrange(60))
                yield LogLine(f"{second:%Y-%m-%dT%H:%M:%SZ}", service, level, message)


def _messages(rng: Random, service: str, fault: Fault | None, minutes_ago: int) -> Iterator[tuple[str, str]]:
    if fault is not None and rng.random() < strength(fault, minutes_ago) * 0.8:
        hops = hops_to(service, fault.service)
        if hops == 0:
            yield (
                "ERROR",
                rng.choice(FAULT_KINDS[fault.kind].messages).format(service=service, n=rng.randrange(90, 990)),
            )
        elif hops is not None and rng.random() < 0.7**hops:
            callee = next_hop(service, fault.service)
            yield "ERROR", f"call to {callee} failed after {rng.randrange(800, 5000)} ms: upstream error or timeout"
    level, message = rng.choice(_CHATTER)
    yield level, message.format(n=rng.randrange(3, 900))


def matches(line: LogLine, query: str) -> bool:
    """Says whether every word of the query occurs in the line, whatever the case and the order."""
    text = f"{line.service} {line.level} {line.message}".lower()
    return all(word in text for word in query.lower().split())
