"""A browser, the dashboards over a module's own collector, and a tab that is watched."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browsing import TIMEOUT_MS, Visit, chromium, new_tab, person
from tests.processes import Running, dashboards

# What is expected comes when it comes: a loaded machine takes longer, and that is no fault of the page.
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(sparing=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def shown(receiver: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Dashboards over the module's `receiver`."""
    with dashboards(tmp_path_factory.mktemp("shown"), receiver.url) as running:
        yield running


@pytest.fixture(scope="module")
def reader(browser: Browser, shown: Running) -> Iterator[BrowserContext]:
    """A person at a desk, for all tests of a module: the application is loaded once, each tab is a session anew."""
    with person(browser, kept=shown.url) as someone:
        yield someone


@pytest.fixture
def tab(reader: BrowserContext, shown: Running) -> Iterator[Visit]:
    """A tab in which, at the end, no error was logged and nothing was asked of another machine."""
    with new_tab(reader, shown.url) as opened:
        yield opened
        assert opened.strangers == []
        assert opened.errors == []


@pytest.fixture(scope="module")
def walked(reader: BrowserContext, shown: Running) -> Iterator[Visit]:
    """A tab for many addresses, one after another."""
    with new_tab(reader, shown.url) as opened:
        opened.goto(f"{shown.url}/system")
        yield opened


@pytest.fixture
def walk(walked: Visit) -> Iterator[Visit]:
    """The tab for many addresses; while a test was in it no error was logged and nothing asked of another machine."""
    walked.page.set_viewport_size({"width": 1440, "height": 1000})
    yield walked
    found = [*walked.strangers, *walked.errors]
    walked.strangers.clear()
    walked.errors.clear()
    assert found == []
