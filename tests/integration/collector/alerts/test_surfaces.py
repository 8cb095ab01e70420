"""The alerts of a running collector, through its API and the `loopwatch alerts` command."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

from tests.processes import collector, get, loopwatch, query, wait_for, wait_for_runs, wait_until_stored

RULES = """
[channels.ops]
apprise = "json://127.0.0.1:9/secret-path"

[[rule]]
name = "any-spend"
title = "Any spend"
query = "spend_by"
group_by = "customer"
value = "cost_usd"
window = "1h"
every = "1s"
evidence = "spend_top_runs"
notify = ["ops"]
condition = { kind = "threshold", above = 0.001 }

[[rule]]
name = "broken"
title = "Broken"
query = "nothing"
"""
SOUND = RULES[: RULES.rindex("[[rule]]")]
NEW_RULE = RULES[RULES.index("[[rule]]") : RULES.rindex("[[rule]]")].replace("any-spend", "mine")


@dataclass
class Alerting:
    """A collector with rules and a few runs."""

    url: str

    def get(self, path, **params):
        return get(f"{self.url}/api/v1{path}", **params)

    def send(self, method, path, body=None, headers=None):
        """Sends JSON; returns the status and the decoded answer."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json", **(headers or {})},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                text = reply.read()
                return reply.status, json.loads(text) if text else None
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.status, json.loads(refusal.read())

    def firing(self):
        """The customers for which any-spend fires."""
        alerts = self.get("/alerts", rule="any-spend", state="firing")["alerts"]
        return {alert["group"]["customer"] for alert in alerts}

    def command(self, *words):
        return loopwatch("alerts", *words, env={"LOOPWATCH_ENDPOINT": self.url, "LOOPWATCH_API_KEY": ""})


