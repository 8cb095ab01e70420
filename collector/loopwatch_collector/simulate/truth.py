"""What is in simulated data, counted from the facts and not from the spans: what tests compare answers with."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from loopwatch_collector.simulate.agents import AGENTS
from loopwatch_collector.simulate.facts import RunFacts
from loopwatch_collector.simulate.incidents import Incident
from loopwatch_collector.simulate.rhythm import DAY_NS

_MODEL_NUMBERS = (
    "calls",
    "failed_calls",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


class Truth:
    """Counts of the runs seen so far.

    Of a run whose process was killed only what was sent is counted: neither its last iteration nor the run's end.
    """

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()
        self.by_day: dict[int, Counter[str]] = {}
        self.by_agent: dict[str, Counter[str]] = {}
        self.by_customer: dict[str, Counter[str]] = {}
        self.by_model: dict[str, list[int]] = {}
        self.by_tool: dict[str, list[int]] = {}
        self.iterations: dict[str, Counter[int]] = {}
        self._conversations: set[str] = set()

    def watch(self, runs: Iterable[RunFacts]) -> Iterator[RunFacts]:
        """Counts each run as it passes."""
        for run in runs:
            self._count(run)
            yield run

    def _count(self, run: RunFacts) -> None:
        planned = run.planned
        counted = self._counts(run)
        self.totals.update(counted)
        groups = (
            (self.by_day, planned.start_ns // DAY_NS),
            (self.by_agent, planned.agent.name),
            (self.by_customer, planned.customer_id),
        )
        for table, key in groups:
            table.setdefault(key, Counter()).update(counted)  # type: ignore[arg-type, call-overload]  # each table has its own type of key
        self.iterations.setdefault(planned.agent.name, Counter())[counted["iterations"]] += 1
        if planned.conversation_id:
            self._conversations.add(planned.conversation_id)

    def _counts(self, run: RunFacts) -> dict[str, int]:
        iterations = run.iterations if run.is_finished else run.iterations[:-1]
        spans = len(iterations) * 2 + run.is_finished
        tokens_in = tokens_out = tool_calls = errors = not_found = retries = 0
        counts: dict[str, int] = {}
        phase = run.planned.agent.phase
        spans += phase == "plan" and bool(iterations)
        for iteration in iterations:
            call = iteration.model_call
            tokens_in += call.input_tokens
            tokens_out += call.output_tokens
            self._count_model_call(call)
            retries += call.resends
            if not iteration.tool_calls:
                continue
            spans += len(iteration.tool_calls) + (phase not in {"", "plan"})
            for tool_call in iteration.tool_calls:
                numbers = self.by_tool.setdefault(tool_call.tool, [0, 0, 0])
                tool_calls += 1
                numbers[0] += 1
                if tool_call.outcome == "error":
                    errors += 1
                    numbers[1] += 1
                elif tool_call.outcome == "not_found":
                    not_found += 1
                    numbers[2] += 1
                if tool_call.loop:
                    counts[f"loops_{tool_call.loop}"] = counts.get(f"loops_{tool_call.loop}", 0) + 1
                if tool_call.child is not None:
                    self._count(tool_call.child)
        counts[run.outcome if run.is_finished else "unfinished"] = 1
        if run.is_finished and run.limit is not None:
            counts[f"limit_{run.limit[0]}"] = 1
        if run.is_finished and run.decision is not None:
            counts["decisions"] = 1
            counts["verdicts"] = run.decision.verdict is not None
        return counts | {
            "runs": 1,
            "spans": spans,
            "iterations": len(iterations),
            "model_calls": len(iterations),
            "tool_calls": tool_calls,
            "tool_errors": errors,
            "tool_not_found": not_found,
            "model_resends": retries,
            "input_tokens": tokens_in,
            "output_tokens": tokens_out,
        }

    def _count_model_call(self, call: Any) -> None:
        numbers = self.by_model.setdefault(call.model.name, [0] * len(_MODEL_NUMBERS))
        numbers[0] += 1
        numbers[1] += bool(call.error_type)
        numbers[2] += call.input_tokens
        numbers[3] += call.cache_read_tokens
        numbers[4] += call.cache_write_tokens
        numbers[5] += call.output_tokens
        numbers[6] += call.reasoning_tokens

    def document(self, incidents: Sequence[Incident], **settings: object) -> dict[str, Any]:
        """Returns the truth as plain data.

        Args:
            incidents: what was put in.
            **settings: what the fleet was made with.

        Returns:
            Settings, incidents (times ISO 8601 in UTC), and exact counts: in all, by day, agent, customer, model and
            tool, and how many runs of each agent had how many iterations. Tokens add up over the model calls; an
            input count includes cached tokens.
        """
        called = set(self.by_tool)
        return {
            "settings": settings,
            "incidents": [_dated(incident) for incident in incidents],
            "totals": dict(sorted(self.totals.items())) | {"conversations": len(self._conversations)},
            "by_day": {_day(day): dict(numbers) for day, numbers in sorted(self.by_day.items())},
            "by_agent": {name: dict(numbers) for name, numbers in sorted(self.by_agent.items())},
            "by_customer": {name: dict(numbers) for name, numbers in sorted(self.by_customer.items())},
            "by_model": {
                name: dict(zip(_MODEL_NUMBERS, numbers, strict=True)) for name, numbers in sorted(self.by_model.items())
            },
            "by_tool": {
                name: dict(zip(("calls", "errors", "not_found"), numbers, strict=True))
                for name, numbers in sorted(self.by_tool.items())
            },
            "iterations": {
                name: {str(number): runs for number, runs in sorted(counted.items())}
                for name, counted in sorted(self.iterations.items())
            },
            "never_called": {
                agent.name: [tool.name for tool in agent.tools if tool.name not in called] for agent in AGENTS
            },
        }


def _dated(incident: Incident) -> dict[str, Any]:
    fields = asdict(incident)
    times = {"from": _iso(fields.pop("from_ns")), "to": _iso(fields.pop("to_ns"))}
    return {"kind": fields.pop("kind"), **times, **{name: value for name, value in fields.items() if value != ""}}


def _iso(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(day: int) -> str:
    return _iso(day * DAY_NS)[:10]
