"""Every address at every width: long names and reasons are read whole, nothing sticks out, the keyboard gets there."""

import json
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext

from tests.browsing import Visit, new_tab
from tests.e2e import wordy_fleet
from tests.processes import Running, collector, wait_for_runs, wait_until_stored

pytestmark = pytest.mark.browser
WIDTHS = (1440, 960, 390)
RUN = wordy_fleet.run_id(1)
PAGES = (
    "/", "/iterations?by=agent", "/iterations?show=long&over=2", "/tools",
    "/tools?show=latency", "/tools?show=agents", "/cost", "/cost?by=customer", "/cost?show=dearest",
    "/cost?show=caching", "/escalations", "/escalations?by=customer", "/quality",
    "/quality?show=verdicts", "/quality?show=versions",
    "/runs", "/runs?columns=agent,escalation_reason,error_message,models,user_id,conversation_id,service,last_tool",
    "/conversations", "/system", "/alerts", "/rules", "/rules?rule=cost-spike", f"/run?run={RUN}",
    f"/run?run={RUN}&show=graph", f"/run?run={RUN}&show=verdicts", f"/run?run={RUN}&show=conversation",
    f"/compare?left={RUN}&right={wordy_fleet.run_id(2)}",
    "/tools?" + urlencode({"tool": wordy_fleet.TOOLS[0]}),
    "/escalations?" + urlencode({"agent": wordy_fleet.AGENTS[0], "customer": wordy_fleet.CUSTOMERS[0]}),
)  # fmt: skip
# Where a chart must hold these names, each whole.
NAMED = (
    ("/escalations", "escalation-reasons", wordy_fleet.REASONS),
    ("/escalations", "escalation-last-tools", wordy_fleet.TOOLS),
    ("/escalations", "escalated-by-agent", wordy_fleet.AGENTS),
    ("/escalations?by=customer", "escalated-by-customer", wordy_fleet.CUSTOMERS),
    ("/tools", "tool-rates", wordy_fleet.TOOLS),
    ("/tools", "tools-over-time", wordy_fleet.TOOLS),
    ("/tools?show=latency", "tool-latency", wordy_fleet.TOOLS),
    ("/tools?show=agents", "tools-by-agent", (*wordy_fleet.AGENTS, *wordy_fleet.TOOLS)),
    ("/iterations?by=agent", "iteration-distribution-agent", wordy_fleet.AGENTS),
    (f"/run?run={RUN}", "waterfall", (wordy_fleet.AGENTS[1], wordy_fleet.MODEL, wordy_fleet.TOOLS[1])),
    ("/quality?show=verdicts", "satisfaction", (wordy_fleet.VERDICT,)),
)  # fmt: skip

_NAMES = frozenset({
    *wordy_fleet.AGENTS, *wordy_fleet.TOOLS, *wordy_fleet.CUSTOMERS, *wordy_fleet.REASONS, wordy_fleet.MODEL,
    wordy_fleet.VERSION, wordy_fleet.ERROR, wordy_fleet.CONVERSATION, wordy_fleet.VERDICT,
})  # fmt: skip

# What a table's canvas is told to write, and what of it lies outside of the cell it is drawn in.
_WATCH = """(() => {
  const own = CanvasRenderingContext2D.prototype, states = new WeakMap();
  const of = ctx => states.get(ctx) ?? states.set(ctx, {clip: null, kept: [], path: null}).get(ctx);
  const onPage = (ctx, x, y) => { const m = ctx.getTransform(); return [m.a * x + m.e, m.d * y + m.f]; };
  const around = (ctx, name, then) => {
    const before = own[name];
    own[name] = function (...given) { then(this, ...given); return before.apply(this, given); };
  };
  window.written = [];
  window.lines = '';
  around(0, 'save', ctx => of(ctx).kept.push(of(ctx).clip));
  around(0, 'restore', ctx => { of(ctx).clip = of(ctx).kept.pop() ?? null; });
  around(0, 'beginPath', ctx => { of(ctx).path = null; });
  around(0, 'rect', (ctx, x, y, w, h) => {
    const [left, top] = onPage(ctx, x, y), [right, bottom] = onPage(ctx, x + w, y + h), p = of(ctx).path;
    of(ctx).path = p ? [Math.min(p[0], left), Math.min(p[1], top), Math.max(p[2], right), Math.max(p[3], bottom)]
      : [left, top, right, bottom];
  });
  around(0, 'clip', ctx => {
    const {clip: c, path: p} = of(ctx);
    if (p && c) of(ctx).clip = p.map((edge, i) => i < 2 ? Math.max(edge, c[i]) : Math.min(edge, c[i]));
    else if (p) of(ctx).clip = p;
  });
  around(0, 'fillText', (ctx, text, x, y) => {
    const m = ctx.measureText(text), c = of(ctx).clip;
    const [left, top] = onPage(ctx, x - m.actualBoundingBoxLeft, y - m.actualBoundingBoxAscent);
    const [right, bottom] = onPage(ctx, x + m.actualBoundingBoxRight, y + m.actualBoundingBoxDescent);
    // the cell has room for it, and the window for the cell, once it is scrolled there
    const isWhole = !c || (left >= c[0] - 1 && right <= c[2] + 1 && top >= c[1] - 1 && bottom <= c[3] + 1
      && c[2] - c[0] <= ctx.canvas.width + 1);
    if (text) window.written.push([text, isWhole]);
    window.lines += text.replace(/\\s/g, '');
  });
})()"""
# A table that is as wide as before draws only what has come into sight; a pixel more or less, and it draws all.
_SCROLLED = """async ([table, left]) => {
  const shown = document.querySelectorAll('[data-testid=stDataFrame]')[table];
  const scroller = shown.querySelector('.dvn-scroller');
  const next = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  scroller.scrollIntoView({block: 'center'});
  scroller.scrollLeft = left;
  await next();
  const before = window.written.length;
  const frame = shown.closest('[data-testid=stElementContainer]').style;
  frame.paddingRight = frame.paddingRight === '1px' ? '2px' : '1px';
  for (let frames = 0; frames < 60 && window.written.length === before; frames++) await next();
  await next();
  return [scroller.scrollWidth, scroller.clientWidth];
}"""
# The rows that are in sight for certain: the list for readers of screens goes on below the table's edge.
_CELLS = """table => [...document.querySelectorAll('[data-testid=stDataFrame]')[table]
  .querySelectorAll('[data-testid^=glide-cell]')].filter(cell => Number(cell.dataset.testid.split('-').pop()) < 3)
  .map(cell => cell.innerText)"""
