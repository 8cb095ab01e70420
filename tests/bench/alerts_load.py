"""What 200 rules cost on ten million spans: the share of a core while data comes.

    python -m tests.bench.alerts_load [--spans 10000000] [--rules 200] [--seconds 60] [--dsn chdb:///path]

With --dsn an existing store is measured; otherwise ten million spans over 30 days are made in the engine.
"""

import argparse
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loopwatch_collector.alerts.engine import AlertEngine
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.store.store import Store
from tests.bench.alerts_spans import put_call

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


def fill(store: Store, spans: int) -> None:
    """Makes spans in the engine, a day at a time up to today, and derives the runs they belong to."""
    runs = spans // _SPANS_PER_RUN // _DAYS
    today = datetime.now(UTC).date()
    for ago in range(_DAYS):
        day = today - timedelta(days=ago)
        store.connection().run(_FILL, {"project": "default", "day": day, "runs": runs})
        extents = store.connection().rows(_EXTENTS, {"day": day})
        store.refresh_runs([("default", run_id, first, last) for run_id, first, last in extents])


def measure(store: Store, rules: int, seconds: float) -> None:
    """Runs the engine while a span a second comes; prints the CPU it takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.toml"
        path.write_text(rules_text(rules))
        metrics = Metrics()
        engine = AlertEngine(store, metrics, ["default"], path)
        engine.start()
        time.sleep(20)  # the first evaluation of every rule, and what is kept of the past
        stopping = threading.Event()
        sender = threading.Thread(target=_keep_sending, args=(store, stopping))
        sender.start()
        evaluations, started, cpu = _evaluations(metrics), time.monotonic(), time.process_time()
        time.sleep(seconds)
        wall, used, done = (
            time.monotonic() - started,
            time.process_time() - cpu,
            _evaluations(metrics) - evaluations,
        )
        stopping.set()
        sender.join()
        engine.stop(10)
    print(f"{rules} rules and the delivered ones, a new span every second: {used / wall:.1%} of a core (at most 20 %)")
    print(
        f"  {done:.0f} evaluations in {wall:.0f} s, {used / max(done, 1) * 1000:.1f} ms of CPU each, inserts included"
    )


def _keep_sending(store: Store, stopping: threading.Event) -> None:
    while not stopping.wait(1.0):
        put_call(store, "customer-1", 0.01)


def _evaluations(metrics: Metrics) -> float:
    samples = [sample for metric in metrics.rule_evaluations.collect() for sample in metric.samples]
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


def main(argv: list[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--dsn")
    options = parser.parse_args(argv or [])
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(options.dsn or f"chdb://{folder}/store")
        if not options.dsn:
            started = time.monotonic()
            fill(store, options.spans)
            print(f"{options.spans:,} spans over {_DAYS} days made in {time.monotonic() - started:.0f} s")
        measure(store, options.rules, options.seconds)
        store.close()


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
