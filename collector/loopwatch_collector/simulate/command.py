"""`loopwatch simulate`: the runs of a fleet that never was, sent to a collector or written to files."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tqdm import tqdm

from loopwatch_collector.counted import counted
from loopwatch_collector.importing.errors import ImportFailed
from loopwatch_collector.importing.sender import Sender
from loopwatch_collector.simulate import delivery
from loopwatch_collector.simulate.incidents import KINDS
from loopwatch_collector.simulate.requests import SimulatedRequest
from loopwatch_collector.simulate.rhythm import DAY_NS
from loopwatch_collector.simulate.simulation import SPANS_PER_REQUEST, Simulation, runs_for
from loopwatch_collector.simulate.truth import Truth

_DEFAULT_RUNS = 2000
_EPOCH = date(1970, 1, 1)


def main(argv: list[str]) -> int:
    """Simulates one fleet.

    Args:
        argv: the words after `loopwatch simulate`.

    Returns:
        0 when everything is where it should be, 1 when something stopped it (a sentence on stderr says what).
    """
    arguments = _parser().parse_args(argv)
    try:
        _simulate(arguments)
    except ImportFailed as failure:
        sys.stderr.write(f"loopwatch simulate: {failure}\n")
        return 1
    except OSError as failure:
        sys.stderr.write(f"loopwatch simulate: {failure.filename or arguments.out}: {failure.strerror}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loopwatch simulate",
        description="Send, or write, the seeded runs of a fleet of agents, and the truth about what is in them.",
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--runs", type=_positive, help=f"how many runs (default: {_DEFAULT_RUNS})")
    size.add_argument("--spans", type=_positive, help="about how many spans instead; a run has about 20")
    parser.add_argument("--days", type=_positive, default=7, help="over how many whole days in UTC (default: 7)")
    parser.add_argument("--end", type=_date, metavar="DATE", help="the day after the last one (default: today)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same spans (default: 1)")
    parser.add_argument(
        "--content",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="messages, arguments and results too; all else stays the same",
    )
    parser.add_argument(
        "--incidents",
        type=_incidents,
        default=KINDS,
        metavar="KINDS",
        help=f"what goes wrong: all (default), none, or some of {','.join(KINDS)}",
    )
    parser.add_argument("--endpoint", help="the collector to send to (default without --out: LOOPWATCH_ENDPOINT)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="a folder for the request bodies and truth.json")
    parser.add_argument("--gzip", action="store_true", help="gzip the bodies in --out")
    parser.add_argument(
        "--truth", type=Path, metavar="FILE", help="where the truth goes (default: truth.json in --out)"
    )
    parser.add_argument(
        "--spans-per-request", type=_positive, default=SPANS_PER_REQUEST, help=f"(default: {SPANS_PER_REQUEST})"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as 2026-01-31") from None


def _incidents(text: str) -> tuple[str, ...]:
    if text in {"all", "none"}:
        return KINDS if text == "all" else ()
    chosen = tuple(text.split(","))
    unknown = [kind for kind in chosen if kind not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no incident {unknown[0]!r}; choose from {', '.join(KINDS)}")
    return chosen


def _simulate(arguments: argparse.Namespace) -> None:
    simulation, truth = _simulation(arguments), Truth()
    requests = simulation.requests(truth, arguments.spans_per_request)
    began = time.monotonic()
    spans = _deliver(requests, arguments, simulation)
    seconds = time.monotonic() - began
    truth_file = arguments.truth or (arguments.out and arguments.out / "truth.json")
    if truth_file:
        delivery.write_truth(simulation.document(truth), truth_file)
    made = f"{counted(truth.totals['runs'], 'run')}, {counted(spans, 'span')}"
    sys.stdout.write(f"{made} in {seconds:.1f} s, {spans / seconds:.0f} spans/s\n")


def _simulation(arguments: argparse.Namespace) -> Simulation:
    end = arguments.end or datetime.now(UTC).date()
    first_day = (end - timedelta(days=arguments.days) - _EPOCH).days
    runs = arguments.runs or _DEFAULT_RUNS
    if arguments.spans:
        runs = runs_for(arguments.spans, arguments.seed, arguments.incidents)
    return Simulation(
        first_day * DAY_NS, arguments.days, runs, arguments.seed, arguments.content, tuple(arguments.incidents)
    )


def _deliver(requests: Iterator[SimulatedRequest], arguments: argparse.Namespace, simulation: Simulation) -> int:
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        requests = delivery.write_files(requests, arguments.out, compress=arguments.gzip)
    if arguments.endpoint or not arguments.out:
        endpoint = arguments.endpoint or os.environ.get("LOOPWATCH_ENDPOINT", "http://127.0.0.1:4318")
        requests = delivery.send(requests, Sender(endpoint, os.environ.get("LOOPWATCH_API_KEY", "")))
    spans = 0
    with tqdm(desc="simulating", unit=" spans", unit_scale=True, disable=arguments.quiet) as progress:
        for request in requests:
            spans += request.spans
            progress.update(request.spans)
    return spans
