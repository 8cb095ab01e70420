"""The simulated production system agrees with itself."""

from datetime import UTC, datetime

import pytest

from loopwatch_reference.errors import InvalidQuestion
from loopwatch_reference.production.faults import FAULT_KINDS, Fault
from loopwatch_reference.production.system import ProductionSystem
from loopwatch_reference.production.topology import SERVICES, hops_to, next_hop

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)


def system(fault=None, seed=5):
    return ProductionSystem(seed, NOW, fault)


@pytest.mark.parametrize("kind", sorted(FAULT_KINDS))
def test_a_fault_shows_in_its_own_logs_and_metrics(kind):
    """A faulty service logs errors of the fault's kind and its error rate rises; a quiet system shows neither."""
    faulty, quiet = system(Fault(kind, "orders-db", 60)), system()
    own = [line for line in faulty.search_logs("orders-db error", 60) if line.service == "orders-db"]
    words = {message.split("{")[0] for message in FAULT_KINDS[kind].messages}
    assert own
    assert all(any(line.message.startswith(word) for word in words) for line in own)
    assert faulty.read_metric("orders-db", "error_rate").values[-1] > 0.02
    assert quiet.search_logs("error", 60) == []
    assert quiet.read_metric("orders-db", "error_rate").values[-1] < 0.01


def test_callers_blame_the_service_through_which_the_fault_reaches_them():
    """Each caller's error names its own callee on the way to the fault, hop by hop."""
    faulty = system(Fault("disk_full", "ledger-db", 90))
    for caller, callee in (("payment-gateway", "ledger-db"), ("checkout-api", "payment-gateway")):
        lines = faulty.search_logs(f"{caller} error call", 120)
        assert lines
        assert {line.message.split()[2] for line in lines if line.service == caller} == {callee}


def test_services_away_from_the_fault_stay_quiet():
    """A service that does not depend on the faulty one shows nothing."""
    faulty = system(Fault("disk_full", "ledger-db", 90))
    assert faulty.search_logs("search-api error", 240) == []
    assert faulty.read_metric("search-api", "latency_ms").values[-1] < SERVICES["search-api"].latency_ms * 1.1


def test_a_fault_begins_when_it_began():
    """Readings before the fault are usual, readings after it are not, and a growing fault grows."""
    readings = system(Fault("memory_leak", "account-api", 55)).read_metric("account-api", "memory_mb")
    before, after = readings.values[:6], readings.values[6:]
    assert max(before) < readings.usual * 1.1
    assert list(after) == sorted(after)
    assert after[-1] > readings.usual * 2


@pytest.mark.parametrize(("kind", "listed"), [("bad_deployment", True), ("disk_full", False)])
def test_only_faults_of_releases_have_a_release(kind, listed):
    """The deployments name the faulty service exactly when a release brought the fault."""
    fault = Fault(kind, "search-api", 20)
    assert ("search-api" in {one["service"] for one in system(fault).deployments()}) is listed


def test_asking_twice_gives_the_same_answer():
    """The system is a function of its seed, its fault and the time."""
    fault = Fault("queue_backlog", "orders-queue", 70)
    one, other = system(fault), system(fault)
    assert one.search_logs("error", 30) == other.search_logs("error", 30)
    assert one.read_metric("orders-queue", "queue_depth") == other.read_metric("orders-queue", "queue_depth")
    assert one.deployments() == other.deployments()


def test_wrong_questions_name_what_exists():
    """A service, metric, severity or time that does not exist is an error that says what does."""
    with pytest.raises(InvalidQuestion, match="no service 'mainframe'; services are web-frontend"):
        system().read_metric("mainframe", "latency_ms")
    with pytest.raises(InvalidQuestion, match="no metric 'vibes'; metrics are request_rate"):
        system().read_metric("orders-db", "vibes")
    with pytest.raises(InvalidQuestion, match="severities are critical"):
        system().create_ticket("x", "apocalyptic")
    with pytest.raises(InvalidQuestion, match="between 1 and 240"):
        system().search_logs("x", 0)


def test_hops_follow_calls():
    """Hops count calls along the shortest path; None where no path leads."""
    assert hops_to("web-frontend", "ledger-db") == 3
    assert hops_to("orders-db", "orders-db") == 0
    assert hops_to("orders-db", "web-frontend") is None
    assert next_hop("checkout-api", "ledger-db") == "payment-gateway"
