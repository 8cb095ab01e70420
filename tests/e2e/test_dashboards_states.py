"""What a person sees where some questions have an answer and one has none, or none yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsing import Visit
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


@pytest.fixture
def faced(receiver: Running) -> Iterator[Front]:
    with front(receiver.url) as opened:
        yield opened


@pytest.fixture
def shown(faced: Front, tmp_path: Path) -> Iterator[Running]:
    """Dashboards that see the collector through a front."""
    with dashboards(tmp_path, faced.url) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "question", "place", "drawn"),
    [
        ("/", "tokens_over_time", ".st-key-panel-tokens", "svg.marks"),
        ("/", "/runs?", "[data-testid=stMain]", "[data-testid=stMetric]"),
        ("/tools", "tool_summary", "[data-testid=stMain]", "[data-testid=stMetric]"),
        ("/system", "/system", "[data-testid=stMain]", "[data-testid=stMetric]"),
    ],
)
def test_what_is_not_answered_yet_is_awaited_in_words_and_outline(
    tab: Visit, faced: Front, shown: Running, path: str, question: str, place: str, drawn: str
) -> None:
    """A question under way is said to be, in its place, and nothing is drawn there before there is an answer."""
    faced.held.add(question)
    tab.page.goto(shown.url + path)
    where = tab.page.locator(place)
    where.locator("[data-testid=stSkeletonElement]").wait_for()
    assert "Asking the collector." in where.inner_text()
    assert where.locator(drawn).count() == 0
    faced.release.set()
    where.locator(drawn).first.wait_for()
    tab.settle()
    assert "Asking the collector." not in where.inner_text()


def test_what_is_answered_is_drawn_while_the_rest_is_awaited(tab: Visit, faced: Front, shown: Running) -> None:
    """A slow question keeps its own panel waiting, not those before it."""
    faced.held.add("tokens_over_time")
    tab.page.goto(shown.url)
    tab.page.locator(".st-key-panel-tokens [data-testid=stSkeletonElement]").wait_for()
    tab.page.locator(".st-key-panel-outcomes svg.marks").wait_for()
    assert tab.tile("Runs") == "6"


def test_what_the_collector_cannot_answer_now_is_said_in_its_place(tab: Visit, faced: Front, shown: Running) -> None:
    """A busy answer to one question is a sentence in that panel; all others are drawn."""
    faced.busy.add("tool_summary")
    tab.goto(shown.url)
    said = tab.page.locator(".st-key-panel-tools").inner_text()
    assert "The collector is busy." in said
    assert "Too much is asked at once." in said
    assert tab.page.locator(".st-key-panel-outcomes svg.marks").count()
