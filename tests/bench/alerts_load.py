"""What 200 rules cost on ten million spans: the share of a core while data comes.

    python -m tests.bench.alerts_load [--spans 10000000] [--rules 200] [--seconds 60] [--dsn chdb:///path] [--of KIND]

With --dsn an existing store is measured; otherwise ten million spans over 30 days are made in the engine. While it is
measured spans come at the rate at which such a store fills, four a second, from customers as unequal as those in it.
Three kinds of rules are measured one after the other: `none` but the delivered ones; `customers`, which differ in their
customer alone; `mixed`, whose filters, groups, values, conditions and intervals differ, one in five of a query that
can only be asked for one rule at a time. The delivered rules are on in each; beside the share with them stands that of
storing the spans alone, measured just before: what the rules cost is the difference.
"""

import argparse
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from loopwatch_collector.alerts.engine import AlertEngine
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.store.store import Store
from tests.bench.alerts_spans import put_calls

_DAYS = 30
_SPANS_PER_RUN = 36
_FILL = (Path(__file__).parent / "store_spans.sql").read_text(encoding="utf-8")
_EXTENTS = """
SELECT run_id, toUnixTimestamp64Nano(min(start_time)), toUnixTimestamp64Nano(max(start_time))
FROM spans WHERE project = 'default' AND toDate(start_time) = {day:Date} GROUP BY run_id
"""
_QUERIES = (
    ("spend_by", "customer", "cost_usd", "above = 1e6"),
    ("spend_by", "agent", "cost_usd", "above = 1e6"),
    ("spend_by", "model", "unpriced_tokens", "above = 1e12"),
    ("outcomes_by", "agent", "failed", ""),
    ("tool_reliability", "tool", "failing_runs", ""),
)
_WINDOWS = ("15m", "30m", "1h", "2h")


