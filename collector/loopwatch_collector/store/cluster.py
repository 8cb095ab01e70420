"""The same statements on a cluster: tables as a replicated part on each server, read through one that spans them.

A table `spans` of the migrations becomes `spans_local`, replicated within its shard, and `spans`, a Distributed
table over all shards. Everything that selects or inserts names `spans` and needs no change; what alters data is
sent to `spans_local` on every shard. Pure functions of SQL text: none of it runs without `?cluster=` in the DSN.

Rows of equal identity must meet in one shard, or FINAL could not tell that they are the same row: each table's
sharding key is a part of its identity.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from loopwatch_collector.store.errors import StatementFailed

_ONE_SHARD: Final = "0"  # small tables whose rows are compared with each other: leases, rules, migrations
SHARDING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "spans": "cityHash64(trace_id)",
        "contents": "cityHash64(trace_id)",
        "log_events": "cityHash64(trace_id)",
        "repriced_calls": "cityHash64(trace_id)",
        "metric_points": "series",
        "runs": "cityHash64(run_id)",
        "run_extents": "cityHash64(run_id)",
        "verdicts": "cityHash64(run_id)",
        "dead_letters": "cityHash64(id)",
        "alerts": _ONE_SHARD,
        "alert_rules": _ONE_SHARD,
        "alert_remarks": _ONE_SHARD,
        "leases": _ONE_SHARD,
        "deletions": _ONE_SHARD,
        "repriced_days": _ONE_SHARD,
        "rates": _ONE_SHARD,
        "schema_migrations": _ONE_SHARD,
    }
)

SETTINGS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        # An insert is done when the shards have it, not when it waits in a queue: the journal forgets it then.
        "distributed_foreground_insert": 1,
        # and when a majority of a shard's replicas have it
        "insert_quorum": "auto",
        # A subquery over a Distributed table is answered once for all shards, not once per shard.
        "distributed_product_mode": "global",
        # A run is derived from spans just inserted: the same replica is asked while it lives.
        "load_balancing": "in_order",
    }
)

_CREATE: Final = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)
_ENGINE: Final = re.compile(r"^ENGINE = ((?:\w*)MergeTree)\b", re.MULTILINE)
_ALTER: Final = re.compile(r"^ALTER TABLE (\w+)", re.MULTILINE)
_ADD: Final = re.compile(r"\bADD (COLUMN|INDEX|PROJECTION) (?!IF NOT EXISTS)")
_PARTS: Final = re.compile(r"\bFROM system\.parts\b")


def create_statements(sql: str, cluster: str) -> list[str]:
    """Returns a migration as the statements to run.

    Args:
        sql: a migration, one statement. What is there already is left as it is: two collectors may start at once,
            and one may have been killed between a statement and the note that it was run.
        cluster: the cluster's name; empty for a single server or the embedded engine.

    Raises:
        StatementFailed: the migration is neither a CREATE TABLE nor an ALTER TABLE, or its table has no sharding key.
    """
    created = _CREATE.search(sql)
    if created is None:
        return _alter_statements(_ADD.sub(r"ADD \1 IF NOT EXISTS ", sql), cluster)
    table = created[1]
    if not cluster:
        return [_replaced(created, sql, f"CREATE TABLE IF NOT EXISTS {table}")]
    sharding = SHARDING.get(table)
    if sharding is None:
        raise StatementFailed(f"table {table} has no sharding key: add one to SHARDING in cluster.py")
    replicated = _ENGINE.sub(r"ENGINE = Replicated\1", sql)
    local = _CREATE.sub(f"CREATE TABLE IF NOT EXISTS {table}_local ON CLUSTER '{cluster}'", replicated, count=1)
    return [local, _spanning(table, cluster, sharding)]


def _spanning(table: str, cluster: str, sharding: str) -> str:
    return (
        f"CREATE TABLE IF NOT EXISTS {table} ON CLUSTER '{cluster}' AS {table}_local\n"
        f"ENGINE = Distributed('{cluster}', currentDatabase(), '{table}_local', {sharding})"
    )


def _alter_statements(sql: str, cluster: str) -> list[str]:
    altered = _ALTER.search(sql)
    if altered is None:
        raise StatementFailed(f"a migration creates or alters a table; this one does neither: {sql[:80]!r}")
    if not cluster:
        return [sql]
    local = adapt(sql, cluster)
    # Columns exist in both tables, indexes and settings only where the data is.
    has_columns = re.search(r"\b(?:ADD|DROP|MODIFY|RENAME) COLUMN\b", sql) is not None
    spanning = _replaced(altered, sql, f"ALTER TABLE {altered[1]} ON CLUSTER '{cluster}'")
    return [local, spanning] if has_columns else [local]


def adapt(sql: str, cluster: str) -> str:
    """Returns one of our statements as the cluster needs it: data is altered in every shard, parts are counted in all.

    Args:
        sql: text of one of our own .sql files.
        cluster: the cluster's name; empty for a single server or the embedded engine.
    """
    if not cluster:
        return sql
    altered = _ALTER.search(sql)
    if altered is not None:
        return _replaced(altered, sql, f"ALTER TABLE {altered[1]}_local ON CLUSTER '{cluster}'")
    return _PARTS.sub(
        "FROM (SELECT * REPLACE (replaceRegexpOne(table, '_local$', '') AS table) "  # noqa: S608 - the name, from the DSN, is of letters and digits
        f"FROM cluster('{cluster}', system.parts))",
        sql,
    )


def _replaced(found: re.Match[str], sql: str, by: str) -> str:
    return sql[: found.start()] + by + sql[found.end() :]
