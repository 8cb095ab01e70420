"""Blocks of our own encoder, read back from the engine."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwatch_collector.store.errors import RowRefused
from loopwatch_collector.store.rows import CONTENT_COLUMNS, METRIC_POINT_COLUMNS, SPAN_COLUMNS, SPAN_INDEX, Column
from loopwatch_collector.store.store import Store
from tests.migrated_store import migrated_store

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_NS = 86_400 * 10**9
_TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["", "a", "é" * 200, "x" * 20_000])
_SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "LowCardinality(String)": _TEXT,
    "String": _TEXT,
    "FixedString(16)": st.binary(min_size=16, max_size=16),
    "FixedString(8)": st.binary(min_size=8, max_size=8),
    "UInt8": st.integers(0, 2**8 - 1),
    "UInt32": st.integers(0, 2**32 - 1),
    "UInt64": st.integers(0, 2**64 - 1),
    "Float64": st.floats(allow_nan=False),
    "Date": st.integers(0, 2**16 - 1),
    "DateTime64(9, 'UTC')": st.integers(0, 2**63 - 1),
    "Decimal(18, 12)": st.integers(-(10**18) + 1, 10**18 - 1).map(lambda pico: Decimal(pico).scaleb(-12)),
    "Map(LowCardinality(String), String)": st.dictionaries(_TEXT, _TEXT, max_size=3),
}


@pytest.fixture(scope="module")
def module_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An embedded store for all examples."""
    opened = Store.open(migrated_store(tmp_path_factory.mktemp("native") / "store"))
    yield opened
    opened.close()


def _values(clickhouse_type: str) -> st.SearchStrategy[Any]:
    if clickhouse_type in _SIMPLE:
        return _SIMPLE[clickhouse_type]
    name, _, inner = clickhouse_type.removesuffix(")").partition("(")
    element = _values(inner)
    return st.none() | element if name == "Nullable" else st.lists(element, max_size=3)


def _rows(columns: tuple[Column, ...], **fixed: Any) -> st.SearchStrategy[list[list[Any]]]:
    """Rows of any values, or of the column's default, in a table's columns; some columns hold what is said here."""
    each = (
        st.just(fixed[column.name])
        if column.name in fixed
        else st.just(column.default) | _values(column.clickhouse_type)
        for column in columns
    )
    return st.lists(st.tuples(*each).map(list), min_size=1, max_size=6)


def _read(store: Store, table: str, columns: tuple[Column, ...], version: str) -> list[list[Any]]:
    names = ", ".join(column.name for column in columns)
    rows = store.connection().rows(f"SELECT {names} FROM {table} ORDER BY {version}")
    store.connection().run(f"TRUNCATE TABLE {table}")
    return [
        [_as_written(column.clickhouse_type, value) for column, value in zip(columns, row, strict=True)] for row in rows
    ]


def _as_written(clickhouse_type: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date):
        return (value - EPOCH.date()).days
    if clickhouse_type.startswith("Array(DateTime64"):
        return [_as_written("", item) for item in value]
    return list(value) if clickhouse_type.startswith("Array") else value


def _expected(columns: tuple[Column, ...], row: list[Any]) -> list[Any]:
    """What the driver gives back for a row: times to the microsecond, arrays as lists."""
    found: list[Any] = []
    for column, value in zip(columns, row, strict=True):
        if column.clickhouse_type.startswith("DateTime64"):
            found.append(value // 1000)
        elif column.clickhouse_type.startswith("Array(DateTime64"):
            found.append([item // 1000 for item in value])
        else:
            found.append(list(value) if isinstance(value, tuple) else value)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rows=_rows(SPAN_COLUMNS, project="p", start_time=DAY_NS, row_version=0))
def test_spans_come_back_as_they_were_written(module_store: Store, rows: list[list[Any]]) -> None:
    """Whatever the columns of spans hold, the engine reads from our block."""
    for number, row in enumerate(rows):
        row[SPAN_INDEX["row_version"]] = number
        row[SPAN_INDEX["span_id"]] = number.to_bytes(8, "big")
    module_store.insert_spans(rows)
    assert _read(module_store, "spans", SPAN_COLUMNS, "row_version") == [_expected(SPAN_COLUMNS, row) for row in rows]


@settings(max_examples=15, deadline=None)
@given(rows=_rows(METRIC_POINT_COLUMNS, project="p", time=DAY_NS, row_version=0))
def test_metric_points_come_back_as_they_were_written(module_store: Store, rows: list[list[Any]]) -> None:
    """The same for a table with floats."""
    for number, row in enumerate(rows):
        row[4] = number
        row[3] = number
    module_store.insert_metric_points(rows)
    expected = [_expected(METRIC_POINT_COLUMNS, row) for row in rows]
    assert _read(module_store, "metric_points", METRIC_POINT_COLUMNS, "row_version") == expected


def test_more_rows_than_one_block_holds(module_store: Store) -> None:
    """Rows of several blocks arrive whole, with more different texts than a byte or two can number."""
    bodies = [str(number).encode() * 40 for number in range(70_000)]
    rows = [["p", b"\x01" * 16, number, 3, body] for number, body in enumerate(bodies)]
    module_store.insert_contents(rows)
    assert _read(module_store, "contents", CONTENT_COLUMNS, "hash") == [
        ["p", b"\x01" * 16, number, 3, body.decode()] for number, body in enumerate(bodies)
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("trace_id", b"\x01" * 15),
        ("input_tokens", -1),
        ("input_tokens", 2**64),
        ("input_tokens", "7"),
        ("iteration", 1.5),
        ("cost_usd", Decimal(10) ** 9),
        ("cost_usd", "dear"),
        ("tool_retryable", 300),
        ("name", "\ud800"),
        ("run_id", None),
        ("attributes", [("a", "b")]),
        ("event_times", [2**63]),
    ],
)
def test_a_value_of_another_type_is_refused(module_store: Store, span: Any, column: str, value: Any) -> None:
    """A value its column cannot hold is the row's fault, and nothing of the insert is stored."""
    with pytest.raises(RowRefused, match=column):
        module_store.insert_spans([span(1), span(2, **{column: value})])
    assert module_store.connection().rows("SELECT count() FROM spans") == [(0,)]
