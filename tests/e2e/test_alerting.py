"""Alerts and rules as the engineer on call meets them: a real alert in a real browser, from firing to edited rule."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browsing import Visit
from tests.processes import Running, collector, get, loopwatch, wait_for, wait_for_runs

pytestmark = pytest.mark.browser
RULES = """
[[rule]]
name = "any-spend"
title = "Any spend"
description = "Look at the runs."
labels = { team = "agents" }
query = "spend_by"
group_by = "agent"
value = "cost_usd"
window = "1h"
every = "1s"
evidence = "spend_top_runs"
condition = { kind = "threshold", above = 0.001 }

[[rule]]
name = "dear-team"
title = "A team is expensive"
query = "spend_by"
group_by = "attributes.team"
filters = { agent = "incident-resolver" }
value = "cost_usd"
window = "1h"
condition = { kind = "threshold", above = 5000 }
"""


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector in which the rule any-spend fires."""
    folder = tmp_path_factory.mktemp("alerting")
    rules = folder / "rules.toml"
    rules.write_text(RULES)
    with collector(folder, LOOPWATCH_RULES=str(rules)) as running:
        words = ("agent", "run", "--runs", "4", "--latency-scale", "0", "--endpoint", running.url)
        agent = loopwatch(*words, env={"OTEL_RESOURCE_ATTRIBUTES": "team=search"})
        assert agent.returncode == 0, agent.stderr
        wait_for_runs(running.url, 4)
        wait_for(lambda: firing(running) or None, "any-spend fires")
        yield running


def firing(receiver: Running) -> list[dict[str, Any]]:
    return get(f"{receiver.url}/api/v1/alerts", rule="any-spend")["alerts"]


def main(tab: Visit) -> Any:
    return tab.page.get_by_test_id("stMain")


def form(tab: Visit) -> Any:
    return main(tab).get_by_test_id("stForm")


def test_a_firing_alert_leads_to_the_runs_behind_it(tab: Visit, shown: Running, receiver: Running) -> None:
    """The list opens the alert: how much against what, its history, and a click on a run opens that run."""
    (alert,) = firing(receiver)
    tab.goto(f"{shown.url}/alerts")
    assert "1 alert, 1 firing" in tab.text()
    tab.goto(f"{shown.url}/alerts?alert={alert['alert_id']}")
    text = tab.text()
    assert "Any spend" in text
    assert "Look at the runs." in text
    assert "team agents" in text
    assert "the threshold is $0.001000" in text
    assert "History" in text
    assert tab.tile("Threshold") == "$0.0010"
    run_id = alert["run_ids"][0]
    main(tab).get_by_role("link", name=run_id[:12]).click()
    tab.page.wait_for_url("**/run?**")
    tab.settle()
    assert f"run={run_id}" in tab.page.url
    assert "iterations" in tab.text()


def test_an_alert_is_acknowledged_and_silenced(tab: Visit, shown: Running, receiver: Running) -> None:
    """Both are said on the page and in the API; the silence is listed and can be ended there."""
    (alert,) = firing(receiver)
    tab.goto(f"{shown.url}/alerts?alert={alert['alert_id']}")
    main(tab).get_by_role("button", name="Acknowledge").click()
    tab.page.get_by_label("Your name").fill("Ana")
    tab.page.get_by_label("Note").fill("on it")
    tab.page.get_by_test_id("stPopoverBody").get_by_role("button", name="Acknowledge").click()
    expect(main(tab).get_by_text("Acknowledged by Ana")).to_be_visible()
    tab.goto(f"{shown.url}/alerts?alert={alert['alert_id']}")
    main(tab).get_by_role("button", name="Silence").click()
    body = tab.page.get_by_test_id("stPopoverBody")
    body.get_by_label("Your name").fill("Ana")
    body.get_by_label("Reason").fill("known")
    body.get_by_role("button", name="Silence").click()
    expect(main(tab).get_by_text("Silenced until")).to_be_visible()
    (found,) = firing(receiver)
    assert (found["acknowledged_by"], found["acknowledgement_note"]) == ("Ana", "on it")
    (silence,) = get(f"{receiver.url}/api/v1/silences")["silences"]
    assert (silence["rule"], silence["group"], silence["reason"]) == ("any-spend", alert["group"], "known")
    tab.goto(f"{shown.url}/alerts")
    main(tab).get_by_role("button", name="End").click()
    expect(main(tab).get_by_text("1 silence")).not_to_be_visible()
    assert get(f"{receiver.url}/api/v1/silences")["silences"] == []


def test_a_rule_is_tried_and_edited(tab: Visit, shown: Running, receiver: Running) -> None:
    """The graph shows when it would have fired; another text is tried without saving; saved, it is in force."""
    tab.goto(f"{shown.url}/rules?rule=any-spend&range=1h")
    assert "It would have fired 1 time in this time range" in tab.text()
    expect(main(tab).locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg")).to_be_visible()
    text = main(tab).get_by_label("Rule", exact=True)
    text.fill(text.input_value().replace("above = 0.001", "above = 5000"))
    form(tab).get_by_role("button", name="Test").click()
    expect(main(tab).get_by_text("It would have fired 0 times in this time range")).to_be_visible()
    expect(main(tab).get_by_text("it is not saved")).to_be_visible()
    assert get(f"{receiver.url}/api/v1/rules/any-spend")["condition"]["above"] == 0.001
    tab.settle()
    text.fill(text.input_value().replace("above = 5000", "abvoe = 5000"))
    form(tab).get_by_role("button", name="Save").click()
    expect(main(tab).get_by_text("line 12: condition: needs either 'above' or 'below'")).to_be_visible()
    tab.settle()
    text.fill(text.input_value().replace("abvoe = 5000", "above = 4000"))
    form(tab).get_by_role("button", name="Save").click()
    wait_for(lambda: get(f"{receiver.url}/api/v1/rules/any-spend")["condition"]["above"] == 4000 or None, "it is saved")
    assert get(f"{receiver.url}/api/v1/rules/any-spend")["source"] == "stored"


def test_a_point_of_a_rules_graph_leads_to_its_groups_runs(tab: Visit, shown: Running, receiver: Running) -> None:
    """By whatever a rule is grouped: that group's runs, of those the rule looks at, in the window before the point."""
    runs = get(f"{receiver.url}/api/v1/runs", **{"from": "2000-01-01", "to": "2100-01-01"})["runs"]
    of_rule = [run for run in runs if run["agent"] == "incident-resolver"]
    tab.goto(f"{shown.url}/rules?rule=dear-team&range=1h")
    assert "attributes.team search: it would have fired 0 times" in tab.text()
    tab.marks_behind("rule-test").last.click()
    tab.page.wait_for_url("**/runs?**")
    tab.settle()
    asked = parse_qs(urlsplit(tab.page.url).query)
    assert (asked["agent"], asked["q"]) == (["incident-resolver"], ['attributes.team = "search"'])
    assert f"The first {len(of_rule)} run" in tab.text()


def test_a_rule_is_made_and_turned_off(tab: Visit, shown: Running, receiver: Running) -> None:
    """A new rule is in force at once under the name its text gives it; its switch turns it off."""
    tab.goto(f"{shown.url}/rules")
    main(tab).get_by_text("New rule").click()
    tab.settle()
    form(tab).get_by_role("button", name="Save").click()
    tab.arrive("**rule=dear-customer**")
    rule = f"{receiver.url}/api/v1/rules/dear-customer"
    assert get(rule)["enabled"] is True
    main(tab).get_by_text("On", exact=True).click()
    wait_for(lambda: get(rule)["enabled"] is False or None, "it is off")
