"""An answer of the engine whose bytes end too early."""

import pytest
from clickhouse_connect.driver._backend import chdb_backend

from loopwatch_collector.store.errors import StoreUnavailable

ONE_BLOCK = "SELECT cityHash64(number) AS hash FROM numbers(100)"
SEVERAL_BLOCKS = "SELECT cityHash64(number) AS hash FROM numbers(200000)"


@pytest.fixture
def cut(monkeypatch):
    """Has the engine's next answers, but the smallest, lose so many bytes at their end."""

    def lose(count):
        class Cut(chdb_backend._BytesSource):
            def __init__(self, data):
                super().__init__(data[:-count] if len(data) > 500 else data)  # not what is asked beside it

        monkeypatch.setattr(chdb_backend, "_BytesSource", Cut)

    return lose


@pytest.mark.parametrize("read", ["rows", "records"])
@pytest.mark.parametrize("sql", [ONE_BLOCK, SEVERAL_BLOCKS], ids=["one block", "several blocks"])
def test_a_cut_answer_may_be_asked_for_again(store, cut, monkeypatch, sql, read):
    """Wherever it is cut, what the driver says becomes an error that tells to try again, and the next try answers."""
    connection = store.connection()
    ask = getattr(connection, read)
    with monkeypatch.context():
        cut(3)
        with pytest.raises(StoreUnavailable, match="unrecognized data found in stream"):
            ask(sql)
        monkeypatch.undo()
    assert len(ask(sql)) in {100, 200_000}
