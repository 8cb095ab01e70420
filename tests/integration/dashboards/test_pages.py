"""Each page's logic, run by Streamlit's own test frame over a real collector."""

import json
from typing import Any

import altair as alt
import pytest
from streamlit.testing.v1 import AppTest

from loopwatch_dashboards import formatting, navigation
from tests.processes import Running, get, query

PAGES = tuple(entry.path for entry in navigation.ENTRIES)


def _script(name: str) -> None:
    """What app.py does, with a page of choice: the test frame cannot follow a path to a page that is a function."""
    import streamlit as st

    from loopwatch_dashboards import navigation, page

    st.navigation(list(navigation.pages().values()), position="hidden")
    getattr(page, name)()


def _open(monkeypatch: pytest.MonkeyPatch, receiver: Running, name: str, **params: Any) -> AppTest:
    monkeypatch.setenv("LOOPWATCH_ENDPOINT", receiver.url)
    monkeypatch.setenv("LOOPWATCH_API_KEY", str(params.pop("key", "")))
    app = AppTest.from_function(_script, kwargs={"name": name}, default_timeout=60)
    app.query_params.update({"range": "all", **params})
    return app.run()


def _tiles(app: AppTest) -> dict[str, str]:
    return {tile.label: tile.value for tile in app.metric}


def _said(app: AppTest) -> str:
    kinds = ("markdown", "caption", "error", "warning", "info", "success", "code", "text")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def _listed(app: AppTest) -> Any:
    """The list of runs; the help of the filter is a table too."""
    return next(table.value for table in app.dataframe if "run_id" in table.value.columns)


@pytest.mark.parametrize("name", PAGES)
def test_page_draws_a_fleet_without_faults(monkeypatch: pytest.MonkeyPatch, simulated: Running, name: str) -> None:
    """Every page draws a fleet with loops, verdicts, escalations and unpriced models: no fault, no warning."""
    top = query(simulated.url, "cost_top_runs")
    ids = {"run": top[0]["run_id"], "left": top[0]["run_id"], "right": top[1]["run_id"]}
    app = _open(monkeypatch, simulated, name, **(ids if name in {"run", "compare"} else {}))
    assert not app.exception
    assert [box.value for box in (*app.error, *app.warning)] == []
    for chart in app.get("vega_lite_chart"):
        # Checks it against Vega-Lite's schema, which pages do without; its data went another way.
        alt.Chart.from_dict({"data": {"values": []}, **json.loads(chart.proto.spec)})


@pytest.mark.parametrize("name", ["overview", "iterations", "tools", "cost", "escalations", "quality", "conversations"])
def test_page_draws_runs_without_usage(monkeypatch: pytest.MonkeyPatch, imported: Running, name: str) -> None:
    """Transcripts without tokens, verdicts or confidence are drawn too."""
    app = _open(monkeypatch, imported, name)
    assert not app.exception
    assert [box.value for box in (*app.error, *app.warning)] == []


def test_overview_shows_the_numbers_of_the_api(monkeypatch: pytest.MonkeyPatch, imported: Running) -> None:
    """The tiles are the API's numbers, formatted, over the same time and filters."""
    (summary,) = query(imported.url, "runs_summary")
    tiles = _tiles(_open(monkeypatch, imported, "overview"))
    assert tiles["Runs"] == "12"
    assert tiles["Completed"] == formatting.ratio(summary["completion_rate"])
    assert tiles["Escalated"] == formatting.ratio(summary["escalation_rate"])
    assert tiles["Tool errors"] == formatting.ratio(summary["tool_errors"] / summary["tool_calls"])
    assert tiles["p95 duration"] == formatting.duration(summary["p95_duration_ns"])


