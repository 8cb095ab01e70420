"""`loopwatch agent`: runs the reference agent, by default against the simulated Messages API."""

import argparse
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING

import loopwatch
from loopwatch_reference.errors import UsageError
from loopwatch_reference.execution import Report, work_on
from loopwatch_reference.messages_api.server import serving
from loopwatch_reference.messages_api.service import ServiceSettings
from loopwatch_reference.scenarios import SCENARIOS
from loopwatch_reference.workload import incidents

if TYPE_CHECKING:
    from anthropic import Anthropic

_DEFAULT_ENDPOINT = "http://127.0.0.1:4318"
_TOOL_CALL_S = 0.15


def main(argv: list[str]) -> int:
    """Runs `loopwatch agent ...`.

    Args:
        argv: the words after `agent`.

    Returns:
        0, or 1 when the user has to do something first.
    """
    options = _parser().parse_args(argv)
    try:
        _run(options)
    except UsageError as mistake:
        sys.stderr.write(f"loopwatch agent: {mistake}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loopwatch agent", description="Runs a reference agent.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="work on incidents", description="Scenarios: " + ", ".join(SCENARIOS))
    run.add_argument("--scenario", choices=sorted(SCENARIOS), metavar="NAME", help="always this one; default: a mix")
    run.add_argument("--runs", type=_positive, default=1, help="how many incidents (default 1)")
    run.add_argument("--seed", type=int, default=1, help="the same seed draws the same incidents (default 1)")
    run.add_argument("--model", help="always this model; default: a mix")
    run.add_argument("--live", action="store_true", help="use the real Messages API and ANTHROPIC_API_KEY")
    run.add_argument(
        "--endpoint", metavar="URL", help=f"the collector; default LOOPWATCH_ENDPOINT, {_DEFAULT_ENDPOINT}"
    )
    run.add_argument("--capture", action="store_true", help="record messages, arguments and results too")
    run.add_argument("--progress", action="store_true", help="print one line as each run ends")
    run.add_argument("--concurrency", type=_positive, default=4, help="runs at the same time (default 4)")
    run.add_argument(
        "--latency-scale", type=float, default=0.1, help="1: as slow as a real model; 0: at once (default 0.1)"
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


def _run(options: argparse.Namespace) -> None:
    endpoint = options.endpoint or os.environ.get("LOOPWATCH_ENDPOINT") or _DEFAULT_ENDPOINT
    if options.live and not os.environ.get("ANTHROPIC_API_KEY"):
        raise UsageError("--live needs ANTHROPIC_API_KEY in the environment; without --live no key is needed")
    _check_collector(endpoint)
    capture = True if options.capture else None
    loopwatch.configure(service_name="incident-agent", endpoint=endpoint, capture=capture)
    outcomes: dict[str, int] = {}
    try:
        for number, report in enumerate(_reports(options), 1):
            outcomes[report.outcome] = outcomes.get(report.outcome, 0) + 1
            if options.progress:
                _write(progress_line(number, options.runs, report))
    finally:
        loopwatch.shutdown()
    runs = "1 run" if options.runs == 1 else f"{options.runs} runs"
    _write(f"{runs}: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))


def _reports(options: argparse.Namespace) -> Iterator[Report]:
    with _messages_api(options) as client, ThreadPoolExecutor(options.concurrency) as pool:
        pause = 0.0 if options.live else _TOOL_CALL_S * options.latency_scale
        works = [
            pool.submit(work_on, incident, client, simulated=not options.live, seconds_per_tool_call=pause)
            for incident in incidents(options.runs, options.seed, options.scenario, options.model)
        ]
        for work in as_completed(works):
            yield work.result()


@contextmanager
def _messages_api(options: argparse.Namespace) -> Iterator["Anthropic"]:
    import anthropic  # only a run needs it: --help does not

    if options.live:
        with anthropic.Anthropic() as client:
            yield loopwatch.anthropic(client)
        return
    settings = ServiceSettings(
        options.seed, rate_limited_share=0.01, overloaded_share=0.01, latency_scale=options.latency_scale
    )
    with serving(settings) as base_url, anthropic.Anthropic(base_url=base_url, api_key="simulated") as client:
        yield loopwatch.anthropic(client)


def _check_collector(endpoint: str) -> None:
    try:
        with urllib.request.urlopen(f"{endpoint.rstrip('/')}/healthz", timeout=5):  # noqa: S310 the operator's own URL
            return
    except urllib.error.HTTPError:
        return  # something answers there: its refusals are the exporter's to report
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "reason", failure)
        raise UsageError(
            f"no collector answers at {endpoint} ({reason}); "
            "start one with `loopwatch serve`, or name one with --endpoint"
        ) from failure


def progress_line(number: int, total: int, report: Report) -> str:
    """Writes one run as one line.

    Args:
        number: how many have ended, this one included.
        total: how many there will be.
        report: of this run.
    """
    cost = "cost unknown" if report.cost_usd is None else f"${report.cost_usd:.4f}"
    plural = "" if report.iterations == 1 else "s"
    return (
        f"[{number:>{len(str(total))}}/{total}] {report.outcome:<9} {report.incident.scenario:<20} "
        f"{report.iterations:>2} iteration{plural:<1}  {cost}  {report.duration_s:5.1f} s  {report.run_id}"
    )


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
