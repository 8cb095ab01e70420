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
from loopwatch_collector.simulate.facts import ModelCallFacts, RunFacts, ToolCallFacts
from loopwatch_collector.simulate.rhythm import DAY_NS

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

    def first_ns(self, stretch: Range) -> int:
        """When the first event of a range was; the range's end when there was none."""
        start, end = self._places(stretch)
        return self._times[start] if start < end else stretch.to_ns

    def values(self, stretch: Range, place: int) -> list[float]:
        """One of the numbers of each event in a range."""
        start, end = self._places(stretch)
        return list(self._columns[place][start:end])


Table = dict[Group, Series]
_SPEND = ("cost_usd", "unpriced_tokens", "cost_square", "runs", "model_calls", "input_tokens", "cache_read_tokens")
_OUTCOMES = ("runs", "ended", "escalated", "failed", "capped", "at_cap", "looping", "duration_ns")
_CALLS = ("calls", "errors", "runs", "failing_runs", "duration_ns")
_MOMENTS = ("runs", "iterations", "iterations_square", "cost", "cost_square", "completed")
_Z = 3.2905  # of releases.sql
_LEAST_RUNS = 20


class Fleet:
    """What a simulated fleet did.

    Args:
        runs: every run.
        rate: how many real runs each simulated one stands for in cost.
        version_of: tells a run's version; None for the simulation's.
    """

    def __init__(
        self, runs: Iterable[RunFacts], rate: float = 1.0, version_of: Callable[[RunFacts], str] | None = None
    ) -> None:
        self._pricer = Pricer()
        self._rate = rate
        self._version_of = version_of or (lambda run: run.planned.version)
        self.spend: dict[str, Table] = {"all": {}, "agent": {}, "customer": {}, "model": {}}
        self.outcomes: dict[str, Table] = {"all": {}, "agent": {}}
        self.tools: Table = {}
        self.dear_runs: Table = {}
        self.versions: dict[str, dict[str, Series]] = {}
        self.runs = 0
        for run in runs:
            self._add(run)

    def _add(self, run: RunFacts) -> None:
        self.runs += 1
        iterations = run.iterations if run.is_finished else run.iterations[:-1]
        self._add_outcome(run, len(iterations))
        cost = self._add_spend(run, [iteration.model_call for iteration in iterations])
        self._add_version(run, len(iterations), cost)
        tools: dict[str, list[ToolCallFacts]] = {}
        for iteration in iterations:
            for call in iteration.tool_calls:
                tools.setdefault(call.tool, []).append(call)
                if call.child is not None:
                    self._add(call.child)
        for tool, calls in tools.items():
            errors = sum(call.outcome == "error" for call in calls)
            duration_ns = median(call.end_ns - call.start_ns for call in calls)
            numbers = (len(calls), errors, 1, errors / len(calls), duration_ns)
            self.tools.setdefault(tool, Series(_CALLS)).add(run.planned.start_ns, *numbers)

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

    def _add_version(self, run: RunFacts, iterations: int, cost: float) -> None:
        ended = run.is_finished
        numbers = (1, iterations, iterations**2, cost, cost**2, run.outcome == "completed")
        versions = self.versions.setdefault(run.planned.agent.name, {})
        series = versions.setdefault(self._version_of(run), Series(_MOMENTS))
        series.add(run.planned.start_ns, *(number * ended for number in numbers))

    def _add_spend(self, run: RunFacts, calls: list[ModelCallFacts]) -> float:
        """Adds calls at their own times; a run's squared cost stands at its first call, as if it were short."""
        planned = run.planned
        run_cost: dict[str, float] = {}
        for call in calls:
            run_cost[call.model.name] = run_cost.get(call.model.name, 0.0) + (self._cost(call) or 0.0) * self._rate
        total = sum(run_cost.values())
        for number, call in enumerate(calls):
            cost = self._cost(call)
            unpriced = 0 if cost is not None else call.input_tokens + call.output_tokens
            numbers = (
                (cost or 0.0) * self._rate,
                unpriced,
                0.0 if number else total**2,
                not number,
                1,
                call.input_tokens,
                call.cache_read_tokens,
            )
            groups = {"all": "", "agent": planned.agent.name, "customer": planned.customer_id, "model": call.model.name}
            for dimension, group in groups.items():
                self.spend[dimension].setdefault(group, Series(_SPEND)).add(call.start_ns, *numbers)
        if calls:
            self.dear_runs.setdefault(f"{run.run:032x}", Series(("cost_usd",))).add(calls[0].start_ns, total)
        return total

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
            return self._tool_reliability
        if rule.query == "releases":
            return self._releases
        if rule.query == "outcomes_by":
            return lambda stretch: self._outcomes(dimension, stretch)
        raise KeyError(rule.query)

    def _tool_reliability(self, stretch: Range) -> dict[Group, Values]:
        rows = _over(self.tools, stretch)
        for tool, values in rows.items():
            durations = sorted(self.tools[tool].values(stretch, _CALLS.index("duration_ns")))
            runs = len(durations)
            margin = math.sqrt(runs)
            high = durations[min(runs, math.ceil((runs + margin) / 2)) - 1]
            low = durations[max(1, math.ceil((runs - margin) / 2)) - 1]
            values["p50_duration_ns"] = (durations[(runs - 1) // 2] + durations[runs // 2]) / 2
            values["p50_noise_ns"] = (high - low) / 2
        return rows  # pyright: ignore[reportReturnType]  # a dict of dicts is a mapping of mappings

    def _releases(self, stretch: Range) -> dict[Group, Values]:
        rows: dict[Group, Values] = {}
        before = Range(stretch.from_ns - 14 * DAY_NS, stretch.to_ns)
        for agent, versions in self.versions.items():
            lasting = {name: (series.first_ns(before), series.over(before)) for name, series in versions.items()}
            known = {name: (first, sums) for name, (first, sums) in lasting.items() if sums and first < stretch.from_ns}
            total = sum(sums["runs"] or 0 for _, sums in known.values())
            olds = [(first, sums) for first, sums in known.values() if (sums["runs"] or 0) * 10 >= total]
            if not olds:
                continue
            old = max(olds, key=lambda entry: entry[0])[1]
            for name, (_, sums) in lasting.items():
                if sums and name not in known:
                    rows[f"{agent} {name}"] = _compared(old, sums)
        return rows

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


def _compared(old: Values, new: Values) -> Values:
    """What releases.sql says of a version and the one before it."""
    found: dict[str, float | None] = {"runs": new["runs"], "previous_runs": old["runs"]}
    if min(old["runs"] or 0, new["runs"] or 0) < _LEAST_RUNS:
        return {**found, "more_iterations": None, "more_cost": None, "fewer_completed": None}
    for name, column in (("more_iterations", "iterations"), ("more_cost", "cost")):
        (old_mean, old_error), (new_mean, new_error) = (_mean(one, column) for one in (old, new))
        least = new_mean - old_mean - _Z * math.hypot(old_error, new_error)
        found[name] = least / old_mean if old_mean > 0 else None
    (share, low, _), (new_share, _, high) = (_wilson(one) for one in (old, new))
    found["fewer_completed"] = share - new_share - math.hypot(share - low, high - new_share)
    return found


def _mean(sums: Values, column: str) -> tuple[float, float]:
    runs, total, square = (sums[name] or 0.0 for name in ("runs", column, f"{column}_square"))
    mean = total / runs
    return mean, math.sqrt(max(square - runs * mean**2, 0.0) / (runs - 1) / runs)


def _wilson(sums: Values) -> tuple[float, float, float]:
    runs, completed = sums["runs"] or 0.0, sums["completed"] or 0.0
    share = completed / runs
    centre, width = share + _Z**2 / (2 * runs), _Z * math.sqrt(share * (1 - share) / runs + _Z**2 / (4 * runs**2))
    scale = 1 + _Z**2 / runs
    return share, (centre - width) / scale, (centre + width) / scale


def _with_noise(rows: dict[Group, dict[str, float | None]]) -> dict[Group, dict[str, float | None]]:
    for row in rows.values():
        row["cost_noise_usd"] = math.sqrt(max(row["cost_square"] or 0.0, 0.0))
        if row["runs"]:
            row["cost_per_run_usd"] = (row["cost_usd"] or 0.0) / row["runs"]
            row["cost_per_run_noise_usd"] = row["cost_noise_usd"] / row["runs"]
        input_tokens = row["input_tokens"]
        row["uncached_share"] = 1 - (row["cache_read_tokens"] or 0.0) / input_tokens if input_tokens else None
    return rows


def _p95(durations: list[float]) -> float | None:
    if len(durations) < 2:
        return durations[0] if durations else None
    return quantiles(durations, n=20, method="inclusive")[18]


def seconds_since(started: float) -> float:
    """Wall time."""
    return time.perf_counter() - started
