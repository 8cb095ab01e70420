"""A simulated fleet in memory that answers the queries of the delivered rules as the store would.

A year of evaluations through the engine would take hours; this answers each range from sorted times and running
sums. tests/integration/collector/alerts/test_fleet.py holds it to the store's own answers.
"""

import math
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from statistics import median, quantiles

from loopwatch_collector.alerts.conditions import Group, Values
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.simulate.facts import ModelCallFacts, RunFacts

_ATTO = 10**18
_MOST_DEAR_RUNS = 50


class Series:
    """Events with numbers, in the order they are added, summed over any range of time."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._times = array("q")
        self._columns = [array("d") for _ in names]
        self._sums: list[array[float]] = []

    def add(self, at_ns: int, *numbers: float) -> None:
        self._times.append(at_ns)
        for column, number in zip(self._columns, numbers, strict=True):
            column.append(number)

    def _arrange(self) -> None:
        """Sorts by time, once, after the last event was added."""
        order = sorted(range(len(self._times)), key=self._times.__getitem__)
        self._times = array("q", [self._times[place] for place in order])
        self._columns = [array("d", [column[place] for place in order]) for column in self._columns]
        self._sums = [array("d", accumulate(column, initial=0.0)) for column in self._columns]

    def _places(self, stretch: Range) -> tuple[int, int]:
        if not self._sums:
            self._arrange()
        return bisect_left(self._times, stretch.from_ns), bisect_left(self._times, stretch.to_ns)

    def over(self, stretch: Range) -> dict[str, float | None] | None:
        """The sums over a range by name; None when there was no event."""
        start, end = self._places(stretch)
        if start == end:
            return None
        return {name: sums[end] - sums[start] for name, sums in zip(self._names, self._sums, strict=True)}

    def values(self, stretch: Range, place: int) -> list[float]:
        """One of the numbers of each event in a range."""
        start, end = self._places(stretch)
        return list(self._columns[place][start:end])


Table = dict[Group, Series]
_SPEND = ("cost_usd", "unpriced_tokens", "cost_square", "runs")
_OUTCOMES = ("runs", "ended", "escalated", "failed", "capped", "at_cap", "looping", "duration_ns")
_CALLS = ("calls", "errors", "runs", "failing_runs")


class Fleet:
    """What a simulated fleet did.

    Args:
        runs: every run.
        rate: how many real runs each simulated one stands for in cost.
    """

    def __init__(self, runs: Iterable[RunFacts], rate: float = 1.0) -> None:
        self._pricer = Pricer()
        self._rate = rate
        self.spend: dict[str, Table] = {"all": {}, "agent": {}, "customer": {}, "model": {}}
        self.outcomes: dict[str, Table] = {"all": {}, "agent": {}}
        self.tools: Table = {}
        self.tool_durations: Table = {}
        self.dear_runs: Table = {}
        self.runs = 0
        for run in runs:
            self._add(run)

    def _add(self, run: RunFacts) -> None:
        self.runs += 1
        iterations = run.iterations if run.is_finished else run.iterations[:-1]
        self._add_outcome(run, len(iterations))
        self._add_spend(run, [iteration.model_call for iteration in iterations])
        tools: dict[str, list[bool]] = {}
        started_ns = run.planned.start_ns
        for iteration in iterations:
            for call in iteration.tool_calls:
                tools.setdefault(call.tool, []).append(call.outcome == "error")
                durations = self.tool_durations.setdefault(call.tool, Series(("calls", "duration_ns")))
                durations.add(started_ns, 1, call.end_ns - call.start_ns)
                if call.child is not None:
                    self._add(call.child)
        for tool, errors in tools.items():
            numbers = (len(errors), sum(errors), 1, sum(errors) / len(errors))
            self.tools.setdefault(tool, Series(_CALLS)).add(started_ns, *numbers)

    def _add_outcome(self, run: RunFacts, iterations: int) -> None:
        cap = run.planned.agent.cap
        looping = any(call.loop for one in run.iterations for call in one.tool_calls)
        ended = run.is_finished
        numbers = (
            1,
            ended,
            ended and run.outcome == "escalated",
            ended and run.outcome == "failed",
            ended and cap > 0,
            ended and cap > 0 and iterations >= cap,
            looping,
            run.end_ns - run.planned.start_ns if ended else 0,
        )
        for dimension, group in (("all", ""), ("agent", run.planned.agent.name)):
            self.outcomes[dimension].setdefault(group, Series(_OUTCOMES)).add(run.planned.start_ns, *numbers)

    def _add_spend(self, run: RunFacts, calls: list[ModelCallFacts]) -> None:
        """Adds calls at their own times; a run's squared cost stands at its first call, as if it were short."""
        planned = run.planned
        run_cost: dict[str, float] = {}
        for call in calls:
            run_cost[call.model.name] = run_cost.get(call.model.name, 0.0) + (self._cost(call) or 0.0) * self._rate
        total = sum(run_cost.values())
        for number, call in enumerate(calls):
            cost = self._cost(call)
            unpriced = 0 if cost is not None else call.input_tokens + call.output_tokens
            numbers = ((cost or 0.0) * self._rate, unpriced, 0.0 if number else total**2, not number)
            groups = {"all": "", "agent": planned.agent.name, "customer": planned.customer_id, "model": call.model.name}
            for dimension, group in groups.items():
                self.spend[dimension].setdefault(group, Series(_SPEND)).add(call.start_ns, *numbers)
        if calls:
            self.dear_runs.setdefault(f"{run.run:032x}", Series(_SPEND)).add(calls[0].start_ns, total, 0, 0, 1)

    def _cost(self, call: ModelCallFacts) -> float | None:
        rates = self._pricer.rates(call.model.provider, call.model.name, "", call.start_ns)
        if rates is None:
            return None
        tier = rates.for_input(call.input_tokens)
        written = call.cache_write_tokens if call.model.writes_cache else 0
        fresh = max(call.input_tokens - call.cache_read_tokens - written, 0)
        reasoning = min(call.reasoning_tokens, call.output_tokens)
        atto = fresh * tier.input + call.cache_read_tokens * tier.cache_read + written * tier.cache_write_5m
        atto += (call.output_tokens - reasoning) * tier.output + reasoning * tier.reasoning
        return atto / _ATTO

    def reader(self, rule: Rule) -> Callable[[Range], Mapping[Group, Values]]:
        """Answers a rule's query for ranges."""
        dimension = rule.params.get("dimension", "")
        if rule.query == "spend_by":
            return lambda stretch: _with_noise(_over(self.spend[dimension], stretch))
        if rule.query == "spend_top_runs":
            return lambda stretch: _over(self._dear_runs(), stretch)
        if rule.query == "tool_reliability":
            return lambda stretch: _over(self.tools, stretch)
        if rule.query == "tool_summary":
            return self._tool_summary
        if rule.query == "outcomes_by":
            return lambda stretch: self._outcomes(dimension, stretch)
        raise KeyError(rule.query)

    def _tool_summary(self, stretch: Range) -> dict[Group, Values]:
        rows = _over(self.tool_durations, stretch)
        for tool, values in rows.items():
            values["p50_duration_ns"] = median(self.tool_durations[tool].values(stretch, 1))
        return rows  # pyright: ignore[reportReturnType]  # a dict of dicts is a mapping of mappings

    def _dear_runs(self) -> Table:
        """Only runs that can be of interest to a rule on single runs: a table of all of them would be slow."""
        if len(self.dear_runs) > _MOST_DEAR_RUNS:
            ever = Range(0, 2**62)
            by_cost = sorted(self.dear_runs, key=lambda run: -((self.dear_runs[run].over(ever) or {})["cost_usd"] or 0))
            self.dear_runs = {run: self.dear_runs[run] for run in by_cost[:_MOST_DEAR_RUNS]}
        return self.dear_runs

    def _outcomes(self, dimension: str, stretch: Range) -> dict[Group, Values]:
        table = self.outcomes[dimension]
        rows = _over(table, stretch)
        for group, values in rows.items():
            durations = [value for value in table[group].values(stretch, _OUTCOMES.index("duration_ns")) if value]
            values["p95_duration_ns"] = _p95(durations)
        return rows  # pyright: ignore[reportReturnType]  # a dict of dicts is a mapping of mappings


def _over(table: Table, stretch: Range) -> dict[Group, dict[str, float | None]]:
    found = ((group, series.over(stretch)) for group, series in table.items())
    return {group: values for group, values in found if values is not None}


def _with_noise(rows: dict[Group, dict[str, float | None]]) -> dict[Group, dict[str, float | None]]:
    for row in rows.values():
        row["cost_noise_usd"] = math.sqrt(max(row["cost_square"] or 0.0, 0.0))
        if row["runs"]:
            row["cost_per_run_usd"] = (row["cost_usd"] or 0.0) / row["runs"]
            row["cost_per_run_noise_usd"] = row["cost_noise_usd"] / row["runs"]
    return rows


def _p95(durations: list[float]) -> float | None:
    if len(durations) < 2:
        return durations[0] if durations else None
    return quantiles(durations, n=20, method="inclusive")[18]


def seconds_since(started: float) -> float:
    """Wall time."""
    return time.perf_counter() - started
