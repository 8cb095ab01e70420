"""What a person sees in the dashboards, in a real browser over real processes."""

import csv
import io
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pyarrow.parquet as pq
import pytest

from loopwatch_dashboards import formatting
from tests.browsing import Visit
from tests.processes import Running, collector, get, loopwatch, query, wait_for_runs, wait_until_stored

pytestmark = pytest.mark.browser
SUPPORT = Path(__file__).parents[1] / "data" / "chat" / "support.json"
HOSTILE = (
    '<script>window.hacked=1</script><img src="http://leak.example/a.png" onerror="window.hacked=2">'
    "![x](http://leak.example/b.png) [y](javascript:window.hacked=3) www.leak.example :red[z] $e^x$"
)
UNSEEN = "\x1b[31mred\x1b[0m user\u202egnp.exe"
LONG = "x" * 990_000  # the collector keeps a million characters of a body
RUN_ID = "feed" * 8


def _attributes(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def _hostile_request() -> bytes:
    """One run of which every name and every content is hostile, as OTLP JSON."""
    now_ns = time.time_ns() - 60_000_000_000
    shared = {
        "loopwatch.run.id": RUN_ID,
        "gen_ai.agent.name": HOSTILE,
        "gen_ai.agent.version": HOSTILE[:60],
        "gen_ai.conversation.id": HOSTILE,
        "loopwatch.customer.id": HOSTILE,
        "user.id": HOSTILE,
        "deployment.environment.name": HOSTILE,
    }
    message = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"{HOSTILE}\n{UNSEEN}\n{LONG}"}]}])
    answer = json.dumps([{"role": HOSTILE[:60], "parts": [{"type": "text", "content": HOSTILE}]}])

    def span(number: int, parent: int, name: str, kind: int, **values: Any) -> dict[str, Any]:
        return {
            "traceId": "ab" * 16,
            "spanId": f"{number:016x}",
            "parentSpanId": f"{parent:016x}" if parent else "",
            "name": name,
            "kind": kind,
            "startTimeUnixNano": str(now_ns + number * 1_000_000),
            "endTimeUnixNano": str(now_ns + 900_000_000),
            "attributes": _attributes(**shared, **values),
            "status": {"code": 2, "message": HOSTILE},
        }

    spans = [
        span(1, 0, f"invoke_agent {HOSTILE}", 1, **{
            "gen_ai.operation.name": "invoke_agent", "loopwatch.outcome": "escalated",
        }),
        span(2, 1, "iteration 1", 1, **{"loopwatch.kind": "iteration"}),
        span(3, 2, f"chat {HOSTILE}", 3, **{
            "gen_ai.operation.name": "chat", "gen_ai.request.model": HOSTILE, "gen_ai.provider.name": "anthropic",
            "gen_ai.input.messages": message, "gen_ai.output.messages": answer, "error.type": HOSTILE,
        }),
        span(4, 2, f"execute_tool {HOSTILE}", 1, **{
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": HOSTILE, "error.type": HOSTILE,
            "gen_ai.tool.call.arguments": json.dumps({HOSTILE: HOSTILE}), "gen_ai.tool.call.result": HOSTILE,
        }),
    ]  # fmt: skip
    for one in spans:
        one["attributes"].append({"key": "loopwatch.iteration", "value": {"intValue": "1"}})
    spans[0]["events"] = [
        {
            "name": "loopwatch.escalation",
            "timeUnixNano": str(now_ns + 800_000_000),
            "attributes": _attributes(**{f"loopwatch.escalation.{name}": HOSTILE for name in ("reason", "priority")}),
        }
    ]
    resource = {"attributes": _attributes(**{"service.name": HOSTILE})}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).encode()


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector with twelve runs counted by hand, runs of the reference agent, and a hostile one."""
    with collector(tmp_path_factory.mktemp("dashboards")) as running:
        options = ["--id", "task_id", "--id", "trial", "--outcome", "reward", "--start", "2026-01-31T09:00:00Z"]
        done = loopwatch("import", str(SUPPORT), "--format", "chat", *options, "--endpoint", running.url)
        assert done.returncode == 0, done.stderr
        words = ["agent", "run", "--runs", "10", "--capture", "--latency-scale", "0", "--endpoint", running.url]
        done = loopwatch(*words, timeout=240)
        assert done.returncode == 0, done.stderr
        headers = {"Content-Type": "application/json", "loopwatch-import": "true"}
        request = urllib.request.Request(f"{running.url}/v1/traces", _hostile_request(), headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert reply.status == 200
        wait_for_runs(running.url, 23)
        wait_until_stored(running.url)
        yield running


def _params(tab: Visit) -> dict[str, list[str]]:
    return parse_qs(urlsplit(tab.page.url).query)


def test_numbers_on_the_pages_are_the_apis(walk: Visit, shown: Running, receiver: Running) -> None:
    """Tiles show what the API answers to the same question, on imported and on generated runs."""
    (summary,) = query(receiver.url, "runs_summary")
    (iterations,) = query(receiver.url, "iterations_summary")
    (cost,) = query(receiver.url, "cost_summary")
    walk.go(f"{shown.url}/?range=all")
    assert walk.tile("Runs") == "23" == formatting.count(summary["runs"])
    assert walk.tile("Completed") == formatting.ratio(summary["completion_rate"])
    assert walk.tile("Cost") == formatting.usd(summary["cost_usd"])
    assert walk.tile("Tokens") == formatting.count(summary["total_tokens"])
    walk.go(f"{shown.url}/iterations?range=all")
    assert walk.tile("Mean") == formatting.count(iterations["mean"])
    assert walk.tile("p95") == formatting.count(iterations["p95"])
    walk.go(f"{shown.url}/cost?range=all")
    assert walk.tile("p95 of a run") == formatting.usd(cost["p95_cost_usd"])
    walk.go(f"{shown.url}/tools?range=all")
    assert walk.tile("Tool calls") == formatting.count(summary["tool_calls"])
    assert walk.tile("Errors") == formatting.count(summary["tool_errors"])
    walk.go(f"{shown.url}/escalations?range=all")
    (escalations,) = query(receiver.url, "escalations_summary")
    assert walk.tile("Escalated") == formatting.count(escalations["escalated"])
    assert walk.tile("Cost until then") == formatting.usd(escalations["mean_cost_usd"])
    walk.go(f"{shown.url}/quality?range=all")
    assert walk.tile("Completed") == formatting.ratio(summary["completion_rate"])
    walk.go(f"{shown.url}/runs?range=all")
    assert "The first 23 runs, latest first." in walk.text()
    walk.go(f"{shown.url}/conversations?range=all")
    named = [row for row in query(receiver.url, "conversations") if row["conversation_id"]]
    assert f"The latest {formatting.plural(len(named), 'conversation')}" in walk.text()
    walk.go(f"{shown.url}/system")
    assert walk.tile("Stored") == formatting.count(get(f"{receiver.url}/api/v1/system")["written_spans"])


@pytest.mark.parametrize("agent", ["support", "incident-resolver"])
def test_numbers_of_a_run_are_the_apis(walk: Visit, shown: Running, receiver: Running, agent: str) -> None:
    """The page of a run, imported or generated, has the API's numbers of it, as tiles and in its sentence."""
    listed = get(f"{receiver.url}/api/v1/runs", agent=agent, **{"from": "2026-01-01", "to": "2100-01-01"})["runs"]
    run = max(listed, key=lambda one: one["tool_errors"])
    walk.go(f"{shown.url}/run?run={run['run_id']}")
    cap = f" of {run['iteration_cap']}" if run["iteration_cap"] else ""
    assert walk.tile("Iterations") == formatting.count(run["iterations"]) + cap
    assert walk.tile("Duration") == formatting.duration(run["duration_ns"])
    assert walk.tile("Tool calls") == formatting.count(run["tool_calls"])
    assert walk.tile("Model calls") == formatting.count(run["model_calls"])
    is_reported = bool(run["total_tokens"])
    assert walk.tile("Tokens") == formatting.count(run["total_tokens"] if is_reported else None)
    assert walk.tile("Cost") == formatting.usd(run["cost_usd"] if is_reported else None)
    spans = get(f"{receiver.url}/api/v1/runs/{run['run_id']}/spans")["spans"]
    assert f"{len(spans)} spans, " in walk.text()