def test_change_is_against_the_period_before(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """Each tile's change is that of its number between this range and the one of the same length before it."""
    start, middle, end = (f"2026-01-{day}T00:00:00Z" for day in ("25", "28", "31"))
    app = _open(monkeypatch, simulated, "overview", **{"range": "", "from": middle, "to": end})
    before, now = (
        query(simulated.url, "runs_summary", **{"from": first, "to": last})[0]
        for first, last in ((start, middle), (middle, end))
    )
    deltas = {tile.label: tile.delta for tile in app.metric}
    assert now["runs"] != before["runs"]
    assert deltas["Runs"] == formatting.change(now["runs"], before["runs"])
    assert deltas["Cost"] == formatting.change(now["cost_usd"], before["cost_usd"])
    assert deltas["Completed"] == formatting.points(now["completion_rate"], before["completion_rate"])
    assert deltas["p95 duration"] == formatting.change(now["p95_duration_ns"], before["p95_duration_ns"])


def test_iterations_and_tools_show_hand_counted_numbers(monkeypatch: pytest.MonkeyPatch, imported: Running) -> None:
    """The imported transcripts' counts, made by hand, stand on the pages."""
    iterations = _tiles(_open(monkeypatch, imported, "iterations"))
    assert (iterations["p50"], iterations["Max"]) == ("3", "4")
    (summary,) = query(imported.url, "runs_summary")
    tools = _tiles(_open(monkeypatch, imported, "tools"))
    assert (tools["Tool calls"], tools["Errors"]) == (str(summary["tool_calls"]), str(summary["tool_errors"]))


@pytest.mark.parametrize("agent", ["code-reviewer", "support-triage"])
def test_filter_of_the_url_narrows_every_number(
    monkeypatch: pytest.MonkeyPatch, simulated: Running, agent: str
) -> None:
    """A filter in the URL narrows the numbers as it narrows the API's, and is shown as chosen."""
    (summary,) = query(simulated.url, "runs_summary", agent=agent)
    app = _open(monkeypatch, simulated, "overview", agent=agent)
    assert _tiles(app)["Runs"] == formatting.count(summary["runs"])
    assert app.multiselect(key="control-agent").value == [agent]


def test_condition_of_the_url_narrows_every_number(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """A condition of the filter language in the URL applies to every page."""
    where = "iterations > 4 and outcome = completed"
    (summary,) = query(simulated.url, "cost_summary", q=where)
    app = _open(monkeypatch, simulated, "cost", q=where)
    assert _tiles(app)["Cost"] == formatting.usd(summary["cost_usd"])


def test_condition_that_cannot_be_read_is_pointed_at(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """A typing mistake in the filter is one sentence with what was meant, and a mark under the place."""
    app = _open(monkeypatch, simulated, "runs", q="cost > 1 and outcom = failed")
    assert "outcome" in app.warning[0].value
    marks = [code.value.splitlines()[1].find("^") for code in app.code if "^" in code.value]
    assert marks == [13]


def test_changing_a_filter_writes_the_url(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """What is chosen on the page goes into the URL; what the page keeps there stays."""
    app = _open(monkeypatch, simulated, "iterations", by="agent")
    app.multiselect(key="control-agent").set_value(["summarizer"]).run()
    assert app.query_params == {"range": "all", "by": "agent", "agent": "summarizer"}
    app.selectbox(key="control-range").set_value("90d").run()
    assert app.query_params == {"range": "90d", "by": "agent", "agent": "summarizer"}


def test_custom_range_starts_as_what_was_shown(monkeypatch: pytest.MonkeyPatch, imported: Running) -> None:
    """Choosing a custom range puts its two ends into the URL."""
    app = _open(monkeypatch, imported, "overview")
    app.selectbox(key="control-range").set_value("custom").run()
    assert "range" not in app.query_params
    assert app.query_params["from"].startswith("2026-01-31")


def test_run_tells_its_story(monkeypatch: pytest.MonkeyPatch, imported: Running) -> None:
    """A run's page says in a sentence how it ended, and shows every message as text."""
    listed = get(f"{imported.url}/api/v1/runs", **{"from": "2026-01-01", "to": "2026-12-01"})["runs"]
    escalated = next(run for run in listed if run["outcome"] == "escalated")
    app = _open(monkeypatch, imported, "run", run=escalated["run_id"])
    assert "was handed to a human after" in _said(app)
    assert _tiles(app)["Tool calls"] == str(escalated["tool_calls"])
    assert _tiles(app)["Cost"] == "–"
    spans = get(f"{imported.url}/api/v1/runs/{escalated['run_id']}/spans", content="true")
    assert spans["contents"]
    assert app.get("chat_message")


def test_verdict_given_on_the_page_is_stored(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """A comment given on a run's page is in the API and on the page."""
    run_id = query(simulated.url, "cost_top_runs")[3]["run_id"]
    app = _open(monkeypatch, simulated, "run", run=run_id, show="verdicts")
    app.text_area[0].set_value("too many searches")
    app.text_input[0].set_value("ana")
    app.button[0].click().run()
    found = get(f"{simulated.url}/api/v1/verdicts", run_id=run_id, name="user_feedback")["verdicts"]
    assert [(one["author"], one["comment"]) for one in found] == [("ana", "too many searches")]


def test_unknown_run_is_said_plainly(monkeypatch: pytest.MonkeyPatch, imported: Running) -> None:
    """A link to a run that is not there says so."""
    app = _open(monkeypatch, imported, "run", run="0" * 32)
    assert "Not found" in app.info[0].value


def test_empty_store_says_what_to_do(monkeypatch: pytest.MonkeyPatch, empty: Running) -> None:
    """Without any run the page says how to get one, and where to send spans."""
    app = _open(monkeypatch, empty, "overview", key="secret")
    assert "No runs yet" in app.info[0].value
    (told,) = [code.value for code in app.code if "loopwatch demo" in code.value]
    assert empty.url in told


def test_empty_range_leads_to_where_runs_are(monkeypatch: pytest.MonkeyPatch, imported: Running) -> None:
    """A range without runs says so; one click shows all."""
    app = _open(monkeypatch, imported, "overview", range="15m", agent="nobody")
    assert "with these filters" in app.info[0].value
    app.button[0].click().run()
    assert _tiles(app)["Runs"] == "12"
    assert "agent" not in app.query_params


@pytest.mark.parametrize("name", PAGES[:-2])
def test_wrong_key_is_said_plainly(monkeypatch: pytest.MonkeyPatch, empty: Running, name: str) -> None:
    """A key that the collector refuses is named as the reason, with the variable to set."""
    app = _open(monkeypatch, empty, name, key="wrong")
    assert not app.exception
    assert "refuses this key" in app.error[0].value
    assert any("LOOPWATCH_API_KEY" in code.value for code in app.code)


@pytest.mark.parametrize("name", PAGES[:-2])
def test_no_collector_is_said_plainly(monkeypatch: pytest.MonkeyPatch, empty: Running, name: str) -> None:
    """Without a collector each page says where it looked and how to start one."""
    nowhere = Running(empty.process, "http://127.0.0.1:9", empty.log)
    app = _open(monkeypatch, nowhere, name)
    assert not app.exception
    assert "The collector is down" in app.error[0].value
    assert any("loopwatch serve" in code.value for code in app.code)


@pytest.mark.parametrize(("key", "may_change"), [("secret", False), ("master", True)])
def test_only_what_the_key_may_do_is_offered(
    monkeypatch: pytest.MonkeyPatch, empty: Running, key: str, may_change: bool
) -> None:
    """With a read key the rule's switch and Save are off and the page says why; trying a text out stays possible."""
    app = _open(monkeypatch, empty, "rules", key=key, rule="cost-spike", range="15m")  # it is replayed over the range
    assert [toggle.disabled for toggle in app.toggle] == [not may_change]
    buttons = {button.label: button.disabled for button in app.button}
    assert (buttons["Test"], buttons["Save"]) == (False, not may_change)
    assert ("LOOPWATCH\\_API\\_KEY" in _said(app)) == (not may_change)
    listed = _open(monkeypatch, empty, "rules", key=key)
    assert {button.disabled for button in listed.button if button.label == "Save"} == {not may_change}
    alerts = _said(_open(monkeypatch, empty, "alerts", key=key))
    assert ("acknowledging and silencing needs a key of the role admin" in alerts) == (not may_change)


def test_settings_are_for_admins(monkeypatch: pytest.MonkeyPatch, empty: Running) -> None:
    """The System page shows settings and keys to an admin's key, and says so to others; secrets never."""
    reader = _open(monkeypatch, empty, "system", key="secret")
    assert "Shown to a key of the role admin." in _said(reader)
    admin = _open(monkeypatch, empty, "system", key="master")
    shown = "\n".join([*(table.value.to_string() for table in admin.dataframe), *(code.value for code in admin.code)])
    assert "LOOPWATCH_DATA_DIR = " in shown
    assert "master" not in shown


def test_use_of_keys_is_shown(monkeypatch: pytest.MonkeyPatch, empty: Running) -> None:
    """An admin sees of each key its role, when it was used last, and how often; of those who had none, how many."""
    _open(monkeypatch, empty, "system", key="guessed")
    app = _open(monkeypatch, empty, "system", key="master")
    got = get(f"{empty.url}/api/v1/keys", {"authorization": "Bearer master"})
    keys = next(table.value for table in app.dataframe if "fingerprint" in table.value.columns)
    assert keys["role"].tolist() == ["read", "admin"]
    assert keys["fingerprint"].tolist() == [one["fingerprint"] for one in got["keys"]]
    assert keys["requests"].tolist()[1] > 0
    assert got["unknown_requests"] > 0
    assert "Without a key or with an unknown one: " in _said(app)


def test_escalation_opens_at_the_moment_it_gave_up(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """The page says when, after what and at what cost the run gave up, and reads from that iteration on."""
    escalated = next(row for row in query(simulated.url, "escalations") if row["iterations"] > 1)
    app = _open(monkeypatch, simulated, "run", run=escalated["run_id"], at="escalation")
    assert "**Gave up after " in app.warning[0].value
    headings = [element.value for element in app.markdown if element.value.startswith("**")]
    where = headings.index("**Where it gave up**")
    assert headings[where + 1].startswith("**Iteration ")
    assert not headings[where + 1].startswith("**Iteration 1**")
    assert headings[where + 2] == "**From the beginning**"


def test_nested_runs_are_in_the_waterfall(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """The waterfall of a run that started others holds their spans too, and says how many runs it stands on."""
    window = {"from": "2026-01-01", "to": "2026-12-01"}
    nested = get(f"{simulated.url}/api/v1/runs", **window, q='parent != ""', limit=1)["runs"][0]
    parent = get(f"{simulated.url}/api/v1/runs/{nested['parent_run_id']}")
    children = parent["child_runs"]
    spans = [len(get(f"{simulated.url}/api/v1/runs/{run['run_id']}/spans")["spans"]) for run in (parent, *children)]
    said = _said(_open(monkeypatch, simulated, "run", run=parent["run_id"]))
    assert f"**{sum(spans)} spans" in said
    assert f"{1 + len(children)} runs · Each span from its start" in said.replace("\\", "")


@pytest.mark.parametrize(("order", "column"), [("cost", "cost_usd"), ("iterations", "iterations")])
def test_runs_are_listed_in_the_order_of_the_url(
    monkeypatch: pytest.MonkeyPatch, simulated: Running, order: str, column: str
) -> None:
    """The order in the URL is the API's, over all pages of the list and not only the rows in sight."""
    app = _open(monkeypatch, simulated, "runs", order=order)
    values = _listed(app)[column].dropna().tolist()
    highest = query(simulated.url, "cost_top_runs" if order == "cost" else "iterations_summary")[0]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(highest["cost_usd" if order == "cost" else "max"])


def test_columns_of_the_url_are_the_columns_of_the_list(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """A shared link shows the columns its sender chose, in that order."""
    app = _open(monkeypatch, simulated, "runs", columns="cost_usd,agent,run_id")
    assert list(_listed(app).columns) == ["cost_usd", "agent", "run_id"]


def test_choices_of_the_list_are_saved_in_the_url(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """Columns, order, outcome and filter chosen on the page are in the address, which opens the same list again."""
    app = _open(monkeypatch, simulated, "runs")
    app.multiselect(key="runs-columns").set_value(["agent", "cost_usd", "run_id"]).run()
    app.selectbox(key="runs-order").set_value("cost").run()
    app.selectbox(key="runs-outcome").set_value("completed").run()
    app.text_input(key="control-where").set_value("iterations > 2").run()
    saved = {name: str(value) for name, value in app.query_params.items()}
    assert saved == {
        "range": "all", "columns": "agent,cost_usd,run_id", "order": "cost", "outcome": "completed",
        "q": "iterations > 2",
    }  # fmt: skip
    opened = _listed(_open(monkeypatch, simulated, "runs", **saved))
    assert opened.equals(_listed(app))
    assert list(opened.columns) == ["agent", "cost_usd", "run_id"]


def test_run_beside_itself_differs_in_nothing(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """The same run twice is drawn twice, and no measure differs."""
    run_id = query(simulated.url, "cost_top_runs")[0]["run_id"]
    app = _open(monkeypatch, simulated, "compare", left=run_id, right=run_id)
    assert [box.value for box in app.error] == []
    measures = next(table.value for table in app.dataframe if "measure" in table.value.columns)
    assert measures["left"].tolist() == measures["right"].tolist()
    assert set(measures["change"]) <= {"", "0 %"}


def test_columns_of_conversations_are_chosen_and_shared(monkeypatch: pytest.MonkeyPatch, simulated: Running) -> None:
    """Columns chosen for conversations are in the address, which opens the same table again."""
    app = _open(monkeypatch, simulated, "conversations")
    app.multiselect(key="conversations-columns").set_value(["conversation_id", "cost_usd"]).run()
    saved = {name: str(value) for name, value in app.query_params.items()}
    assert saved == {"range": "all", "columns": "conversation_id,cost_usd"}
    opened = _open(monkeypatch, simulated, "conversations", **saved)
    tables = [list(table.value.columns) for table in opened.dataframe]
    assert [columns for columns in tables if "conversation_id" in columns] == [["conversation_id", "cost_usd"]]
