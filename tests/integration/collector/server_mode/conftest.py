"""The store on a ClickHouse server: a real one if LOOPWATCH_TEST_CLICKHOUSE_URL names it, else the test-only front.

Fixtures of the store's own tests are used as they are; only `store` is another.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from loopwatch_collector.store.store import Store
from tests.clickhouse_front import clickhouse
from tests.integration.collector.store.conftest import fleet, span, write

__all__ = ["fleet", "span", "write"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server, without a database."""
    given = os.environ.get("LOOPWATCH_TEST_CLICKHOUSE_URL", "").rstrip("/")
    if given:
        yield given
        return
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as address:
        yield address


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The address of an empty database of its own."""
    with _database(server) as (_, name):
        yield f"{server}/{name}"


@pytest.fixture(scope="session")
def migrated(server: str) -> Iterator[str]:
    """The name of a database in which the migrations have made all tables, and nothing else happens."""
    with _database(server) as (_, name):
        Store.open(f"{server}/{name}").close()
        yield name


@pytest.fixture
def store(server: str, migrated: str) -> Iterator[Store]:
    """An empty store on the server; its tables are made like those of `migrated`, which takes a third of the time."""
    with _database(server) as (client, name):
        for (table,) in client.query(f"SELECT name FROM system.tables WHERE database = '{migrated}'").result_rows:
            client.command(f"CREATE TABLE {name}.{table} AS {migrated}.{table}")
        client.command(f"INSERT INTO {name}.schema_migrations SELECT * FROM {migrated}.schema_migrations")
        opened = Store.open(f"{server}/{name}")
        yield opened
        opened.close()


@contextmanager
def _database(server: str) -> Iterator[tuple[Client, str]]:
    """A client of the server, and the name of a database that is dropped at the end."""
    name = f"loopwatch_test_{uuid.uuid4().hex[:12]}"
    client = clickhouse_connect.get_client(dsn=server.replace("clickhouse://", "http://", 1))
    client.command(f"CREATE DATABASE {name} ENGINE = Atomic")
    yield client, name
    client.command(f"DROP DATABASE {name} SYNC")
    client.close()
