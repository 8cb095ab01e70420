"""A person's browser in front of the dashboards: opened, settled, watched for requests that leave and for errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.chromium import find, launch_arguments

TIMEOUT_MS = 60_000
# Streamlit marks the page while a script or one of its parts runs; a skeleton stands where an answer is awaited.
_SETTLED = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  return app && app.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid^="stSkeleton"], [data-testid="stAppSkeleton"]')
    && document.querySelector('[data-testid="stMain"] h2, [data-testid="stMain"] h1, [data-testid="stMain"] h3');
}"""

_TILES = """() => [...document.querySelectorAll('[data-testid="stMetric"]')].map(tile => [
  tile.querySelector('[data-testid="stMetricLabel"] p').textContent.trim(),
  tile.querySelector('[data-testid="stMetricValue"]').textContent.trim(),
])"""


@dataclass
class Visit:
    """One tab, and what went on in it.

    Attributes:
        page: the tab.
        errors: what the browser's console said of errors.
        warnings: what it said of warnings.
        strangers: addresses of other machines that the page asked for.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def settle(self) -> None:
        """Waits until the page is drawn and nothing of it is still awaited."""
        self.page.wait_for_function(_SETTLED, timeout=TIMEOUT_MS)
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.wait_for_function(_SETTLED, timeout=TIMEOUT_MS)

    def goto(self, url: str) -> None:
        """Opens an address and waits until it is drawn."""
        self.page.goto(url)
        self.settle()

    def text(self) -> str:
        """What can be read on the page."""
        return self.page.inner_text("[data-testid=stMain]")

    def tile(self, label: str) -> str:
        """The number of a tile."""
        tiles: list[list[str]] = self.page.evaluate(_TILES)
        return next(value for name, value in tiles if name == label)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium; fails with what to install where there is none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=launch_arguments())
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
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        timezone_id="Europe/Berlin",
        accept_downloads=True,
    )
    context.set_default_timeout(TIMEOUT_MS)
    tab = Visit(context.new_page())
    own = urlsplit(base_url).netloc
    said = {"error": tab.errors, "warning": tab.warnings}
    tab.page.on("console", lambda message: said[message.type].append(message.text) if message.type in said else None)
    tab.page.on("pageerror", lambda fault: tab.errors.append(str(fault)))
    context.on(
        "request",
        lambda request: (
            tab.strangers.append(request.url)
            if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"} and urlsplit(request.url).netloc != own
            else None
        ),
    )
    try:
        yield tab
    finally:
        context.close()
