"""Incidents to try the agent on, as data: what is broken, what the alert says, how well the tools work."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final, NamedTuple

from loopwatch_reference.production.faults import Fault


class Scenario(NamedTuple):
    """One kind of incident.

    Attributes:
        summary: what it shows.
        alert: what the alert says; it names a service.
        fault: what is broken, or None when nothing is.
        backends: arguments of `Backends` beside its randomness and speed.
        api_fault: a fault that every request to the simulated API meets, or "".
        weight: how often it is drawn in a mixed workload.
    """

    summary: str
    alert: str
    fault: Fault | None
    backends: dict[str, Any] = {}  # noqa: RUF012 never changed
    api_fault: str = ""
    weight: int = 2


SCENARIOS: Final[dict[str, Scenario]] = {
    "bad-deployment": Scenario(
        "a release breaks a service; resolved quickly",
        "search-api: error rate 21% over the last 10 minutes (threshold 2%)",
        Fault("bad_deployment", "search-api", 18),
        weight=5,
    ),
    "database-connections": Scenario(
        "a database is out of connections; the alert names a caller",
        "checkout-api: latency p95 1.3 s over the last 10 minutes (threshold 400 ms)",
        Fault("connection_exhaustion", "orders-db", 35),
        weight=4,
    ),
    "deep-dependency": Scenario(
        "the fault is three calls away from the alert; many iterations",
        "web-frontend: 7% of page views end in an error page (threshold 1%)",
        Fault("disk_full", "ledger-db", 90),
        weight=4,
    ),
    "memory-leak": Scenario(
        "a service leaks memory after a release",
        "account-api: restarted 6 times in the last hour (threshold 1)",
        Fault("memory_leak", "account-api", 110),
        weight=3,
    ),
    "expired-certificate": Scenario(
        "a certificate expired; the alert names a caller",
        "notification-worker: 60% of mails are not delivered (threshold 5%)",
        Fault("certificate_expired", "mail-relay", 50),
        weight=3,
    ),
    "queue-backlog": Scenario(
        "a queue grows",
        "notification-worker: oldest job waits for 22 minutes (threshold 5 minutes)",
        Fault("queue_backlog", "orders-queue", 70),
        weight=2,
    ),
    "false-alarm": Scenario(
        "nothing is broken; escalated",
        "inventory-api: request rate 11% below forecast (threshold 10%)",
        None,
        weight=3,
    ),
    "flaky-tools": Scenario(
        "logs and metrics time out every other call",
        "checkout-api: error rate 12% over the last 10 minutes (threshold 2%)",
        Fault("bad_deployment", "checkout-api", 25),
        {"failing_share": {"search_logs": 0.5, "get_metrics": 0.4, "list_recent_deployments": 0.3}},
        weight=4,
    ),
    "index-behind": Scenario(
        "the log index lags and says 'later'; some models ask again until a limit stops them",
        "payment-gateway: 4% of payments are declined without a reason (threshold 1%)",
        Fault("connection_exhaustion", "ledger-db", 40),
        {"index_behind_minutes": 55},
        weight=4,
    ),
    "ticket-refused": Scenario(
        "the cause is found but the ticket system refuses; escalated",
        "search-api: error rate 9% over the last 10 minutes (threshold 2%)",
        Fault("bad_deployment", "search-api", 30),
        {"rejecting": {"create_incident_ticket": "the agent's account may not open tickets in this project"}},
        weight=2,
    ),
    "model-overloaded": Scenario(
        "the Messages API answers 529 to every attempt; the run fails",
        "orders-db: replication is 90 s behind (threshold 30 s)",
        Fault("disk_full", "orders-db", 60),
        api_fault="overloaded",
        weight=1,
    ),
}


def deal_scenarios(rng: Random) -> Iterator[str]:
    """Yields names without end: first each scenario once, so that a short workload shows all, then by weight."""
    names = list(SCENARIOS)
    yield from rng.sample(names, len(names))
    weights = [SCENARIOS[name].weight for name in names]
    while True:
        yield rng.choices(names, weights)[0]
