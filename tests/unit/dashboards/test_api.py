"""Questions to the collector: what is asked once, and what faults become."""

import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from loopwatch_dashboards import errors
from loopwatch_dashboards.api import Collector, question
from loopwatch_dashboards.view import Window

WINDOW = Window(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
ANSWER = {"query": "q", "columns": [{"name": "runs", "unit": "runs"}], "rows": [[3]], "elapsed_ms": 1.5}


def test_the_same_question_is_asked_once() -> None:
    """Panels that share a query share its answer; another window is another question."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=ANSWER)

    collector = Collector("http://collector", transport=httpx.MockTransport(answer))
    first, again = (collector.query("q", WINDOW, {"agent": ["a"]}) for _ in range(2))
    assert first.result().rows == again.result().rows == [{"runs": 3}]
    collector.query("q", WINDOW.before, {"agent": ["a"]}).result()
    assert asked == ["/api/v1/queries/q"] * 2
    collector.close()


def test_questions_are_asked_side_by_side() -> None:
    """The second question is sent before the first is answered."""
    both_are_under_way = threading.Barrier(2, timeout=10)

    def answer(_: httpx.Request) -> httpx.Response:
        both_are_under_way.wait()
        return httpx.Response(200, json=ANSWER)

    collector = Collector("http://collector", transport=httpx.MockTransport(answer))
    futures = [collector.query(name, WINDOW, {}) for name in ("one", "other")]
    assert [future.result().total("runs") for future in futures] == [3, 3]
    collector.close()


def test_a_question_can_wait_for_a_more_urgent_one() -> None:
    """What is asked after another is not sent before that is answered, and is asked too when that has no answer."""
    urgent_may_go = threading.Event()
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if name == "urgent":
            assert urgent_may_go.wait(10)
        sent.append(name)
        return httpx.Response(404 if name == "urgent" else 200, json=ANSWER)

    collector = Collector("http://collector", transport=httpx.MockTransport(answer))
    urgent = collector.query("urgent", WINDOW, {})
    later = collector.query("later", WINDOW, {}, after=urgent)
    assert collector.query("beside", WINDOW, {}).result().total("runs") == 3
    assert not later.done()
    urgent_may_go.set()
    assert later.result().total("runs") == 3
    assert sent == ["beside", "urgent", "later"]
    with pytest.raises(errors.NotFound):
        urgent.result()
    collector.close()


def test_a_change_makes_answers_old() -> None:
    """After something was changed the same question is asked again."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(200, json=ANSWER)

    collector = Collector("http://collector", transport=httpx.MockTransport(answer))
    collector.query("q", WINDOW, {}).result()
    collector.change("POST", "/api/v1/verdicts", {"name": "x"})
    collector.query("q", WINDOW, {}).result()
    assert asked == ["GET", "POST", "GET"]
    collector.close()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.KeyRefused),
        (403, errors.KeyRefused),
        (404, errors.NotFound),
        (400, errors.QuestionRefused),
        (429, errors.CollectorBusy),
        (503, errors.CollectorBusy),
    ],
)
def test_refusals_are_told_apart(status: int, kind: type[errors.DashboardsError]) -> None:
    """Each refusal becomes the error of who can do something about it, in the collector's own words."""
    body = {"error": {"code": "c", "message": "Say it otherwise."}}
    collector = Collector(
        "http://collector", transport=httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    )
    with pytest.raises(kind, match=r"Say it otherwise\."):
        collector.query("q", WINDOW, {}).result()
    collector.close()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(httpx.ReadTimeout("slow"), errors.CollectorBusy), (httpx.ConnectError("down"), errors.CollectorUnreachable)],
)
def test_silence_is_told_from_absence(fault: httpx.HTTPError, kind: type[errors.DashboardsError]) -> None:
    """A collector that does not answer in time is busy; one that cannot be reached is down."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise fault

    collector = Collector("http://collector", transport=httpx.MockTransport(answer))
    with pytest.raises(kind):
        collector.query("q", WINDOW, {}).result()
    collector.close()


def test_equal_questions_have_equal_parameters() -> None:
    """The order in which filters and parameters are given does not make another question."""
    one = question(WINDOW, {"agent": ["a", "b"], "model": ["m"]}, limit=5, q=None)
    other = question(WINDOW, {"model": ["m"], "agent": ["b", "a"]}, q=None, limit=5)
    assert one == other
    assert ("limit", "5") in one
    assert [name for name, _ in one] == ["agent", "agent", "from", "limit", "model", "to"]


def test_rounded_window_covers_the_window() -> None:
    """A window widened to whole minutes begins and ends on them."""
    window = Window(WINDOW.start + timedelta(seconds=7), WINDOW.end - timedelta(seconds=7))
    assert window.rounded(60) == WINDOW
