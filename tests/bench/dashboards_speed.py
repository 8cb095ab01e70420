"""How fast the pages are over a million spans, in a real browser: cold load, and a change of filter on every page.

`python -m tests.bench.dashboards_speed [PAGE ...] [RANGE ...]` measures some pages or ranges only (a page by its path,
a range as in the address: 24h, 7d, all); with pages named, the page of one run is left out unless `run` is one of them.
Times are the browser's own: from the key that chooses the filter to the first chart that is drawn anew, and to the
last change on the page. LOOPWATCH_BENCH_STORE names a store that is filled already; else one is filled first, and the
days that are over are merged as the store merges them an hour after they were last written to. That takes some two
minutes, and the measuring five, on two cores.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from playwright.sync_api import Browser

from loopwatch_collector.store.store import Store
from tests.browsing import LISTED_PAGES, Visit, chromium, visit
from tests.processes import Running, collector, dashboards, loopwatch, query, wait_until_stored

RUNS = 45_000
DAYS = 60
REPEATS = 3
SECTIONS = ("Tokens and context", "Agent graph", "Reading view")  # of the page of one run, which has no filters
RANGES = ("24h", "7d", "all")
_QUIET_MS = 400
# Notes when the page last changed or its script ended (tables are painted, not written), and when a chart was first
# drawn anew after the key was pressed.
_WATCH = """
window.watched = {start: 0, first: 0, last: 0};
document.addEventListener('keydown', event => {
  if (event.key === 'Enter') window.watched = {start: performance.now(), first: 0, last: 0};
}, true);
new MutationObserver(changes => {
  const now = performance.now();
  for (const change of changes) {
    const place = change.target instanceof Element ? change.target : change.target.parentElement;
    const ends = change.type === 'attributes' && place.dataset.testScriptState === 'notRunning';
    const isShown = place && place.closest('[data-testid=stMain]') && !place.closest('.st-key-head');
    if (!ends && (change.type === 'attributes' || !isShown)) continue;
    window.watched.last = now;
    if (!window.watched.first && change.addedNodes.length && place.closest('[data-testid=stVegaLiteChart]'))
      window.watched.first = now;
  }
}).observe(document, {subtree: true, childList: true, characterData: true,
  attributes: true, attributeFilter: ['data-test-script-state']});
"""
_STILL = f"() => window.watched.last && performance.now() - window.watched.last > {_QUIET_MS}"


class Taken(NamedTuple):
    """Seconds until the first chart, and until the page was complete."""

    first: float
    complete: float


def main() -> None:
    """Prints the table."""
    named = _named(sys.argv[1:] if __name__ == "__main__" else [])
    with tempfile.TemporaryDirectory() as folder, _filled(Path(folder)) as receiver:
        (summary,) = query(receiver.url, "runs_summary")
        sys.stdout.write(f"{summary['runs']} runs, {_spans(receiver.url)} spans\n")
        with dashboards(Path(folder), receiver.url) as shown, chromium() as browser:
            _first_load(browser, shown.url)
            for one in named.ranges:
                _pages(browser, shown.url, one, named.pages)
            if named.has_run:
                _one_run(browser, shown.url, query(receiver.url, "cost_top_runs", limit=1)[0])


class Named(NamedTuple):
    """What is measured: pages over ranges, and whether the page of one run."""

    pages: Sequence[str]
    ranges: Sequence[str]
    has_run: bool


def _named(words: Sequence[str]) -> Named:
    """Reads the command's words; all of a kind where none of it is named."""
    if unknown := set(words) - {*LISTED_PAGES, *RANGES, "run"}:
        raise SystemExit(f"neither a page nor a range: {', '.join(sorted(unknown))}")
    pages = [word for word in words if word in LISTED_PAGES]
    ranges = [word for word in words if word in RANGES]
    return Named(pages or list(LISTED_PAGES), ranges or RANGES, not pages or "run" in words)


@contextmanager
def _filled(folder: Path) -> Iterator[Running]:
    store = os.environ.get("LOOPWATCH_BENCH_STORE", "")
    if not store:
        _fill(folder)
    with collector(folder, **({"LOOPWATCH_DSN": f"chdb://{store}"} if store else {})) as receiver:
        yield receiver