def test_numbers_of_rules_are_the_apis(walk: Visit, shown: Running, receiver: Running) -> None:
    """The Rules page counts the rules that the API lists."""
    rules = get(f"{receiver.url}/api/v1/rules")["rules"]
    walk.go(f"{shown.url}/rules")
    assert f"{len(rules)} rules, {sum(bool(one['state']['firing']) for one in rules)} firing" in walk.text()


def test_shared_link_opens_the_same_view(tab: Visit, shown: Running, receiver: Running) -> None:
    """Time range and filters of a link are in force, on every page the reader goes on to."""
    (summary,) = query(receiver.url, "runs_summary", agent="support")
    tab.goto(f"{shown.url}/?range=all&agent=support")
    assert tab.tile("Runs") == formatting.count(summary["runs"]) == "12"
    tab.page.get_by_test_id("stSidebar").get_by_role("link", name="Iterations").click()
    tab.page.wait_for_url("**/iterations?**")
    tab.settle()
    assert _params(tab) == {"range": ["all"], "agent": ["support"]}
    assert (tab.tile("p50"), tab.tile("Max")) == ("3", "4")


def test_way_from_a_bar_to_a_span_and_back(tab: Visit, shown: Running) -> None:
    """A bar leads to exactly its runs, a row to its run, a bar there to its span; Back goes the same way back."""
    tab.goto(f"{shown.url}/?range=all&agent=support")
    addresses = [tab.page.url]
    bar = tab.page.locator(".st-key-panel-outcomes svg g.mark-rect path").first
    label = bar.get_attribute("aria-label") or ""
    bar.click()
    tab.page.wait_for_url("**/runs?**")
    tab.settle()
    outcome = label.partition("outcome: ")[2].partition(";")[0]
    runs = label.rpartition("runs: ")[2]
    assert _params(tab)["outcome"] == [outcome]
    assert f"{runs} run" in tab.text()
    addresses.append(tab.page.url)
    tab.page.locator("[data-testid=stDataFrame] .dvn-scroller").first.click(position={"x": 320, "y": 52})
    tab.page.wait_for_url("**/run?**")
    tab.settle()
    assert "This run" in tab.text()
    assert _params(tab)["agent"] == ["support"]
    addresses.append(tab.page.url)
    tab.page.locator(".st-key-panel-waterfall svg g.mark-rect path").nth(1).click()
    tab.page.wait_for_url("**span=**")
    tab.settle()
    assert _params(tab)["run"] == parse_qs(urlsplit(addresses[-1]).query)["run"]
    for address in reversed(addresses[1:]):
        tab.page.go_back()
        tab.page.wait_for_url(address)
        tab.settle()


