"""Every mark of every chart: the runs it stands on, the table behind it, and the way to its runs and back."""

import re
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator

from tests.browsing import Visit
from tests.processes import Running, collector, loopwatch, query, wait_until_stored

pytestmark = pytest.mark.browser
# Page and section, and how many charts a simulated fleet has there.
CHARTED = {
    "/": 4,
    "/iterations": 3,
    "/tools": 2,
    "/tools?show=latency": 1,
    "/tools?show=agents": 1,
    "/cost": 4,
    "/escalations": 4,
    "/quality": 1,
    "/quality?show=verdicts": 3,
}
LISTED = {
    "/": ["agents"],
    "/iterations?show=long": ["long-runs", "long-run-tools"],
    "/iterations?show=loops": ["loops"],
    "/tools": ["tool-retries", "tool-errors"],
    "/tools?show=latency": ["tool-outliers"],
    "/tools?show=offered": ["tools-offered", "schema-cost"],
    "/cost?show=dearest": ["top-runs", "top-conversations", "cost-outliers"],
    "/cost?show=caching": ["cache-savings", "unpriced"],
    "/escalations": ["escalated-until", "escalations"],
    "/quality": ["error-categories"],
    "/quality?show=verdicts": ["verdicts"],
    "/quality?show=versions": ["versions"],
    "/conversations": ["conversations"],
}
MARKS = "svg g.mark-rect.role-mark path, svg g.mark-symbol.role-mark path"


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A small fleet with all that the pages have panels for."""
    with collector(tmp_path_factory.mktemp("marks")) as running:
        options = ["--days", "14", "--runs", "250", "--end", "2026-01-31"]
        done = loopwatch("simulate", *options, "--endpoint", running.url, timeout=240)
        assert done.returncode == 0, done.stderr
        wait_until_stored(running.url)
        yield running


@pytest.fixture
def tab(tab: Visit) -> Iterator[Visit]:
    """A tab whose console stays empty of warnings too."""
    yield tab
    assert tab.warnings == []


@pytest.fixture
def walk(walk: Visit) -> Iterator[Visit]:
    """The same of the tab for many addresses."""
    yield walk
    found = walk.warnings[:]
    walk.warnings.clear()
    assert found == []


def _dearest(receiver: Running) -> str:
    return str(query(receiver.url, "cost_top_runs", limit=1)[0]["run_id"])


def _address(shown: Running, path: str) -> str:
    return f"{shown.url}{path}{'&' if '?' in path else '?'}range=all"


@pytest.mark.parametrize(("path", "charts"), CHARTED.items())
def test_chart_says_what_it_stands_on_and_leads_there_and_back(
    walk: Visit, shown: Running, path: str, charts: int
) -> None:
    """Each chart names its query and its runs; a click on a mark lists runs; Back is the page as it was."""
    walk.go(_address(shown, path))
    panels = walk.page.locator("[class*=st-key-panel-]:has([data-testid=stVegaLiteChart])")
    assert panels.count() == charts
    for number in range(charts):
        panel = panels.nth(number)
        title, stands_on = panel.locator("[data-testid=stMarkdownContainer] p").all_inner_texts()[:2]
        assert title
        assert re.match(
            r"\d[\d,.]*[kM]? runs? · ", panel.locator("[data-testid=stCaptionContainer]").first.inner_text()
        )
        assert panel.locator("[class*=st-key-table-] button").first.inner_text().strip()
        address = walk.page.url
        _click_largest(walk, panel)
        walk.page.wait_for_url("**/runs?**")
        walk.settle()
        assert "Click a row to open it" in walk.text(), stands_on
        walk.page.go_back()
        walk.page.wait_for_url(address)
        panels.nth(charts - 1).wait_for()
        walk.settle()


def _click_largest(tab: Visit, panel: Locator) -> None:
    """Clicks the mark that is easiest to hit."""
    marks = panel.locator(MARKS)
    marks.first.wait_for()
    boxes = [marks.nth(number).bounding_box() for number in range(min(marks.count(), 40))]
    sizes = [min(box["width"], 30) * min(box["height"], 30) if box else 0 for box in boxes]
    # By its place, as a person does: an interval or a number may lie on the mark, and leads where it leads.
    mark = marks.nth(sizes.index(max(sizes)))
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    assert box
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize(("path", "tables"), LISTED.items())
def test_row_leads_to_its_runs(walk: Visit, shown: Running, path: str, tables: list[str]) -> None:
    """A click on a row of any table lists its runs or opens the run."""
    walk.go(_address(shown, path))
    for key in tables:
        address = walk.page.url
        walk.page.locator(f".st-key-panel-{key} [data-testid=stDataFrame] .dvn-scroller").first.click(
            position={"x": 60, "y": 52}
        )
        walk.page.wait_for_url(re.compile(r"/runs?\?"))
        walk.settle()
        assert "No run matches" not in walk.text()
        assert walk.page.locator("[data-testid=stDataFrame], [data-testid=stVegaLiteChart]").count()
        if key != tables[-1]:
            walk.page.go_back()
            walk.page.wait_for_url(address)
            walk.page.locator(f".st-key-panel-{tables[-1]}").wait_for()
            walk.settle()


def test_table_behind_a_chart_is_the_querys_answer(walk: Visit, shown: Running, receiver: Running) -> None:
    """The button named by the query shows how many rows it answered, and the rows."""
    walk.go(_address(shown, "/tools"))
    walk.page.locator(".st-key-table-tool-rates button").first.click()
    popover = walk.page.locator("[data-testid=stPopoverBody]")
    popover.locator("[data-testid=stDataFrame]").wait_for()
    assert f"{len(query(receiver.url, 'tool_summary'))} rows" in popover.inner_text()
    assert "tool_summary" in popover.inner_text()


@pytest.mark.parametrize(
    ("path", "panel", "name"),
    [("/", "tools", "[text-anchor=end]"), ("/tools", "tool-rates", "[text-anchor=end]"),
     ("/tools?show=latency", "tool-latency", "[text-anchor=end]"), ("/cost", "cost-by-model", "[text-anchor=end]"),
     ("/run?run={run}", "waterfall", ":not([text-anchor=middle])")],
)  # fmt: skip
def test_every_bar_has_its_name(
    walk: Visit, shown: Running, receiver: Running, path: str, panel: str, name: str
) -> None:
    """Beside each bar stands what it is called, none is left out for lack of room."""
    walk.go(_address(shown, path.format(run=_dearest(receiver))))
    chart = walk.page.locator(f".st-key-panel-{panel} svg")
    chart.locator("g.mark-rect.role-mark path").first.wait_for()  # drawn a moment after its place is made
    bars = chart.locator("g.mark-rect.role-mark").first.locator("path").count()
    texts = chart.locator(f"g.role-axis-label text{name}").all_text_contents()
    assert bars > 3
    assert len([text for text in texts if not re.fullmatch(r"\$?[\d.]+ ?\S*", text)]) == bars


# What Streamlit does when a page is left for another: the parameters first, the path when the other page has begun.
_LEAVE = """isSlow => {
  const before = history.length, now = performance.now.bind(performance);
  history.pushState({}, '', location.pathname + '?run=1');
  if (isSlow) performance.now = () => now() + 60_000;
  history.pushState({}, '', '/run?run=1');
  performance.now = now;
  return history.length - before;
}"""
_CHOOSE_AND_LEAVE = """() => {
  const before = history.length;
  history.pushState({}, '', location.pathname + '?agent=a');
  document.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}));
  history.pushState({}, '', '/runs?agent=a');
  return history.length - before;
}"""


def test_a_page_left_is_one_step_however_slow(tab: Visit, shown: Running) -> None:
    """One step of the reader is one entry of the history, also where the other page takes a minute; two are two."""
    for is_slow in (False, True):
        tab.goto(f"{shown.url}/runs?range=7d")
        assert tab.page.evaluate(_LEAVE, is_slow) == 1
    tab.goto(f"{shown.url}/?range=7d")
    assert tab.page.evaluate(_CHOOSE_AND_LEAVE) == 2


def test_back_undoes_a_choice(tab: Visit, shown: Running) -> None:
    """Browser Back returns to the view before: filters, section and numbers."""
    tab.goto(_address(shown, "/"))
    runs = tab.tile("Runs")
    tab.page.locator(".st-key-control-agent input").first.click()
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**agent=**")
    tab.page.wait_for_function(
        "runs => document.querySelector('.st-key-tile-runs [data-testid=stMetricValue]').innerText.trim() !== runs",
        arg=runs,
    )
    tab.settle()
    tab.page.go_back()
    tab.page.wait_for_url(lambda url: "agent" not in parse_qs(urlsplit(url).query))
    tab.page.wait_for_function(
        "runs => document.querySelector('.st-key-tile-runs [data-testid=stMetricValue]').innerText.trim() === runs",
        arg=runs,
    )


_FOCUSED = """() => {
  const at = document.activeElement;
  return at.innerText?.trim() || at.getAttribute('aria-label') || '';
}"""


def test_keyboard_opens_pages_in_their_order(tab: Visit, shown: Running) -> None:
    """Tab goes through pages, controls and panels in the order they stand; Enter opens."""
    tab.goto(_address(shown, "/"))
    seen: list[str] = []
    for _ in range(60):
        tab.page.keyboard.press("Tab")
        seen.append(tab.page.evaluate(_FOCUSED))
    order = [
        next(i for i, text in enumerate(seen) if name in text) for name in ("Iterations", "System", "runs_over_time")
    ]
    assert order == sorted(order)
    tab.page.get_by_test_id("stSidebar").get_by_role("link", name="Cost").focus()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/cost?**")


def test_keyboard_opens_the_runs_behind_a_mark(tab: Visit, shown: Running) -> None:
    """The table behind a chart lists its marks as hover says them; one chosen there leads where a click on it does."""
    tab.goto(_address(shown, "/"))
    first = tab.marks_behind("outcomes").first.inner_text()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/runs?**")
    tab.settle()
    outcome, runs = (part.split(" ")[-1] for part in first.split(", ")[1:])
    assert parse_qs(urlsplit(tab.page.url).query)["outcome"] == [outcome]
    assert f"The first {runs} run" in tab.text()


def test_keyboard_opens_and_ticks_rows(tab: Visit, shown: Running) -> None:
    """A list beside a table opens a row and ticks two to compare; it is in sight only while the keyboard is there."""
    tab.goto(_address(shown, "/runs"))
    rows, ticks = (tab.page.get_by_role("combobox", name=name) for name in ("Open a row", "Tick rows"))
    ticks.focus()
    for ticked in range(2):
        for _ in range(2):  # the first of the list ticks all
            tab.page.keyboard.press("ArrowDown")
        tab.page.get_by_role("option").nth(1).wait_for()
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_function("most => document.querySelectorAll('[data-tag]').length >= most", arg=ticked + 1)
    tab.page.keyboard.press("Tab")
    tab.page.get_by_role("link", name="Compare the two").wait_for()
    tab.settle()
    rows.focus()
    tab.page.keyboard.press("ArrowDown")
    first = tab.page.get_by_role("option").first.inner_text()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/run?**")
    tab.settle()
    started, agent = first.split(", ")[:2]
    assert f"started {started} UTC" in tab.text().replace("\u2060", "")
    assert agent in tab.text().replace("\u2060", "")


@pytest.mark.parametrize("path", ["/tools?tool={tool}", "/rules?rule=tool-failure-rate"])
def test_chart_of_one_thing_leads_to_its_runs(tab: Visit, shown: Running, receiver: Running, path: str) -> None:
    """The trend of one tool, and what a rule would have said, lead to runs as every chart does."""
    tool = query(receiver.url, "tool_summary")[0]["tool"]
    tab.goto(_address(shown, path.format(tool=tool)))
    panel = tab.page.locator("[class*=st-key-panel-]:has([data-testid=stVegaLiteChart])").first
    assert re.match(r"\d[\d,.]*[kM]? runs? · ", panel.locator("[data-testid=stCaptionContainer]").first.inner_text())
    _click_largest(tab, panel)
    tab.page.wait_for_url("**/runs?**")
    tab.settle()
    assert "Click a row to open it" in tab.text()


def test_live_tail_puts_new_runs_on_top(tab: Visit, shown: Running, receiver: Running) -> None:
    """With live tail on, a run that comes in is the list's first; scroll, filters and order stay."""
    tab.goto(f"{shown.url}/runs?range=all")
    tab.page.set_viewport_size({"width": 1440, "height": 500})
    tab.page.get_by_text("Live tail").click()
    tab.page.wait_for_url("**live=5**")
    tab.settle()
    tab.page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, 160)")
    place = tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    before = _first_row(tab)
    done = loopwatch("agent", "run", "--runs", "1", "--latency-scale", "0", "--endpoint", receiver.url)
    assert done.returncode == 0, done.stderr
    tab.page.wait_for_function(
        "before => { const cell = document.querySelector('[data-testid=stDataFrame] [data-testid=glide-cell-1-0]');"
        " return cell && cell.innerText !== before; }",
        arg=before,
    )
    assert _first_row(tab).startswith(time.strftime("%Y-%m-%d", time.gmtime()))
    assert tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == place
    assert parse_qs(urlsplit(tab.page.url).query) == {"range": ["all"], "live": ["5"]}


def _first_row(tab: Visit) -> str:
    """When the first run of the list started; the canvas has its cells as a table for readers of screens."""
    return tab.page.locator("[data-testid=stDataFrame] [data-testid=glide-cell-1-0]").inner_text()
