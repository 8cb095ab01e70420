"""Alerts with two collectors on one ClickHouse server: one evaluates, and when it is killed the other goes on."""

from pathlib import Path
from urllib.request import urlopen

from tests.processes import collector, get, loopwatch, wait_for, wait_for_runs

RULE = """
delivered = false
[[rule]]
name = "any-spend"
title = "Any spend"
query = "spend_by"
params = { dimension = "all" }
value = "cost_usd"
window = "1h"
every = "1s"
condition = { kind = "threshold", above = 0.000001 }
"""


def evaluated(url: str) -> float:
    """How many evaluations a collector has made."""
    with urlopen(f"{url}/metrics", timeout=30) as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("loopwatch_rule_evaluations_total"))


def test_the_other_takes_over_when_the_one_that_evaluates_is_killed(database: str, tmp_path: Path) -> None:
    """Exactly one of two evaluates; after SIGKILL the other does, and the alert that fires stays one alert."""
    rules = tmp_path / "rules.toml"
    rules.write_text(RULE)
    settings = {"LOOPWATCH_DSN": database, "LOOPWATCH_RULES": str(rules)}
    with collector(tmp_path / "one", **settings) as one:
        agent = loopwatch("agent", "run", "--runs", "2", "--latency-scale", "0", "--endpoint", one.url)
        assert agent.returncode == 0, agent.stderr
        with collector(tmp_path / "other", **settings) as other:
            wait_for_runs(other.url, 2)
            alert = wait_for(lambda: get(f"{other.url}/api/v1/alerts")["alerts"] or None, "the alert fires")[0]
            assert evaluated(one.url) > 0
            assert evaluated(other.url) == 0
            one.process.kill()
            one.process.wait()
            wait_for(lambda: evaluated(other.url) > 0 or None, "the other evaluates")
            assert [found["alert_id"] for found in get(f"{other.url}/api/v1/alerts")["alerts"]] == [alert["alert_id"]]