def test_a_duration_on_its_bar_leaves_the_bar_its_click(tab: Visit, shown: Running, receiver: Running) -> None:
    """A span that lasts nearly throughout has its duration on its bar; a click there opens the span like the bar."""
    run_id = query(receiver.url, "cost_top_runs", agent="incident-resolver")[0]["run_id"]
    tab.goto(f"{shown.url}/run?run={run_id}")
    marks = tab.page.locator(".st-key-panel-waterfall svg")
    marks.locator("g.mark-rect path").first.scroll_into_view_if_needed()  # below what went wrong, where much did
    bar = marks.locator("g.mark-rect path").first.bounding_box()
    assert bar
    boxes = [text.bounding_box() for text in marks.locator("g.mark-text.role-mark text").all()]
    middles = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes if box]
    on_bar = [(x, y) for x, y in middles if 0 < x - bar["x"] < bar["width"] and 0 < y - bar["y"] < bar["height"]]
    assert len(on_bar) == 1
    tab.page.mouse.click(*on_bar[0])
    tab.page.wait_for_url("**span=**")
    tab.settle()
    root = next(one for one in get(f"{receiver.url}/api/v1/runs/{run_id}/spans")["spans"] if one["kind"] == "run")
    assert _params(tab)["span"] == [root["span_id"]]


def test_permalink_opens_its_span(tab: Visit, shown: Running, receiver: Running) -> None:
    """An address with a span opens the run with that span beside it."""
    run_id = query(receiver.url, "cost_top_runs", agent="incident-resolver")[0]["run_id"]
    spans = get(f"{receiver.url}/api/v1/runs/{run_id}/spans")["spans"]
    span = next(one for one in spans if one["kind"] == "model_call")
    tab.goto(f"{shown.url}/run?run={run_id}&span={span['span_id']}")
    beside = tab.page.locator(".st-key-panel-span").inner_text().replace("\u2060", "")
    assert "model call" in beside
    assert span["model"] in beside


def test_two_ticked_runs_are_compared(tab: Visit, shown: Running) -> None:
    """Two ticks in the list offer to compare those two runs, side by side."""
    tab.goto(f"{shown.url}/runs?range=all&agent=incident-resolver")
    for row in (52, 86):
        tab.page.locator("[data-testid=stDataFrame] .dvn-scroller").first.click(position={"x": 17, "y": row})
        tab.settle()
    tab.page.get_by_role("link", name="Compare the two").click()
    tab.page.wait_for_url("**/compare?**")
    tab.settle()
    sides = _params(tab)
    assert sides["left"] != sides["right"]
    assert "Two runs side by side" in tab.text()
    assert tab.page.get_by_text("Iteration 1").count() == 2