def rules_text(count: int) -> str:
    """So many rules over different queries, groups, windows and filters."""
    rules: list[str] = []
    for number in range(count):
        query, group, value, above = _QUERIES[number % len(_QUERIES)]
        window = _WINDOWS[number // len(_QUERIES) % len(_WINDOWS)]
        customer = f"customer-{number // (len(_QUERIES) * len(_WINDOWS))}"
        of = "ended" if query == "outcomes_by" else "runs"
        condition = f'kind = "threshold", {above}' if above else f'kind = "rate", of = ["{of}"], above = 0.99'
        rules.append(
            f'[[rule]]\nname = "rule-{number}"\ntitle = "Rule {number}"\nquery = "{query}"\ngroup_by = "{group}"\n'
            f'value = "{value}"\nwindow = "{window}"\nfilters = {{ customer = "{customer}" }}\n'
            f"condition = {{ {condition} }}\n"
        )
    return "\n".join(rules)


_MIXED_QUERIES = (
    ("spend_by", "customer", "cost_usd", 'kind = "threshold", above = 1e6'),
    ("outcomes_by", "agent", "escalated", 'kind = "rate", of = ["ended"], above = 0.99'),
    ("tool_reliability", "tool", "failing_runs", 'kind = "rate", of = ["runs"], above = 0.99'),
    ("latency", "tool", "p95_duration_ns", 'kind = "threshold", above = 1e15'),
    ("spend_by", "agent", "cost_per_run_usd", 'kind = "baseline", factor = 9.0, floor = 1e3, sample = "runs"'),
    ("spend_top_runs", "run_id", "cost_usd", 'kind = "threshold", above = 1e6'),
    ("outcomes_by", "customer", "p95_duration_ns", 'kind = "threshold", above = 1e15'),
    ("spend_by", "model", "tokens", 'kind = "threshold", above = 1e12'),
    ("escalations_by", "agent", "escalated", 'kind = "threshold", above = 1e9'),
    ("tool_reliability", "tool", "p50_duration_ns", 'kind = "threshold", above = 1e15'),
)
_MIXED_FILTERS = (
    *(f'customer = "customer-{number}"' for number in range(8)),
    *(f'agent = "{agent}"' for agent in ("resolver", "triage", "billing", "researcher")),
    'environment = "production"',
    'environment = "staging", agent = ["resolver", "triage"]',
    'model = "claude-opus-5-5"',
    'customer = ["customer-1", "customer-2"], environment = "production"',
    'version = "11"',
    "",
)
_MIXED_EVERY = ("15s", "15s", "30s")


def mixed_rules_text(count: int) -> str:
    """So many rules of ten kinds, each over four windows, whose filters are of every kind."""
    rules: list[str] = []
    for number in range(count):
        query, group, value, condition = _MIXED_QUERIES[number % len(_MIXED_QUERIES)]
        window = _WINDOWS[number // len(_MIXED_QUERIES) % len(_WINDOWS)]
        filters = _MIXED_FILTERS[number * 7 // len(_MIXED_QUERIES) % len(_MIXED_FILTERS)]
        rules.append(
            f'[[rule]]\nname = "mixed-{number}"\ntitle = "Rule {number}"\nquery = "{query}"\ngroup_by = "{group}"\n'
            f'value = "{value}"\nwindow = "{window}"\nfilters = {{ {filters} }}\n'
            f'every = "{_MIXED_EVERY[number % len(_MIXED_EVERY)]}"\ncondition = {{ {condition} }}\n'
        )
    return "\n".join(rules)


_KINDS = {"none": lambda _: "", "customers": rules_text, "mixed": mixed_rules_text}


def fill(store: Store, days: range, runs: int) -> None:
    """Makes the spans of days so long ago in the engine, and derives the runs they belong to."""
    today = datetime.now(UTC).date()
    for ago in days:
        day = today - timedelta(days=ago)
        store.connection().run(_FILL, {"project": "default", "day": day, "runs": runs})
        extents = store.connection().rows(_EXTENTS, {"day": day})
        store.refresh_runs([("default", run_id, first, last) for run_id, first, last in extents])


class Share(NamedTuple):
    """What storing takes of a core, alone and with rules of a kind, and how many times a minute those are evaluated."""

    kind: str
    rules: int
    storing: float
    in_all: float
    per_minute: float


def measure(store: Store, kind: str, rules: int, seconds: float, spans_per_s: float) -> Share:
    """Runs the engine while spans come; returns the CPU that takes, and that of storing them alone."""
    storing, _, _ = _while_spans_come(store, None, seconds / 2, spans_per_s)
    text = _KINDS[kind](rules)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.toml"
        path.write_text(text)
        metrics = Metrics()
        engine = AlertEngine(store, metrics, ["default"], path)
        engine.start()
        _wait_until_each_was_evaluated(engine)
        in_all, done, wall = _while_spans_come(store, metrics, seconds, spans_per_s)
        engine.stop(10)
    return Share(kind, text.count("[[rule]]"), storing, in_all, done / wall * 60)


def _line(share: Share) -> str:
    return (
        f"{share.kind:10} {share.rules:5} {share.storing:10.1%} {share.in_all:10.1%} "
        f"{share.in_all - share.storing:10.1%} {share.per_minute:12.0f}"
    )


def _wait_until_each_was_evaluated(engine: AlertEngine) -> None:
    deadline = time.monotonic() + 600
    while not (rules := engine.rulebook.current.rules_of("default")) or any(
        engine.status("default", name) is None for name in rules
    ):
        if time.monotonic() > deadline:
            raise TimeoutError("some rules were not evaluated within ten minutes")
        time.sleep(0.5)


def _while_spans_come(
    store: Store, metrics: Metrics | None, seconds: float, spans_per_s: float
) -> tuple[float, float, float]:
    """The share of a core this process takes meanwhile, the evaluations, and the seconds it lasted."""
    stopping = threading.Event()
    sender = threading.Thread(target=_keep_sending, args=(store, stopping, spans_per_s))
    sender.start()
    evaluations, started, cpu = _evaluations(metrics), time.monotonic(), time.process_time()
    time.sleep(seconds)
    wall, used = time.monotonic() - started, time.process_time() - cpu
    done = _evaluations(metrics) - evaluations
    stopping.set()
    sender.join()
    return used / wall, done, wall


def _keep_sending(store: Store, stopping: threading.Event, spans_per_s: float) -> None:
    """Stores a second's spans each second, of customers as unequal as those in the store."""
    random = Random(7)
    due = 0.0
    while not stopping.wait(1.0):
        due += spans_per_s
        put_calls(store, [f"customer-{int(random.random() ** 3 * 300)}" for _ in range(int(due))], 0.01)
        due -= int(due)


def _evaluations(metrics: Metrics | None) -> float:
    if metrics is None:
        return 0
    samples = [sample for metric in metrics.rule_evaluations.collect() for sample in metric.samples]
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


def main(argv: list[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--spans-per-second", type=float, default=4.0)
    parser.add_argument("--of", choices=list(_KINDS), help="one kind of rules, after none but the delivered ones")
    parser.add_argument("--dsn", help="a filled store, which is written to")
    options = parser.parse_args(argv or [])
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(options.dsn or f"chdb://{folder}/store")
        if not options.dsn:
            started = time.monotonic()
            fill(store, range(_DAYS), options.spans // _SPANS_PER_RUN // _DAYS)
            print(f"{options.spans:,} spans over {_DAYS} days made in {time.monotonic() - started:.0f} s")
        print(f"share of a core at {options.spans_per_second:g} spans/s (at most 20 % in all with 200 rules):")
        print(f"{'kind':10} {'rules':>5} {'no rules':>10} {'with rules':>10} {'the rules':>10} {'evaluations':>12}/min")
        for kind in ["none", options.of] if options.of else _KINDS:
            print(_line(measure(store, kind, options.rules, options.seconds, options.spans_per_second)), flush=True)
        store.close()


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
