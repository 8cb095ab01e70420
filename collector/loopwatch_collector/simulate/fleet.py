"""Who there is: agents with their tools, models, habits and releases; customers from very large to very small.

Compared by identity: there is one object of each, and it keys caches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model as its callers see it.

    Attributes:
        name: as in gen_ai.response.model.
        provider: as in gen_ai.provider.name.
        tokens_per_s: how fast it writes.
        ttft_ms: the median time to its first token.
        reasoning_share: how much of its output is reasoning.
        writes_cache: whether cache writes are reported (and billed) apart from other input.
    """

    name: str
    provider: str
    tokens_per_s: float
    ttft_ms: float
    reasoning_share: float = 0.0
    writes_cache: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A tool as its agent sees it.

    Attributes:
        name: its name.
        description: what the model is told.
        weight: how often it is chosen; 0 for a tool that is offered and never called.
        median_ms: the median of its duration; the distribution is log-normal.
        error_share: the share of its calls that fail on an ordinary day.
        not_found_share: the share that finds nothing.
        retryable_share: the share of its errors after which the same call may succeed.
        result_bytes: the median size of its results.
        errors: what its errors say; the first is its timeout.
    """

    name: str
    description: str
    weight: float
    median_ms: float = 180.0
    error_share: float = 0.02
    not_found_share: float = 0.0
    retryable_share: float = 0.7
    result_bytes: int = 600
    errors: tuple[tuple[str, str], ...] = (("TimeoutError", "no answer after 10 s"), ("ValueError", "invalid argument"))


@dataclass(frozen=True, slots=True, eq=False)
class Agent:
    """An agent and its habits.

    Attributes:
        name: its name.
        service: the service it runs in.
        version: the version in production on the first day.
        weight: its share of all runs.
        models: models and their shares.
        tools: what it offers to the model.
        median_iterations: the median of its iterations; the distribution is log-normal.
        cap: its limit on iterations.
        system_bytes: the size of its system prompt.
        input_bytes: the median size of a request to it.
        escalation_share: the share of its runs handed to a human on an ordinary day.
        failure_share: the share that ends in an exception.
        loop_share: the share that runs in a loop for a while.
        follow_up_share: the share of runs that continue a conversation; 0 for an agent without conversations.
        phase: the step its tools run in, "plan" for one that plans first, or "".
        decision: what it decides, then the choices it has.
        escalation_reasons: why it gives up.
        delegate: the tool whose call is a run of the agent `summarizer`, if any.
    """

    name: str
    service: str
    version: str
    weight: float
    models: tuple[tuple[Model, float], ...]
    tools: tuple[Tool, ...]
    median_iterations: float
    cap: int
    system_bytes: int
    input_bytes: int
    escalation_share: float
    failure_share: float
    loop_share: float
    follow_up_share: float
    phase: str
    decision: tuple[str, ...]
    escalation_reasons: tuple[str, ...]
    delegate: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Customer:
    """A tenant: the one of rank 1 is the largest."""

    customer_id: str
    users: int


CUSTOMERS: Final = tuple(Customer(f"customer-{rank:03d}", max(1, round(60 / rank))) for rank in range(1, 201))
_ZIPF_EXPONENT: Final = 1.1
ENVIRONMENTS: Final = (("production", 0.93), ("staging", 0.07))
CUSTOMER_WEIGHTS: Final = tuple(accumulate(1 / rank**_ZIPF_EXPONENT for rank in range(1, len(CUSTOMERS) + 1)))


def cumulated(weights: Sequence[float]) -> tuple[float, ...]:
    """Returns the running sums, the last one 1."""
    total = sum(weights)
    return tuple(value / total for value in accumulate(weights))
