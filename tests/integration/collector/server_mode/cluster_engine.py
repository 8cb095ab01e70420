"""An engine that believes it has a cluster of two shards: `python cluster_engine.py DIRECTORY` reports as JSON.

Nobody answers at the shards' port, so nothing is run there: statements are parsed, tables over the shards are
created, and questions are planned over them, which is as far as one process without a server can go. A question
whose plan is made before its parts are asked ends in code 279, "all connection tries failed"; every other code
is a fault of the question.
"""

import json
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.runner import READ_SETTINGS, Question, ask
from loopwatch_collector.store import cluster, migrate
from loopwatch_collector.store.statements import statement, statement_for

PLANNED = 279
CONFIG = """<clickhouse>
  <remote_servers><pair>
    <shard><replica><host>127.0.0.1</host><port>1</port></replica></shard>
    <shard><replica><host>127.0.0.1</host><port>1</port></replica></shard>
  </pair></remote_servers>
</clickhouse>"""
REQUIRED = {"step_seconds": "3600"}
_RUNS = {"project": "p", "run_ids": ["r"], "first_ns": 1, "last_ns": 2}
SELECTS = {
    "derive_runs plain": {**_RUNS, "row_version": 1},
    "derive_runs involved": {**_RUNS, "row_version": 1},
    "derive_runs involved failing": {**_RUNS, "row_version": 1},
    "involved_runs": _RUNS,
    "stored_extents": {"project": "p", "run_ids": ["r"]},
}


class Recorder:
    """Takes what is asked for a connection, and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def rows(self, sql: str, parameters: dict[str, Any], settings: object) -> list[tuple[Any, ...]]:
        self.asked.append((sql, parameters))
        return []


def _ddl() -> Iterator[str]:
    noted = (resources.files("loopwatch_collector.store") / "migrations" / "schema_migrations.sql").read_text("utf-8")
    for sql in [noted, *(migration.sql for migration in migrate.load())]:
        yield from cluster.create_statements(sql, "pair")


def _code(client: Client, sql: str, parameters: dict[str, Any]) -> int:
    settings = {**READ_SETTINGS, "distributed_product_mode": cluster.SETTINGS["distributed_product_mode"]}
    try:
        client.query(f"EXPLAIN PLAN {sql}", parameters, settings)
    except DatabaseError as fault:
        return fault.code or -1
    return PLANNED


def main(folder: Path) -> None:
    """Prints which statements the engine parsed, and the code each question's plan ended with."""
    (folder / "cluster.xml").write_text(CONFIG)
    options = {"config-file": str(folder / "cluster.xml")}
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}/engine", chdb_options=options)
    parsed = []
    for sql in _ddl():
        client.query(f"EXPLAIN AST {sql}")
        parsed.append(sql)
        # Neither Keeper nor the other servers are here to be told: the same tables without them.
        client.command(sql.replace("ON CLUSTER 'pair'", "").replace("ENGINE = Replicated", "ENGINE = "))
    codes: dict[str, int] = {}
    for name, query in catalogue().items():
        params = {
            param.name: REQUIRED.get(param.name) or (param.values[0] if param.values else "1")
            for param in query.params
            if param.default is None
        }
        recorder = Recorder()
        ask(recorder, Question(name, "p", 1, 2, params=params), READ_SETTINGS)  # type: ignore[arg-type]  # it is asked for rows, no more
        codes[name] = _code(client, *recorder.asked[0])
    for name, parameters in SELECTS.items():
        sql = statement_for(*name.split()) if " " in name else statement(name)
        codes[name] = _code(client, sql[sql.index("WITH") :] if "INSERT INTO" in sql else sql, parameters)
    print(json.dumps({"parsed": parsed, "codes": codes}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