@pytest.fixture(scope="module")
def alerting(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alerting")
    rules = folder / "rules.toml"
    rules.write_text(RULES)
    with collector(folder, LOOPWATCH_RULES=str(rules)) as running:
        agent = loopwatch("agent", "run", "--runs", "12", "--latency-scale", "0", "--endpoint", running.url)
        assert agent.returncode == 0, agent.stderr
        wait_for_runs(running.url, 12)
        wait_until_stored(running.url)
        spent = {row["key"] for row in query(running.url, "spend_by", dimension="customer") if row["cost_usd"] > 0.001}
        assert spent
        server = Alerting(running.url)
        wait_for(lambda: server.firing() == spent, "any-spend fires for each customer that spent so much")
        yield server


def test_rules_in_force_and_faults_of_the_file_are_listed(alerting):
    """Delivered rules and the file's stand side by side; the file's broken rule is a fault with its line."""
    answer = alerting.get("/rules")
    sources = {rule["name"]: rule["source"] for rule in answer["rules"]}
    assert sources["any-spend"] == "file"
    assert sources["cost-spike"] == "delivered"
    assert "broken" not in sources
    assert {fault["line"] for fault in answer["faults"]} == {17, 20}
    rule = alerting.get("/rules/any-spend")
    assert rule["condition"] == {"kind": "threshold", "above": 0.001, "below": None, "clear": 0.001}
    assert rule["state"]["firing"] >= 1
    assert rule["state"]["evaluated_at"]


def test_an_alert_says_what_how_much_since_when_and_which_runs(alerting):
    """The list has the state and the numbers; the single alert has its history, and its runs exist."""
    alert = alerting.get("/alerts", rule="any-spend")["alerts"][0]
    assert (alert["state"], alert["unit"], alert["threshold"]) == ("firing", "usd", 0.001)
    assert alert["value"] > 0.001
    assert alert["group"].keys() == {"customer"}
    assert "the threshold is $0.001000" in alert["summary"]
    assert alerting.get(f"/runs/{alert['run_ids'][0]}")["customer_id"] == alert["group"]["customer"]
    assert alerting.get(f"/alerts/{alert['alert_id']}")["history"][0]["event"] == "firing"
    assert alerting.get("/alerts", state="resolved", rule="any-spend")["alerts"] == []


def test_a_rule_can_be_made_tested_switched_and_removed(alerting):
    """PUT makes it, test replays it, enabled turns it off, DELETE removes it; what is not there is a 404."""
    status, rule = alerting.send("PUT", "/rules/mine", {"toml": NEW_RULE})
    assert (status, rule["source"], rule["enabled"]) == (200, "stored", True)
    replayed = alerting.get("/rules/mine/test", **{"from": "2020-01-01T00:00:00Z", "to": "2020-01-01T02:00:00Z"})
    assert (replayed["evaluations"], replayed["groups"]) == (5, [])
    status, rule = alerting.send("PUT", "/rules/mine/enabled", {"enabled": False})
    assert (status, rule["enabled"]) == (200, False)
    assert alerting.send("DELETE", "/rules/mine")[0] == 204
    status, refusal = alerting.send("DELETE", "/rules/mine")
    assert (status, refusal["error"]["code"]) == (404, "unknown_rule")


def test_a_delivered_rule_can_be_replaced_and_comes_back(alerting):
    """A stored rule of a delivered one's name takes its place until it is deleted."""
    text = NEW_RULE.replace('"mine"', '"cost-spike"')
    assert alerting.send("PUT", "/rules/cost-spike", {"toml": text})[1]["title"] == "Any spend"
    alerting.send("DELETE", "/rules/cost-spike")
    assert alerting.get("/rules/cost-spike")["source"] == "delivered"


def test_a_bad_rule_is_refused_with_lines(alerting):
    """The answer holds every fault with its line; check says the same and stores nothing."""
    text = NEW_RULE.replace("cost_usd", "cost").replace('"1h"', '"1 hour"')
    status, refusal = alerting.send("PUT", "/rules/mine", {"toml": text})
    assert (status, refusal["error"]["code"]) == (400, "invalid_rule")
    assert [fault["line"] for fault in refusal["error"]["faults"]] == [6, 7]
    assert alerting.send("POST", "/rules/check", {"toml": text})[1]["faults"] == refusal["error"]["faults"]
    status, refusal = alerting.send("PUT", "/rules/other", {"toml": NEW_RULE})
    assert status == 400
    assert "the rule is called 'mine', the address says 'other'" in refusal["error"]["message"]


def test_a_rule_that_would_tell_nobody_is_refused(alerting):
    """A channel that does not exist is a fault with its line when a rule is checked and when it is saved."""
    text = NEW_RULE.replace('notify = ["ops"]', 'notify = ["opps"]')
    line = text.splitlines().index('notify = ["opps"]') + 1
    expected = {"line": line, "message": "notify: there is no channel 'opps'; did you mean 'ops'?"}
    assert alerting.send("POST", "/rules/check", {"toml": text})[1]["faults"] == [expected]
    status, refusal = alerting.send("PUT", "/rules/mine", {"toml": text})
    assert (status, refusal["error"]["faults"]) == (400, [expected])


def test_a_replay_finds_what_fires_now(alerting):
    """Replayed over the last hour, a rule fires where the engine's does, with points for the graph."""
    now = alerting.get("/rules/any-spend")["state"]["evaluated_at"]
    asked = {"from": now[:11] + "00:00:00Z", "to": now, "step_seconds": 60}
    status, answer = alerting.send(
        "POST", f"/rules/test?from={asked['from']}&to={now}&step_seconds=300", {"toml": NEW_RULE}
    )
    assert status == 200
    assert answer["unit"] == "usd"
    firing = {group["group"]["customer"] for group in answer["groups"] if group["alerts"]}
    assert firing == alerting.firing()
    points = answer["groups"][0]["points"]
    assert points[-1]["breach"] is True
    assert points[-1]["threshold"] == 0.001


def test_pages_of_other_sites_may_not_change_anything(alerting):
    """A browser that another site sent here is refused, whatever its key."""
    headers = {"sec-fetch-site": "cross-site"}
    assert alerting.send("PUT", "/rules/mine", {"toml": NEW_RULE}, headers)[0] == 403
    assert alerting.send("POST", "/silences", {"for_s": 60, "by": "x"}, headers)[0] == 403


def test_channels_are_named_without_their_addresses(alerting):
    """Addresses may hold keys: no answer has them."""
    assert alerting.get("/channels") == {"channels": [{"name": "ops", "kind": "apprise"}]}
    assert "secret-path" not in json.dumps(alerting.get("/rules"))


def test_prometheus_can_take_over(alerting):
    """/metrics says, seconds later, which rules are breached; the export makes alerts of that."""

    def is_shown():
        with urllib.request.urlopen(f"{alerting.url}/metrics", timeout=30) as reply:
            metrics = reply.read().decode()
        return 'rule="any-spend"} 1.0' in metrics and 'loopwatch_alerts{project="default",rule="any-spend"' in metrics

    wait_for(is_shown, "the breached rule on /metrics")
    with urllib.request.urlopen(f"{alerting.url}/api/v1/rules/export?format=prometheus", timeout=30) as reply:
        assert reply.headers["content-type"].startswith("text/yaml")
        exported = reply.read().decode()
    assert '- alert: "any-spend"' in exported
    assert 'expr: "loopwatch_rule_breached{project=\\"default\\",rule=\\"any-spend\\"} == 1"' in exported


def test_the_command_lists_tests_acknowledges_and_silences(alerting):
    """Each subcommand says in a line what it did; --json prints the API's answer."""
    assert "any-spend" in alerting.command("rules").stdout
    listing = json.loads(alerting.command("list", "--rule", "any-spend", "--json").stdout)["alerts"]
    assert listing[0]["alert_id"] in alerting.command("list").stdout
    tested = alerting.command("test", "any-spend", "--from", "1h", "--step", "5m").stdout
    assert f"any-spend would have fired {len(listing)} times" in tested
    known = alerting.command("ack", listing[0]["alert_id"], "--by", "ana", "--note", "on it").stdout
    assert "[acknowledged by ana]" in known
    silenced = alerting.command(
        "silence", "--rule", "any-spend", "--group", "customer=acme", "--for", "2h", "--by", "ana"
    )
    assert "any-spend customer=acme until" in silenced.stdout
    (silence,) = alerting.get("/silences")["silences"]
    assert silence["group"] == {"customer": "acme"}
    assert alerting.command("silences").stdout == silenced.stdout
    ended = alerting.command("unsilence", silence["silence_id"])
    assert ended.stdout == "1 silence ended: what still fires is told\n"
    assert alerting.get("/silences") == {"silences": []}
    assert alerting.command("silences").stdout == "nothing is silenced\n"
    again = alerting.command("unsilence", silence["silence_id"])
    assert (again.returncode, again.stderr) == (
        1,
        f"loopwatch alerts: there is no silence '{silence['silence_id']}' that is on\n",
    )
    refused = alerting.command("ack", "nothing")
    assert (refused.returncode, refused.stderr) == (
        1,
        "loopwatch alerts: there is no alert 'nothing' in this project\n",
    )


def test_a_rules_file_is_checked_without_a_collector(tmp_path):
    """Check prints each fault with file and line, and ends with status 1."""
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    checked = loopwatch("alerts", "check", str(path))
    assert checked.returncode == 1
    assert f"{path}: line 20: there is no query 'nothing'" in checked.stderr
    path.write_text(SOUND)
    assert loopwatch("alerts", "check", str(path)).returncode == 0


def test_a_file_with_its_channels_is_replayed_and_a_missing_one_is_one_sentence(alerting, tmp_path):
    """A rules file is tested as it is, channels and all; one that is not there, or holds more, is told in words."""
    path = tmp_path / "rules.toml"
    path.write_text(SOUND)
    replayed = alerting.command("test", str(path), "--from", "1h")
    assert replayed.returncode == 0, replayed.stderr
    assert "any-spend would have fired" in replayed.stdout
    path.write_text(SOUND + NEW_RULE)
    assert "holds 2 rules" in alerting.command("test", str(path)).stderr
    missing = alerting.command("test", str(tmp_path / "nope.toml"))
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "cannot read" in missing.stderr


def test_faults_of_the_rules_are_found_by_the_doctor(alerting):
    """The doctor calls a fault of the rules file that is in force a problem, and says on which line it is."""
    said = loopwatch("doctor", "--endpoint", alerting.url, env={"LOOPWATCH_API_KEY": ""})
    assert said.returncode == 1
    assert "the rules file, line 20: there is no query 'nothing'" in said.stdout