# The texts of charts that stick out of them, and of all else that lie outside of what shows them.
_CUT = """() => [
  ...[...document.querySelectorAll('[data-testid=stVegaLiteChart] svg, .stGraphVizChart svg')].flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].filter(text => {
      const box = text.getBoundingClientRect();
      return (box.width && (box.left < frame.left - 2 || box.right > frame.right + 2
        || box.top < frame.top - 2 || box.bottom > frame.bottom + 2))
        || (text.textContent.includes('…') && !/… ?\\(\\+[\\d,]+ ?characters\\)/.test(text.textContent));
    });
  }),
  ...[...document.querySelectorAll('[data-testid=stMain] *')].filter(part => {
    const look = getComputedStyle(part);
    return [...part.childNodes].some(node => node.nodeType === 3 && node.data.trim())
      && part.clientWidth > 1 && look.overflowX === 'hidden' && part.scrollWidth > part.clientWidth + 1;
  }),
].map(part => part.textContent.slice(0, 200))"""


# Where the keyboard is, and whether that can be seen; a page's own scroller is no place to act.
_AT = """() => {
  const at = document.activeElement, look = getComputedStyle(at);
  at.dataset.seen = '';
  const isSeen = at === document.body || at.matches('main') || parseFloat(look.outlineWidth) >= 1
    && look.outlineStyle !== 'none' && at.checkVisibility({opacityProperty: true, visibilityProperty: true});
  return [at.tagName, at.innerText?.trim() || at.getAttribute('aria-label') || '', isSeen];
}"""
# What a mouse can act on and the keyboard has not come to; in a row of choices the arrows go on.
_PASSED_BY = """() => [...document.querySelectorAll('a[href], button, input, textarea, summary, [role=combobox]')]
  .filter(one => one.getBoundingClientRect().width > 1 && !one.disabled && !one.closest('[data-seen]')
    && !one.querySelector('[data-seen]') && !one.closest('[role=radiogroup]')?.querySelector('[data-seen]')
    && !one.closest('[role=group]')?.querySelector('[data-seen]'))
  .map(one => one.innerText || one.getAttribute('aria-label') || one.tagName)"""
_MOST_STOPS = 150


# A chart follows the window a moment later: before it is as wide as its place, what it shows is the width before.
_FITS = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  return main.scrollWidth <= main.clientWidth + 1
    && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(chart => {
      const drawn = chart.querySelector('svg')?.getBoundingClientRect().width;
      return drawn && Math.abs(drawn - chart.clientWidth) < 8;
    });
}"""


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector with runs whose names and reasons are long, one of them endless."""
    with collector(tmp_path_factory.mktemp("words")) as running:
        _post(f"{running.url}/v1/traces", wordy_fleet.request())
        wait_for_runs(running.url, 24)
        wait_until_stored(running.url)
        for number in (1, 5):
            _post(
                f"{running.url}/api/v1/verdicts", json.dumps(wordy_fleet.verdict(wordy_fleet.run_id(number))).encode()
            )
        yield running


def _post(url: str, body: bytes) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=30):
        pass


