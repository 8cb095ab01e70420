"""What can be said about a cluster without one; see cluster_engine.py for how far that goes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.store.cluster import SHARDING
from tests.integration.collector.server_mode.cluster_engine import PLANNED


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("cluster")
    script = Path(__file__).with_name("cluster_engine.py")
    # A process of its own: the engine reads its configuration once in a process.
    done = subprocess.run([sys.executable, str(script), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_the_engine_parses_every_statement_of_a_cluster(report: dict[str, Any]) -> None:
    """Each table's replicated part and the table over it are statements the engine understands."""
    created = [sql for sql in report["parsed"] if "CREATE TABLE" in sql]
    assert len(created) == 2 * len(SHARDING)
    assert sum("ENGINE = Replicated" in sql for sql in created) == len(SHARDING)
    assert all("ON CLUSTER 'pair'" in sql for sql in report["parsed"])


def test_every_question_can_be_planned_over_shards(report: dict[str, Any]) -> None:
    """No named query, and not the derivation of runs, is refused because its tables are spread over shards."""
    assert len(report["codes"]) > 40
    assert {name: code for name, code in report["codes"].items() if code != PLANNED} == {}
