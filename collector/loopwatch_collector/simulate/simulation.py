"""A simulation: a fleet over some days, as requests and as the truth about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any

from loopwatch_collector.simulate.behaviour import play
from loopwatch_collector.simulate.facts import RunFacts
from loopwatch_collector.simulate.incidents import KINDS, Incident, plan
from loopwatch_collector.simulate.requests import SimulatedRequest, requests
from loopwatch_collector.simulate.rhythm import DAY_NS
from loopwatch_collector.simulate.schedule import schedule
from loopwatch_collector.simulate.truth import Truth

SPANS_PER_REQUEST = 512
_SAMPLED_RUNS = 1500


@dataclass(frozen=True)
class Simulation:
    """What is to be simulated. The same values give the same spans.

    Attributes:
        first_day_ns: the first day's midnight in UTC, ns since the epoch.
        days: how many days.
        runs: how many runs, not counting those within others.
        seed: names the fleet's fate.
        has_content: whether messages, arguments and results are sent; everything else is the same without.
        incident_kinds: what goes wrong, of `incidents.KINDS`.
    """

    first_day_ns: int
    days: int
    runs: int
    seed: int = 1
    has_content: bool = False
    incident_kinds: tuple[str, ...] = KINDS

    @cached_property
    def incidents(self) -> tuple[Incident, ...]:
        """What goes wrong, on the calendar."""
        return plan(self.first_day_ns, self.days, self.incident_kinds)

    def facts(self) -> Iterator[RunFacts]:
        """Plays every run, in the order of their starts."""
        planned = schedule(self.seed, self.first_day_ns, self.days, self.runs, self.incidents)
        return (play(self.seed, one) for one in planned)

    def requests(
        self, truth: Truth | None = None, spans_per_request: int = SPANS_PER_REQUEST
    ) -> Iterator[SimulatedRequest]:
        """Writes every run as OTLP.

        Args:
            truth: counts what was written, if given.
            spans_per_request: how many spans a request holds.

        Returns:
            The requests, by the time at which their runs started.
        """
        runs = self.facts() if truth is None else truth.watch(self.facts())
        return requests(self.seed, runs, spans_per_request, has_content=self.has_content)

    def document(self, truth: Truth) -> dict[str, Any]:
        """Returns what is to be kept beside the data: see `Truth.document`."""
        return truth.document(
            self.incidents,
            first_day=datetime.fromtimestamp(self.first_day_ns / 1e9, UTC).strftime("%Y-%m-%d"),
            days=self.days,
            runs=self.runs,
            seed=self.seed,
            has_content=self.has_content,
        )


def runs_for(spans: int, seed: int, incident_kinds: tuple[str, ...] = KINDS) -> int:
    """Returns how many runs make about so many spans: a sample says how many a run has.

    Args:
        spans: how many spans are wanted.
        seed: the fleet's.
        incident_kinds: what goes wrong.
    """
    sample = Simulation(20_000 * DAY_NS, 7, _SAMPLED_RUNS, seed, incident_kinds=incident_kinds)
    truth = Truth()
    for _ in islice(truth.watch(sample.facts()), _SAMPLED_RUNS):
        pass
    return max(1, round(spans * _SAMPLED_RUNS / truth.totals["spans"]))
