"""What runs when: each run's time, agent, customer, conversation, version and model, before it is played.

A day is drawn from a generator of its own, so that a day's runs depend on the seed and the day alone.
"""

from bisect import bisect
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final, NamedTuple

from loopwatch_collector.simulate.agents import AGENTS
from loopwatch_collector.simulate.draws import generator
from loopwatch_collector.simulate.fleet import (
    CUSTOMER_WEIGHTS,
    CUSTOMERS,
    ENVIRONMENTS,
    Agent,
    Model,
    cumulated,
)
from loopwatch_collector.simulate.incidents import Incident
from loopwatch_collector.simulate.rhythm import DAY_NS, HOUR_NS, runs_by_day, time_of_day

WORKERS: Final = 3  # processes of each agent in each environment, new ones each day
_ROLL_OUT_NS: Final = 6 * HOUR_NS
_LONGEST_PAUSE_NS: Final = HOUR_NS  # between two runs of a conversation
_SPIKE_SHARE: Final = 0.03  # of a day's runs
_AGENT_SHARES: Final = cumulated([agent.weight for agent in AGENTS])
_MODEL_SHARES: Final = {agent.name: cumulated([share for _, share in agent.models]) for agent in AGENTS}
_PRODUCTION_SHARE: Final = ENVIRONMENTS[0][1]


class PlannedRun(NamedTuple):
    """One run before it is played.

    Attributes:
        day: which day, counted from 0.
        number: which run of the day, by start, counted from 0.
        start_ns: when it starts, ns since the epoch.
        agent: who runs.
        version: the agent's version.
        model: whom it asks.
        environment: where.
        customer_id: who is billed.
        user_id: who asked.
        conversation_id: what it belongs to, or "".
        worker: which of the agent's processes.
        incidents: those that are going on for it when it starts.
    """

    day: int
    number: int
    start_ns: int
    agent: Agent
    version: str
    model: Model
    environment: str
    customer_id: str
    user_id: str
    conversation_id: str
    worker: int
    incidents: tuple[Incident, ...]


class _Conversation(NamedTuple):
    conversation_id: str
    customer_id: str
    user_id: str
    environment: str
    last_ns: int


class _Start(NamedTuple):
    time_ns: int
    agent: Agent | None  # None: drawn later
    customer: int  # -1: drawn later


def schedule(seed: int, first_day_ns: int, days: int, runs: int, incidents: Sequence[Incident]) -> Iterator[PlannedRun]:
    """Draws runs in the order of their starts.

    Args:
        seed: the same seed gives the same runs.
        first_day_ns: the first day's midnight, ns since the epoch.
        days: how many days.
        runs: how many runs in all.
        incidents: what goes wrong.

    Yields:
        Each run.
    """
    for day, quota in enumerate(runs_by_day(first_day_ns, days, runs)):
        yield from _Day(seed, day, first_day_ns + day * DAY_NS, incidents).runs(quota)


class _Day:
    def __init__(self, seed: int, day: int, midnight_ns: int, incidents: Sequence[Incident]) -> None:
        self._rng = generator(seed, "day", day)
        self._day = day
        self._midnight_ns = midnight_ns
        end_ns = midnight_ns + DAY_NS
        self._incidents = [one for one in incidents if one.from_ns < end_ns and one.to_ns > midnight_ns]
        self._open: dict[str, list[_Conversation]] = {}

    def runs(self, quota: int) -> Iterator[PlannedRun]:
        for number, start in enumerate(sorted(self._starts(quota), key=lambda start: start.time_ns)):
            yield self._planned(number, start)

    def _starts(self, quota: int) -> Iterator[_Start]:
        spikes = [one for one in self._incidents if one.kind == "cost_spike"]
        extra = min(quota // 4, max(12, round(_SPIKE_SHARE * quota))) if spikes else 0
        for _ in range(quota - extra):
            yield _Start(self._midnight_ns + time_of_day(self._rng), None, -1)
        for number in range(extra):
            spike = spikes[number % len(spikes)]
            time_ns = spike.from_ns + self._rng.randrange(spike.to_ns - spike.from_ns)
            yield _Start(time_ns, _agent(spike.agent), _customer(spike.customer))

    def _planned(self, number: int, start: _Start) -> PlannedRun:
        rng = self._rng
        going_on = [one for one in self._incidents if one.from_ns <= start.time_ns < one.to_ns]
        agent = start.agent or self._drawn_agent(going_on)
        model = agent.models[bisect(_MODEL_SHARES[agent.name], rng.random())][0]
        conversation = self._conversation(agent, start)
        concerning = tuple(one for one in going_on if _concerns(one, agent, model, conversation.customer_id))
        return PlannedRun(
            self._day,
            number,
            start.time_ns,
            agent,
            _version(agent, concerning, start.time_ns, rng),
            model,
            conversation.environment,
            conversation.customer_id,
            conversation.user_id,
            conversation.conversation_id,
            rng.randrange(WORKERS),
            concerning,
        )

    def _drawn_agent(self, going_on: Sequence[Incident]) -> Agent:
        silent = {one.agent for one in going_on if one.kind == "silence"}
        while True:
            agent = AGENTS[min(bisect(_AGENT_SHARES, self._rng.random()), len(AGENTS) - 1)]
            if agent.name not in silent:
                return agent

    def _conversation(self, agent: Agent, start: _Start) -> _Conversation:
        rng = self._rng
        recent = self._open.setdefault(agent.name, [])
        if start.customer < 0 and recent and rng.random() < agent.follow_up_share:
            index = rng.randrange(len(recent))
            known = recent[index]
            if start.time_ns - known.last_ns < _LONGEST_PAUSE_NS:
                recent[index] = known._replace(last_ns=start.time_ns)
                return known
        rank = start.customer if start.customer >= 0 else bisect(CUSTOMER_WEIGHTS, rng.random() * CUSTOMER_WEIGHTS[-1])
        customer = CUSTOMERS[min(rank, len(CUSTOMERS) - 1)]
        new = _Conversation(
            f"conv-{rng.getrandbits(64):016x}" if agent.follow_up_share else "",
            customer.customer_id,
            f"{customer.customer_id}-user-{rng.randrange(customer.users) + 1}",
            "production" if rng.random() < _PRODUCTION_SHARE else "staging",
            start.time_ns,
        )
        if agent.follow_up_share:
            recent.append(new)
            del recent[:-8]
        return new


def _agent(name: str) -> Agent:
    return next(agent for agent in AGENTS if agent.name == name)


def _customer(customer_id: str) -> int:
    return next(index for index, customer in enumerate(CUSTOMERS) if customer.customer_id == customer_id)


def _concerns(incident: Incident, agent: Agent, model: Model, customer_id: str) -> bool:
    return (
        incident.agent in {"", agent.name}
        and incident.model in {"", model.name}
        and incident.customer in {"", customer_id}
    )


def _version(agent: Agent, incidents: Sequence[Incident], start_ns: int, rng: Random) -> str:
    for one in incidents:
        if one.kind == "release" and rng.random() * _ROLL_OUT_NS < start_ns - one.from_ns:
            return one.version
    return agent.version
