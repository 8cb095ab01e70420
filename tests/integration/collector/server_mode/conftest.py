"""The store on a ClickHouse server: a real one if LOOPWATCH_TEST_CLICKHOUSE_URL names it, else the test-only front.

Fixtures of the store's own tests are used as they are; only `store` is another.
"""

import os
import uuid
from collections.abc import Iterator

import clickhouse_connect
import pytest

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
    name = f"loopwatch_test_{uuid.uuid4().hex[:12]}"
    client = clickhouse_connect.get_client(dsn=server.replace("clickhouse://", "http://", 1))
    client.command(f"CREATE DATABASE {name} ENGINE = Atomic")
    yield f"{server}/{name}"
    client.command(f"DROP DATABASE {name} SYNC")
    client.close()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """An empty store on the server."""
    opened = Store.open(database)
    yield opened
    opened.close()