@pytest.fixture(scope="module")
def walked(reader: BrowserContext, shown: Running) -> Iterator[Visit]:
    """A tab for many addresses that notes what is written into its tables."""
    with new_tab(reader, shown.url) as opened:
        opened.page.add_init_script(_WATCH)
        opened.goto(f"{shown.url}/system")
        yield opened


@pytest.fixture(scope="module", params=PAGES)
def path(request: pytest.FixtureRequest, walked: Visit) -> str:
    """An address, opened at a desk's width; all tests of it are made before the next is opened."""
    walked.page.set_viewport_size({"width": WIDTHS[0], "height": 1000})
    walked.page.evaluate("window.lines = ''")
    walked.go(f"{request.param}{'&' if '?' in request.param else '?'}range=all")
    return str(request.param)


def test_keyboard_reaches_all_that_a_mouse_does(walk: Visit, path: str) -> None:
    """Tab comes to everything on a page, is seen where it is, and by itself opens nothing."""
    address, stops = walk.page.url, list[tuple[str, str, bool]]()
    while len(stops) < _MOST_STOPS and (not stops or stops[-1][0] != "BODY"):
        walk.page.keyboard.press("Tab")
        stops.append(tuple(walk.page.evaluate(_AT)))
    assert stops[-1][0] == "BODY"
    assert [text or name for name, text, is_seen in stops if not is_seen] == []
    assert walk.page.evaluate(_PASSED_BY) == []
    walk.settle()
    assert walk.page.url == address


def test_charts_name_all(walk: Visit, path: str) -> None:
    """However long its names are, each stands on its chart from its first to its last character."""
    assert [
        _missing(walk, panel, names) for at, panel, names in NAMED if at == path if _missing(walk, panel, names)
    ] == []


def test_no_text_is_cut_at_any_width(walk: Visit, path: str) -> None:
    """At 1440, 960 and 390 pixels no label, cell, heading, title or filter is cut off, and nothing sticks out."""
    for width in WIDTHS:
        walk.page.set_viewport_size({"width": width, "height": 1000})
        walk.settle()
        walk.page.wait_for_function(_FITS)
        walk.page.wait_for_function(f"() => ({_CUT})().length === 0")
        for table in range(walk.page.locator("[data-testid=stDataFrame]").count()):
            assert _cut_in(walk, table) == []


def _cut_in(tab: Visit, table: int) -> list[str]:
    """What is written in a table and at no place of its scroller is seen whole."""
    tab.page.locator("[data-testid=stDataFrame]").nth(table).locator("[data-testid^=glide-cell]").first.wait_for(
        state="attached"
    )
    # one window beside the other shows every cell; where that cuts one, it is looked for at every third of a window
    return _cut_by_steps(tab, table, 1) and _cut_by_steps(tab, table, 3)


def _cut_by_steps(tab: Visit, table: int, to_a_window: int) -> list[str]:
    tab.page.evaluate("window.written = []")
    left, wide, cells = 0, 1, list[str]()
    while left < wide:
        wide, seen = tab.page.evaluate(_SCROLLED, [table, left])
        cells += tab.page.evaluate(_CELLS, table)
        left += seen if seen >= wide else max(80, seen // to_a_window)
    written: list[tuple[str, bool]] = tab.page.evaluate("window.written")
    whole = {text for text, is_whole in written if is_whole}
    lines = tab.page.evaluate("window.lines")
    known = {name for name in cells if name in _NAMES}
    cut = [text for text, _ in written if text not in whole]
    return [*cut, *(name for name in known if "".join(name.split()) not in lines)]


def _missing(tab: Visit, panel: str, names: tuple[str, ...]) -> list[str]:
    """The names that the chart's own text does not hold from their first to their last character."""
    texts = tab.page.locator(f".st-key-panel-{panel} svg text").all_text_contents()
    written = "".join("".join(text.split()) for text in texts).replace("\u200b", "")
    return [name for name in names if "".join(name.split()) not in written]


def test_endless_reason_says_how_much_is_left_out(tab: Visit, shown: Running) -> None:
    """A reason of thousands of characters is shortened, says so with a number, and is whole where its row leads."""
    tab.goto(f"{shown.url}/escalations?range=all")
    (shortened,) = [
        text
        for text in tab.page.locator(".st-key-panel-escalation-reasons svg text").all_text_contents()
        if text.startswith("It cannot say why.")
    ]
    assert shortened.endswith(" characters)")
    assert "… (+28," in shortened


def test_long_reason_is_whole_where_its_row_leads(reader: BrowserContext, shown: Running) -> None:
    """On a phone the page of the run has the reason from its first to its last word."""
    with new_tab(reader, shown.url) as tab:
        tab.page.set_viewport_size({"width": 390, "height": 900})
        tab.goto(f"{shown.url}/run?run={RUN}&at=escalation")
        assert wordy_fleet.REASONS[1] in tab.text().replace("\u2060", "")
        assert tab.errors == []
