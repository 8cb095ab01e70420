"""Which services there are, and who calls whom."""

from typing import Final, NamedTuple


class Service(NamedTuple):
    """One service and what it looks like on a quiet day."""

    name: str
    depends_on: tuple[str, ...]
    owner: str
    request_rate: float  # requests per second
    latency_ms: float
    memory_mb: float


SERVICES: Final[dict[str, Service]] = {
    service.name: service
    for service in (
        Service("web-frontend", ("checkout-api", "search-api", "account-api"), "storefront", 420.0, 95.0, 610.0),
        Service("checkout-api", ("payment-gateway", "inventory-api", "orders-db"), "checkout", 64.0, 140.0, 780.0),
        Service("payment-gateway", ("ledger-db",), "payments", 31.0, 210.0, 540.0),
        Service("inventory-api", ("inventory-db",), "warehouse", 88.0, 42.0, 460.0),
        Service("account-api", ("session-cache", "accounts-db"), "identity", 130.0, 38.0, 500.0),
        Service("search-api", ("search-index",), "search", 210.0, 75.0, 1350.0),
        Service("notification-worker", ("orders-queue", "mail-relay"), "messaging", 18.0, 320.0, 380.0),
        Service("orders-db", (), "data-platform", 240.0, 6.0, 7900.0),
        Service("ledger-db", (), "data-platform", 95.0, 5.0, 6100.0),
        Service("inventory-db", (), "data-platform", 170.0, 4.0, 5200.0),
        Service("accounts-db", (), "data-platform", 260.0, 4.0, 6800.0),
        Service("session-cache", (), "data-platform", 900.0, 1.0, 3900.0),
        Service("search-index", (), "search", 210.0, 48.0, 15800.0),
        Service("orders-queue", (), "messaging", 55.0, 3.0, 1200.0),
        Service("mail-relay", (), "messaging", 17.0, 180.0, 300.0),
    )
}


def hops_to(service: str, target: str) -> int | None:
    """Counts the calls between a service and one it depends on.

    Args:
        service: where the calls start.
        target: where the fault is.

    Returns:
        0 when they are the same, the shortest number of calls otherwise, None when no path leads there.
    """
    frontier, hops = {service}, 0
    while frontier:
        if target in frontier:
            return hops
        frontier = {callee for name in frontier for callee in SERVICES[name].depends_on}
        hops += 1
    return None


def next_hop(service: str, target: str) -> str:
    """Names the direct dependency through which a service reaches the faulty one."""
    reachable = [name for name in SERVICES[service].depends_on if hops_to(name, target) is not None]
    return min(reachable, key=lambda name: hops_to(name, target) or 0)
