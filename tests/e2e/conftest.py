"""A browser, the dashboards over a module's own collector, and a tab that is watched."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browsing import Visit, chromium, visit
from tests.processes import Running, dashboards


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def shown(receiver: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Dashboards over the module's `receiver`."""
    with dashboards(tmp_path_factory.mktemp("shown"), receiver.url) as running:
        yield running


@pytest.fixture
def tab(browser: Browser, shown: Running) -> Iterator[Visit]:
    """A tab in which, at the end, no error was logged and nothing was asked of another machine."""
    with visit(browser, shown.url) as opened:
        yield opened
        assert opened.strangers == []
        assert opened.errors == []
