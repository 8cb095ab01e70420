"""`python -m tests.screenshots [PAGE ...]`: pictures of all pages, light and dark, in docs/images/.

A collector of its own is filled with a simulated fleet and with runs of the reference agent, so that what is seen
does not depend on this machine's data.
"""

import io
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from urllib.request import Request, urlopen

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from PIL import Image
from playwright.sync_api import Browser

from tests.browsing import LISTED_PAGES, chromium, visit
from tests.processes import collector, dashboards, loopwatch, query, wait_until_stored

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH, MAX_HEIGHT = 1440, 2600
WEEK = "range=7d"
_LIKE = 8  # of 255, in each of red, green and blue: a difference that is not seen
_PROTOBUF = {"Content-Type": "application/x-protobuf"}


def main(names: list[str]) -> int:
    """Takes the pictures.

    Args:
        names: pages to take; all when empty.

    Returns:
        0.
    """
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, collector(Path(folder)) as receiver:
        _fill(receiver.url, Path(folder) / "bodies")
        targets = _targets(receiver.url)
        chosen = {name: path for name, path in targets.items() if not names or name in names}
        with dashboards(Path(folder), receiver.url) as shown, chromium() as browser:
            for name, path in chosen.items():
                for dark in (False, True):
                    _take(browser, shown.url, path, IMAGES / f"{name}-{'dark' if dark else 'light'}.png", dark=dark)
    return 0


def _fill(endpoint: str, folder: Path) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    fleet = ("--days", "14", "--runs", "3000", "--content", "--end", tomorrow, "--out", str(folder))
    _done(loopwatch("simulate", *fleet, timeout=300))
    now_ns = time.time_ns()
    for body in sorted(folder.glob("*.pb")):
        request = Request(f"{endpoint}/v1/traces", until(body.read_bytes(), now_ns), _PROTOBUF)
        with urlopen(request, timeout=60):
            pass
    _done(loopwatch("agent", "run", "--runs", "40", "--capture", "--endpoint", endpoint, timeout=300))
    wait_until_stored(endpoint)


def _done(one: subprocess.CompletedProcess[str]) -> None:
    if one.returncode:
        raise SystemExit(one.stderr)


def until(body: bytes, now_ns: int) -> bytes:
    """A request without the spans that end after a time: a simulated day is whole, and today is not over.

    Args:
        body: an OTLP request, as protobuf.
        now_ns: the time, in nanoseconds of the epoch.
    """
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            kept = [span for span in scope.spans if span.end_time_unix_nano <= now_ns]
            del scope.spans[:]
            scope.spans.extend(kept)
    return request.SerializeToString()


def _targets(endpoint: str) -> dict[str, str]:
    """File name -> path and parameters of the page."""
    targets = {page: f"{path}?{WEEK}" for page, path in LISTED_PAGES.items()}
    escalated = next(row for row in query(endpoint, "escalations") if row["agent"] == "incident-resolver")
    looped = query(endpoint, "cost_top_runs")[0]
    tool = max(query(endpoint, "tool_summary"), key=lambda row: row["errors"])
    targets |= {
        "iterations-loops": f"/iterations?{WEEK}&show=loops",
        "tools-agents": f"/tools?{WEEK}&show=agents",
        "tools-latency": f"/tools?{WEEK}&show=latency",
        "cost-dearest": f"/cost?{WEEK}&show=dearest",
        "quality-verdicts": f"/quality?{WEEK}&show=verdicts",
        "run": f"/run?run={escalated['run_id']}&at=escalation",
        "run-tokens": f"/run?run={looped['run_id']}&show=tokens",
        "run-graph": f"/run?run={looped['run_id']}&show=graph",
        "compare": f"/compare?left={escalated['run_id']}&right={looped['run_id']}",
        "tool": f"/tools?{WEEK}&tool={tool['tool']}",
        "rule": f"/rules?{WEEK}&rule=cost-spike",
    }
    return targets


def _take(browser: Browser, base: str, path: str, file: Path, *, dark: bool) -> None:
    with visit(browser, base, dark=dark, width=WIDTH) as tab:
        tab.goto(base + path)
        height = tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        tab.page.set_viewport_size({"width": WIDTH, "height": max(700, min(int(height), MAX_HEIGHT))})
        tab.settle()
        tab.page.wait_for_timeout(400)  # the charts' entry and the tables' first paint; not a condition to wait for
        picture = Image.open(io.BytesIO(tab.page.screenshot()))
    reduced(picture.convert("RGB")).save(file, optimize=True)
    sys.stdout.write(f"{file.relative_to(Path.cwd())} {file.stat().st_size // 1024} kB\n")


def reduced(picture: Image.Image) -> Image.Image:
    """The picture in 256 colours, which keeps a page under 150 kB.

    Large areas keep their very colour and so do thin bars and small legends: the most frequent colours are taken, but
    for those that look like one that is taken. (Pillow's own palettes shift either the ones or the others.)

    Args:
        picture: in RGB.
    """
    counted = cast(list[tuple[int, tuple[int, int, int]]], picture.getcolors(picture.width * picture.height))
    taken = np.array([max(counted)[1]], dtype=np.int16)
    for _, colour in sorted(counted, reverse=True):
        if len(taken) == 256:
            break
        if (np.abs(taken - np.array(colour)).max(axis=1) >= _LIKE).all():
            taken = np.vstack([taken, np.array(colour, dtype=np.int16)])
    palette = Image.new("P", (1, 1))
    palette.putpalette(taken.astype(np.uint8).tobytes())
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
