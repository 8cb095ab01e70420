"""How fast the pages are over a million spans, in a real browser: cold load, warm load, a change of filter.

Under five minutes on two cores, most of it filling the store.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from tests.browsing import Visit, chromium, visit
from tests.processes import collector, dashboards, loopwatch, query, wait_until_stored

RUNS = 45_000
DAYS = 60
REPEATS = 5
PAGES = ("", "iterations", "tools", "cost", "escalations", "quality", "runs", "conversations")
RANGES = ("24h", "7d", "all")
_CHARTS = "() => document.querySelectorAll('[data-testid=stVegaLiteChart] svg').length > 0"


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder, collector(Path(folder)) as receiver:
        began = time.perf_counter()
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
        options = ["--days", str(DAYS), "--runs", str(RUNS), "--end", tomorrow]
        done = loopwatch("simulate", "--endpoint", receiver.url, *options, timeout=600)
        if done.returncode:
            raise SystemExit(done.stderr)
        wait_until_stored(receiver.url)
        (summary,) = query(receiver.url, "runs_summary")
        sys.stdout.write(
            f"{done.stdout.strip()} stored in {time.perf_counter() - began:.0f} s, {summary['runs']} runs\n"
        )
        with dashboards(Path(folder), receiver.url) as shown, chromium() as browser:
            _loads(browser, shown.url)
            _filters(browser, shown.url)


def _seconds(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _loads(browser: Browser, base: str) -> None:
    with visit(browser, base) as tab:
        first = _seconds(lambda: _open(tab, f"{base}/?range=7d"))
        sys.stdout.write(f"\nfirst load of the Overview after start: {first:.2f} s (target: under 5)\n")
    sys.stdout.write(f"\n{'new session, complete (s)':<26}" + "".join(f"{one:>8}" for one in RANGES) + "\n")
    for page in PAGES:
        taken = []
        for one in RANGES:
            with visit(browser, base) as tab:
                taken.append(_seconds(lambda tab=tab, one=one, page=page: _open(tab, f"{base}/{page}?range={one}")))
        sys.stdout.write(f"{page or 'overview':<26}" + "".join(f"{seconds:8.2f}" for seconds in taken) + "\n")


def _open(tab: Visit, url: str) -> None:
    tab.goto(url)
    if "/runs" not in url and "/conversations" not in url:
        tab.page.wait_for_function(_CHARTS)


def _filters(browser: Browser, base: str) -> None:
    """Chooses one agent after another, as a person does, and waits for the charts to change."""
    sys.stdout.write(f"\n{'change of a filter (s)':<26}{'first chart':>12}{'complete':>10}   (targets: 1 and 2)\n")
    for one in RANGES:
        firsts, completes = [], []
        with visit(browser, base) as tab:
            _open(tab, f"{base}/?range={one}")
            for _ in range(REPEATS):
                first, complete = _change(tab)
                firsts.append(first)
                completes.append(complete)
        sys.stdout.write(f"{one:<26}{median(firsts):12.2f}{median(completes):10.2f}\n")


def _change(tab: Visit) -> tuple[float, float]:
    page = tab.page
    before = page.locator(".st-key-panel-outcomes p").first.inner_text()
    box = page.locator(".st-key-control-agent input").first
    box.click()
    page.keyboard.press("ArrowDown")
    began = time.perf_counter()
    page.keyboard.press("Enter")
    page.wait_for_function(
        """before => {
          const title = document.querySelector('.st-key-panel-outcomes p');
          return title && title.innerText !== before;
        }""",
        arg=before,
    )
    first = time.perf_counter() - began
    tab.settle()
    complete = time.perf_counter() - began
    page.keyboard.press("Escape")
    return first, complete


if __name__ == "__main__":
    main()