def test_list_is_downloaded_as_parquet(tab: Visit, shown: Running) -> None:
    """The Parquet file holds the same runs as the list, numbers as numbers."""
    tab.goto(f"{shown.url}/runs?range=all&agent=support")
    with tab.page.expect_download() as waiting:
        tab.page.get_by_role("button", name="Parquet", exact=True).click()
    rows = pq.read_table(Path(waiting.value.path())).to_pylist()
    assert len(rows) == 12
    assert {type(row["iterations"]) for row in rows} == {int}


def test_list_is_downloaded_as_csv(tab: Visit, shown: Running) -> None:
    """The file holds every run that matches, and no cell that a spreadsheet would run."""
    tab.goto(f"{shown.url}/runs?range=all&agent=support")
    with tab.page.expect_download() as waiting:
        tab.page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
    assert len(rows) == 12
    assert {row["agent"] for row in rows} == {"support"}


@pytest.mark.parametrize(
    "path",
    [
        "/", "/iterations", "/iterations?show=long", "/tools", "/tools?show=latency", "/tools?show=agents",
        "/tools?show=offered", "/cost", "/cost?show=dearest", "/cost?show=caching", "/cost?by=customer", "/escalations",
        "/quality", "/quality?show=versions", "/runs", "/conversations", "/system", "/alerts", "/rules",
        f"/compare?left={RUN_ID}&right={RUN_ID}",
        f"/run?run={RUN_ID}", f"/run?run={RUN_ID}&span=0000000000000003", f"/run?run={RUN_ID}&show=graph",
        f"/run?run={RUN_ID}&show=raw", f"/run?run={RUN_ID}&show=conversation",
        "/tools?" + urlencode({"tool": HOSTILE}), "/?" + urlencode({"agent": HOSTILE}),
    ],
)  # fmt: skip
def test_hostile_content_is_text(walk: Visit, shown: Running, path: str) -> None:
    """Script, Markdown images, escapes and a megabyte from a trace are text: nothing runs, loads or breaks the page."""
    walk.go(f"{shown.url}{path}{'&' if '?' in path else '?'}range=all")
    assert walk.page.evaluate("window.hacked") is None
    sources = walk.page.evaluate("[...document.querySelectorAll('img, iframe, object')].map(e => e.src || '')")
    assert [source for source in sources if "leak" in source] == []
    links = walk.page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] a')].map(a => a.getAttribute('href'))"
    )
    assert [link for link in links if link.startswith(("javascript:", "http://leak", "http://www.leak"))] == []
    assert "fault of its own" not in walk.text()


def test_hostile_words_can_be_read(tab: Visit, shown: Running) -> None:
    """What the trace says is on the page as it was written, its hidden characters made visible."""
    tab.goto(f"{shown.url}/run?run={RUN_ID}")
    text = tab.text().replace("\u2060", "")
    assert "<script>window.hacked=1</script>" in text
    assert "![x](http://leak.example/b.png)" in text
    assert "␛[31mred" in text
    assert "user⟨U+202E⟩gnp.exe" in text
    assert "more characters not shown" in text


def test_live_refresh_keeps_the_place(tab: Visit, shown: Running, receiver: Running) -> None:
    """With live refresh a new run shows up by itself; the reader's place on the page stays."""
    tab.goto(f"{shown.url}/?live=5&agent=late")
    words = ["import", str(SUPPORT), "--format", "chat", "--id", "task_id", "--id", "trial", "--agent", "late"]
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1800))
    assert "No runs" in tab.text()
    assert loopwatch(*words, "--start", start, "--endpoint", receiver.url).returncode == 0
    tab.page.get_by_test_id("stMetric").first.wait_for(timeout=60_000)
    tab.settle()
    tab.page.locator(".st-key-panel-agents").scroll_into_view_if_needed()
    place = tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    assert place > 0
    asked = tab.page.evaluate("performance.now()")
    tab.page.wait_for_function(f"() => performance.now() > {asked} + 7000")
    assert tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == place
    assert _params(tab) == {"live": ["5"], "agent": ["late"]}


def test_wide_window(tab: Visit, shown: Running) -> None:
    """On a wall the page is as wide as the window and nothing sticks out; phones have a test for every page."""
    tab.page.set_viewport_size({"width": 1920, "height": 1080})
    tab.goto(f"{shown.url}/?range=all")
    main = "document.querySelector('[data-testid=stMain]')"
    assert tab.page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth + 1")
