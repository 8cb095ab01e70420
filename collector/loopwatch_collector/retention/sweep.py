"""Drops the days, and deletes the verdicts, that are older than they are kept.

A dropped partition is gone at once, and whole or not at all.
"""

import logging
from datetime import date

from loopwatch_collector.retention.policy import DATED_TABLES, Partition, RetentionPolicy, expired
from loopwatch_collector.retention.statements import statement
from loopwatch_collector.store.client import Connection

_LOG = logging.getLogger(__name__)


def stored_partitions(connection: Connection) -> list[Partition]:
    """Every project's every day, by table."""
    rows = connection.rows(statement("partitions"), {"tables": list(DATED_TABLES)})
    return [Partition(*row) for row in rows]


def sweep(connection: Connection, policy: RetentionPolicy, today: date) -> list[Partition]:
    """Drops what is older than it is kept.

    Args:
        connection: this thread's.
        policy: how long each project's data is kept.
        today: the UTC day it is.

    Returns:
        What was dropped.
    """
    dropped = expired(stored_partitions(connection), policy, today)
    for partition in dropped:
        connection.run(statement(f"drop_{partition.table}"), {"partition_id": partition.partition_id})
        _LOG.info(
            "retention: dropped %s of project %s from %s (%d rows, %d bytes)",
            partition.day, partition.project, partition.table, partition.rows, partition.bytes_on_disk,
        )  # fmt: skip
    return dropped


def sweep_verdicts(connection: Connection, policy: RetentionPolicy, today: date) -> list[str]:
    """Deletes verdicts that are older than their project keeps anything: runs are judged long after they ended.

    Args:
        connection: this thread's.
        policy: how long each project's data is kept.
        today: the UTC day it is.

    Returns:
        The projects that had such verdicts.
    """
    projects: list[str] = []
    for project, oldest in connection.rows(statement("oldest_verdicts")):
        first_day = policy.first_day("verdicts", project, today)
        if oldest < first_day:
            connection.run(statement("delete_old_verdicts"), {"project": project, "first_day": first_day})
            _LOG.info("retention: deleted verdicts of project %s given before %s", project, first_day)
            projects.append(project)
    return projects
