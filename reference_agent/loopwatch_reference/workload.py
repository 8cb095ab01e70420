"""Who asks for what: incidents of several customers, in conversations, on several models and versions."""

from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from loopwatch_reference.scenarios import SCENARIOS, deal_scenarios
from loopwatch_reference.seeding import seeded

_CUSTOMERS: Final = (("acme", 5), ("globex", 3), ("initech", 2), ("umbrella", 1))
_USERS: Final = {
    "acme": ("ana", "ben"),
    "globex": ("chloe", "dev"),
    "initech": ("emil",),
    "umbrella": ("fatou",),
}
_MODELS: Final = (("claude-sonnet-5-5", 5), ("claude-haiku-4-5", 3), ("claude-opus-5-5", 2))
_VERSIONS: Final = (("13", 3), ("12", 2))
_ENVIRONMENTS: Final = (("production", 4), ("staging", 1))
_FOLLOW_UP_SHARE: Final = 0.3


class Incident(NamedTuple):
    """One alert to work on, and everything that belongs to its run."""

    number: int
    scenario: str
    alert: str
    seed: int
    model: str
    version: str
    customer_id: str
    user_id: str
    conversation_id: str
    environment: str


def incidents(count: int, seed: int, scenario: str | None = None, model: str | None = None) -> Iterator[Incident]:
    """Draws incidents; about three in ten follow up on an earlier one, in its conversation.

    Args:
        count: how many.
        seed: the same seed draws the same incidents.
        scenario: always this one; None begins with each once, then draws by weight.
        model: always this one; None draws by weight.
    """
    rng = seeded(seed, "workload")
    names = deal_scenarios(rng)
    earlier: list[Incident] = []
    for number in range(1, count + 1):
        if earlier and rng.random() < _FOLLOW_UP_SHARE:
            incident = _follow_up(rng.choice(earlier), number, seed)
        else:
            incident = _first(rng, number, seed, scenario or next(names), model or _weighted(rng, _MODELS))
        earlier.append(incident)
        yield incident


def _first(rng: Random, number: int, seed: int, scenario: str, model: str) -> Incident:
    customer = _weighted(rng, _CUSTOMERS)
    return Incident(
        number=number,
        scenario=scenario,
        alert=f"Alert {_alert_number(number, seed)} for customer {customer}. {SCENARIOS[scenario].alert}.",
        seed=rng.randrange(10_000),
        model=model,
        version=_weighted(rng, _VERSIONS),
        customer_id=customer,
        user_id=f"{rng.choice(_USERS[customer])}@{customer}.example",
        conversation_id=f"incident-{seed}-{number:05d}",
        environment=_weighted(rng, _ENVIRONMENTS),
    )


def _follow_up(earlier: Incident, number: int, seed: int) -> Incident:
    again = f"Alert {_alert_number(number, seed)} for customer {earlier.customer_id}, again after it was closed. "
    return earlier._replace(number=number, alert=f"{again}{SCENARIOS[earlier.scenario].alert}.")


def _alert_number(number: int, seed: int) -> int:
    return 10_000 + (seed * 7919 + number * 17) % 80_000


def _weighted(rng: Random, choices: tuple[tuple[str, int], ...]) -> str:
    return rng.choices([name for name, _ in choices], [weight for _, weight in choices])[0]
