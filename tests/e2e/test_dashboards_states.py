"""What a person sees where some questions have an answer and one has none, or none yet."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browsing import LISTED_PAGES, Visit
from tests.integration.dashboards.fronts import Front, front
from tests.processes import Running, collector, dashboards, loopwatch, query, wait_for, wait_until_stored

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector with a few runs of the reference agent."""
    with collector(tmp_path_factory.mktemp("states")) as running:
        _run_agents(running, 6)
        yield running


def _run_agents(receiver: Running, runs: int) -> None:
    words = ["agent", "run", "--runs", str(runs), "--latency-scale", "0", "--endpoint", receiver.url]
    done = loopwatch(*words, timeout=240)
    assert done.returncode == 0, done.stderr
    wait_until_stored(receiver.url)


@pytest.fixture(scope="module")
def facing(receiver: Running) -> Iterator[Front]:
    with front(receiver.url) as opened:
        yield opened


@pytest.fixture
def faced(facing: Front) -> Iterator[Front]:
    """The front between dashboards and collector. Each test asks about a range of its own, answered to no other."""
    yield facing
    facing.calm()


@pytest.fixture(scope="module")
def shown(facing: Front, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Dashboards that see the collector through a front."""
    with dashboards(tmp_path_factory.mktemp("shown"), facing.url) as running:
        yield running


MAIN = "[data-testid=stMain]"


@pytest.mark.parametrize(
    ("path", "question", "place", "drawn"),
    [
        ("/?range=15m", "tokens_over_time", ".st-key-panel-tokens", "svg.marks"),
        ("/?range=1h", "/runs?", MAIN, "[data-testid=stMetric]"),
        ("/?range=90d", "filter_values", MAIN, "[data-testid=stMetric]"),
        ("/tools", "tool_summary", MAIN, "[data-testid=stMetric]"),
        ("/system", "/system", MAIN, "[data-testid=stMetric]"),
        ("/alerts", "/alerts", MAIN, "[data-testid=stAlert]"),
        ("/rules", "/rules", MAIN, "[data-testid=stDataFrame]"),
        ("/run?run={run}", "/spans", MAIN, ".st-key-panel-waterfall"),
        ("/compare?left={other}&right={other}", "/spans", MAIN, "[class*=st-key-bubble-]"),
    ],
)
def test_what_is_not_answered_yet_is_awaited_in_words_and_outline(
    tab: Visit, faced: Front, receiver: Running, shown: Running, path: str, question: str, place: str, drawn: str
) -> None:
    """A question under way is said to be, in its place, and nothing is drawn there before there is an answer."""
    run, other = (str(row["run_id"]) for row in query(receiver.url, "cost_top_runs", limit=2))
    faced.held.add(question)
    tab.page.goto(shown.url + path.format(run=run, other=other))
    where = tab.page.locator(place)
    assert faced.reached.wait(60)
    expect(where).to_contain_text("Asking the collector.")
    expect(where.locator("[data-testid=stSkeletonElement]")).to_be_visible()
    assert where.locator(drawn).count() == 0
    faced.release.set()
    where.locator(drawn).first.wait_for()
    tab.settle()
    assert "Asking the collector." not in where.inner_text()


def test_what_is_answered_is_drawn_while_the_rest_is_awaited(tab: Visit, faced: Front, shown: Running) -> None:
    """A slow question keeps its own panel waiting, not those before it."""
    faced.held.add("tokens_over_time")
    tab.page.goto(f"{shown.url}/?range=7d")
    tab.page.locator(".st-key-panel-tokens [data-testid=stSkeletonElement]").wait_for()
    tab.page.locator(".st-key-panel-outcomes svg.marks").wait_for()
    assert tab.tile("Runs") == "6"


@pytest.mark.parametrize(
    ("path", "question", "place"),
    [
        ("/?range=30d", "tool_summary", ".st-key-panel-tools"),
        ("/escalations?range=30d", "escalation_reasons", ".st-key-panel-escalation-reasons"),
    ],
)
def test_what_the_collector_cannot_answer_now_is_said_in_its_place(
    tab: Visit, faced: Front, shown: Running, path: str, question: str, place: str
) -> None:
    """A busy answer to one question is a sentence in that panel; all others are drawn."""
    faced.busy.add(question)
    tab.goto(shown.url + path)
    said = tab.page.locator(place).inner_text()
    assert "The collector is busy." in said
    assert "Too much is asked at once." in said
    assert tab.page.locator("[data-testid=stMetric]").count()
    assert tab.page.locator("svg.marks").count()


@pytest.mark.parametrize(
    ("path", "question"),
    [("/cost?range=30d", "/reprice"), ("/cost?range=7d", "cost_forecast"), ("/?range=all", "filter_values")],
)
def test_what_a_page_can_do_without_takes_nothing_away(
    tab: Visit, faced: Front, shown: Running, path: str, question: str
) -> None:
    """Where the collector is too busy for a side question, the page is drawn without its answer."""
    faced.busy.add(question)
    tab.goto(shown.url + path)
    assert "The collector is busy." not in tab.text()
    assert tab.page.locator("[data-testid=stMetric]").count() >= 8
    assert tab.page.locator("svg.marks").count()


def test_live_refresh_leaves_what_is_drawn_while_answers_are_awaited(
    tab: Visit, faced: Front, receiver: Running, shown: Running
) -> None:
    """While a refresh waits for slow answers the numbers and the place stay as they are; then the new ones come."""
    tab.goto(f"{shown.url}/?range=6h&live=5")
    before = tab.tile("Runs")
    tab.page.locator(".st-key-panel-agents").scroll_into_view_if_needed()
    place = tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    assert place > 0
    faced.held.add("runs_summary")
    assert faced.reached.wait(60)
    asked = tab.page.evaluate("performance.now()")
    tab.page.wait_for_function(f"() => performance.now() > {asked} + 1500")
    assert tab.page.locator("[data-testid=stSkeletonElement]").count() == 0
    assert tab.tile("Runs") == before
    assert tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == place
    faced.release.set()
    _run_agents(receiver, 1)
    tab.page.wait_for_function(
        "before => document.querySelector('.st-key-tile-runs [data-testid=stMetricValue]').innerText.trim() !== before",
        arg=before,
    )
    assert tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == place


@pytest.mark.parametrize("name", LISTED_PAGES)
def test_page_asks_each_question_once_and_for_no_content(tab: Visit, faced: Front, shown: Running, name: str) -> None:
    """Nothing is fetched twice for a page, and no list or chart fetches what messages say."""
    tab.goto(f"{shown.url}/system")  # what every page asks at first is asked here
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    between = urlencode({"from": start.isoformat(), "to": (start + timedelta(hours=4, minutes=59)).isoformat()})
    faced.asked.clear()
    tab.go(f"{LISTED_PAGES[name]}?{between}&agent=incident-resolver")
    asked = [f"{urlsplit(path).path}?{sorted(parse_qs(urlsplit(path).query).items())}" for path in faced.asked]
    assert asked
    assert sorted(asked) == sorted(set(asked))
    assert [path for path in asked if "content" in path or path.partition("?")[0].endswith("/spans")] == []


def test_questions_of_a_page_are_under_way_together(tab: Visit, faced: Front, shown: Running) -> None:
    """While one answer is held back, the page's other questions are asked and answered."""
    faced.asked.clear()
    faced.held.add("tokens_over_time")
    tab.page.goto(f"{shown.url}/?range=1h")
    assert faced.reached.wait(60)
    tab.page.locator(".st-key-panel-outcomes svg.marks").wait_for()
    wait_for(
        lambda: all(
            any(name in path for path in faced.asked) for name in ("cost_over_time", "tool_summary", "outcomes_by")
        ),
        "the other questions are asked",
    )