def _fill(folder: Path) -> None:
    with collector(folder) as receiver:
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
        options = ["--days", str(DAYS), "--runs", str(RUNS), "--end", tomorrow]
        done = loopwatch("simulate", "--endpoint", receiver.url, *options, timeout=600)
        if done.returncode:
            raise SystemExit(done.stderr)
        wait_until_stored(receiver.url)
    with closing(Store.open(f"chdb://{folder}/data/store")) as store:
        _merge_past_days(store)


def _merge_past_days(store: Store) -> None:
    days = store.connection().rows(
        "SELECT DISTINCT table, partition_id FROM system.parts"
        " WHERE active AND table IN ('runs', 'spans') AND max_time < today()"
    )
    for table, day in days:
        store.connection().run(f"OPTIMIZE TABLE {table} PARTITION ID '{day}' FINAL")


def _spans(endpoint: str) -> int:
    return sum(row["spans"] for row in query(endpoint, "sender_gaps", limit=100_000))


def _first_load(browser: Browser, base: str) -> None:
    with visit(browser, base) as tab:
        taken = _load(tab, f"{base}/?range=7d")
    sys.stdout.write(f"\nthe first page after the start, Overview over 7 days: {taken:.2f} s (target: under 5)\n")


def _load(tab: Visit, url: str) -> float:
    tab.page.add_init_script(_WATCH)
    tab.page.goto(url)
    return _complete(tab).complete


def _complete(tab: Visit) -> Taken:
    """Waits until the page is drawn and still; times since the key, or since the address was opened."""
    tab.settle()
    tab.page.wait_for_function(_STILL)
    watched = tab.page.evaluate("window.watched")
    first = watched["first"] or watched["last"]
    return Taken((first - watched["start"]) / 1000, (watched["last"] - watched["start"]) / 1000)


def _pages(browser: Browser, base: str, preset: str, pages: Sequence[str]) -> None:
    """One row per page: a cold load in a new session, then one agent after another is chosen as a person does."""
    heading = f"{'range ' + preset:<16}{'cold load':>10}{'first chart':>14}{'complete':>10}"
    sys.stdout.write(f"\n{heading}   (s; targets: 5, 1 and 2)\n")
    for page in pages:
        with visit(browser, base) as tab:
            load = _load(tab, f"{base}{LISTED_PAGES[page]}?range={preset}")
            changes = [_change(tab) for _ in range(REPEATS)]
        first, complete = (median(one) for one in zip(*changes, strict=True))
        sys.stdout.write(f"{page:<16}{load:>10.2f}{first:>14.2f}{complete:>10.2f}\n")
        sys.stdout.flush()


def _one_run(browser: Browser, base: str, run: Mapping[str, Any]) -> None:
    """The page of the dearest run, and its sections one after another, whatever the range."""
    with visit(browser, base) as tab:
        load = _load(tab, f"{base}/run?run={run['run_id']}")
        changes = [_section(tab, name) for name in SECTIONS]
    first, complete = (median(one) for one in zip(*changes, strict=True))
    sys.stdout.write(f"\none run of {run['iterations']} iterations: cold load, then another section\n")
    sys.stdout.write(f"{'run':<16}{load:>10.2f}{first:>14.2f}{complete:>10.2f}\n")


def _section(tab: Visit, name: str) -> Taken:
    tab.page.get_by_role("radio", name=name).or_(tab.page.get_by_role("button", name=name)).first.focus()
    tab.page.keyboard.press("Enter")
    return _changed(tab)


def _change(tab: Visit) -> Taken:
    tab.page.locator(".st-key-control-agent input").first.click()
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    taken = _changed(tab)
    tab.page.keyboard.press("Escape")
    return taken


def _changed(tab: Visit) -> Taken:
    tab.page.wait_for_function("() => window.watched.first || window.watched.last > window.watched.start + 50")
    return _complete(tab)


if __name__ == "__main__":
    began = time.perf_counter()
    main()
    sys.stdout.write(f"\nmeasured in {time.perf_counter() - began:.0f} s\n")
