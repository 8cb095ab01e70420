"""A person's browser in front of the dashboards: opened, settled, watched for requests that leave and for errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, WebSocket, sync_playwright
from playwright.sync_api import Error as BrowserError
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from loopwatch_dashboards.navigation import ENTRIES
from tests.chromium import find, launch_arguments

TIMEOUT_MS = 60_000
# The pages that the sidebar lists: name -> path in the address, which the first one does without.
LISTED_PAGES = {
    entry.path: f"/{entry.path if entry.path != 'overview' else ''}" for entry in ENTRIES if entry.is_listed
}
# Streamlit marks the page while a script or one of its parts runs; a skeleton stands where an answer is awaited.
_SETTLED = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  return app && app.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid^="stSkeleton"], [data-testid="stAppSkeleton"]')
    && document.querySelector('[data-testid="stMain"] h2, [data-testid="stMain"] h1, [data-testid="stMain"] h3');
}"""

# As Back does it.
_GO = """url => {
  history.pushState({}, '', url);
  dispatchEvent(new PopStateEvent('popstate'));
}"""

_TILES = """() => [...document.querySelectorAll('[data-testid="stMetric"]')].map(tile => [
  tile.querySelector('[data-testid="stMetricLabel"] p').textContent.trim(),
  tile.querySelector('[data-testid="stMetricValue"]').textContent.trim(),
])"""

# Together with a tab that is kept open and a page that does not move, these spare half of a browser's work: all tabs
# share one process, and with it the scripts it has compiled; no script runs long enough for the compiler that optimises
# most; and what is young has room, so that it is looked through seldom. A graphics card that is played by the processor
# takes another sixth.
_SPARING = (
    "--process-per-site",
    "--js-flags=--no-turbofan --min-semi-space-size=32",
    "--disable-software-rasterizer",
)


@dataclass
class Visit:
    """One tab, and what went on in it.

    Attributes:
        page: the tab.
        errors: what the browser's console said of errors.
        warnings: what it said of warnings.
        strangers: addresses of other machines that the page asked for.
        sockets: what the page and Streamlit speak through; all but the last are closed.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)

    def settle(self) -> None:
        """Waits until the page is drawn and nothing of it is still awaited."""
        self.page.wait_for_function(_SETTLED, timeout=TIMEOUT_MS)
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.wait_for_function(_SETTLED, timeout=TIMEOUT_MS)

    def goto(self, url: str) -> None:
        """Opens an address and waits until it is drawn."""
        self.page.goto(url)
        self.settle()

    def go(self, url: str) -> None:
        """Goes to another address of the application that is open, which takes half the work of loading it anew."""
        self.settle()
        # The page itself tells nothing for certain: while it is busy, "running" and "not running" may become one step.
        (socket,) = [socket for socket in self.sockets if not socket.is_closed()]
        with socket.expect_event("framereceived", _ends_a_script, timeout=TIMEOUT_MS):
            self.page.evaluate(_GO, url)
        self.settle()

    def arrive(self, address: str) -> None:
        """Waits until it is at an address like that; where it does not get there, says what the page shows instead."""
        try:
            self.page.wait_for_url(address)
        except BrowserError as fault:
            raise AssertionError(f"at {self.page.url}, not {address}; it shows: {self.text()}") from fault
        self.settle()

    def text(self) -> str:
        """What can be read on the page."""
        return self.page.inner_text("[data-testid=stMain]")

    def marks_behind(self, panel: str) -> Locator:
        """The list of a chart's marks, opened and entered with the keyboard, at its first entry."""
        self.page.locator(f".st-key-table-{panel} button").first.focus()
        self.page.keyboard.press("Enter")
        marks = self.page.get_by_role("combobox", name="Runs behind")
        marks.wait_for()
        self.settle()
        marks.focus()
        self.page.keyboard.press("ArrowDown")
        return self.page.get_by_role("option")

    def tile(self, label: str) -> str:
        """The number of a tile."""
        tiles: list[list[str]] = self.page.evaluate(_TILES)
        return next(value for name, value in tiles if name == label)


def _ends_a_script(frame: bytes | str) -> bool:
    """Whether Streamlit says in this message that a whole page has been told, rather than a part of one."""
    if isinstance(frame, str):
        return False
    message = ForwardMsg.FromString(frame)
    return (
        message.WhichOneof("type") == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
    )


@contextmanager
def chromium(*, sparing: bool = False) -> Iterator[Browser]:
    """A headless Chromium; fails with what to install where there is none.

    Args:
        sparing: whether it is for many short visits; not for measuring how fast pages are.
    """
    with sync_playwright() as playwright:
        arguments = [*launch_arguments(), *(_SPARING if sparing else ())]
        browser = playwright.chromium.launch(executable_path=find(), args=arguments)
        yield browser
        browser.close()


@contextmanager
def visit(
    browser: Browser, base_url: str, *, dark: bool = False, width: int = 1440, height: int = 1000
) -> Iterator[Visit]:
    """A tab in a session of its own.

    Args:
        browser: where it is opened.
        base_url: the dashboards; requests to any other machine are noted.
        dark: whether the person prefers dark.
        width: of the window, in pixels.
        height: of the window, in pixels.
    """
    with person(browser, dark=dark, width=width, height=height) as someone, new_tab(someone, base_url) as tab:
        yield tab


@contextmanager
def person(
    browser: Browser, *, dark: bool = False, width: int = 1440, height: int = 1000, kept: str = ""
) -> Iterator[BrowserContext]:
    """A person with a browser of their own, who keeps what it has loaded from one tab to the next.

    Args:
        browser: whose engine it is.
        dark: whether the person prefers dark.
        width: of their window, in pixels.
        height: of their window, in pixels.
        kept: the dashboards of a sparing browser; a tab stays open there, and pages do not move.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce" if kept else "no-preference",
        timezone_id="Europe/Berlin",
        accept_downloads=True,
    )
    context.set_default_timeout(TIMEOUT_MS)
    if kept:
        context.new_page().goto(f"{kept}/_stcore/health")
    try:
        yield context
    finally:
        context.close()


@contextmanager
def new_tab(context: BrowserContext, base_url: str) -> Iterator[Visit]:
    """A tab of a person, watched until it is closed.

    Args:
        context: the person.
        base_url: the dashboards; requests to any other machine are noted.
    """
    own = urlsplit(base_url).netloc
    tab = Visit(context.new_page())
    said = {"error": tab.errors, "warning": tab.warnings}

    def note(request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme in {"http", "https", "ws", "wss"} and asked.netloc != own:
            tab.strangers.append(request.url)

    tab.page.on("console", lambda message: said[message.type].append(message.text) if message.type in said else None)
    tab.page.on("websocket", lambda socket: tab.sockets.append(socket))
    tab.page.on("pageerror", lambda fault: tab.errors.append(str(fault)))
    context.on("request", note)
    try:
        yield tab
    finally:
        context.remove_listener("request", note)
        tab.page.close()
