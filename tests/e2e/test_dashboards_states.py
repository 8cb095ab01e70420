"""What a person sees while there is no answer yet, only some, or none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browsing import Visit, chromium, visit
from tests.integration.dashboards.fronts import Front, front
from tests.processes import Running, collector, dashboards, loopwatch, wait_until_stored

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("dashboards-states")]


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector with a few runs of the reference agent."""
    with collector(tmp_path_factory.mktemp("states")) as running:
        words = ["agent", "run", "--runs", "6", "--latency-scale", "0", "--endpoint", running.url]
        done = loopwatch(*words)
        assert done.returncode == 0, done.stderr
        wait_until_stored(running.url)
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def faced(receiver: Running) -> Iterator[Front]:
    with front(receiver.url) as opened:
        yield opened


@pytest.fixture
def tab(browser: Browser, faced: Front, tmp_path: Path) -> Iterator[Visit]:
    """A tab on dashboards that see the collector through a front."""
    with dashboards(tmp_path, faced.url) as shown, visit(browser, shown.url) as opened:
        opened.page.goto(shown.url)
        yield opened
        assert opened.errors == []


def test_what_is_slow_is_awaited_and_the_rest_is_there(tab: Visit, faced: Front) -> None:
    """While a question is under way its panel waits in outline, the others are drawn; then it is drawn too."""
    faced.held.add("tokens_over_time")
    tab.page.reload()
    tab.page.locator(".st-key-panel-outcomes svg.marks").wait_for()
    waiting = tab.page.locator(".st-key-panel-tokens [data-testid=stSkeleton]")
    waiting.wait_for()
    faced.release.set()
    tab.page.locator(".st-key-panel-tokens svg.marks").wait_for()
    tab.settle()
    assert waiting.count() == 0


def test_what_the_collector_cannot_answer_now_is_said_in_its_place(tab: Visit, faced: Front) -> None:
    """A busy answer to one question is a sentence in that panel; all others are drawn."""
    tab.settle()
    faced.busy.add("tool_summary")
    tab.page.goto(tab.page.url + "?range=6h")
    tab.settle()
    said = tab.page.locator(".st-key-panel-tools").inner_text()
    assert "The collector is busy." in said
    assert "Too much is asked at once." in said
    assert tab.page.locator(".st-key-panel-outcomes svg.marks").count()
