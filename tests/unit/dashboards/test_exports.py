"""Rows as files."""

import csv
import io

import pyarrow.parquet as pq
import pytest

from loopwatch_dashboards import exports

ROWS = [
    {"run_id": "a", "agent": "=HYPERLINK(1)", "cost_usd": 0.5, "tags": ["x", "y"], "iterations": 3},
    {"run_id": "b", "agent": "plain", "cost_usd": None, "tags": [], "iterations": 4},
]


def test_parquet_keeps_types_and_unknown_values() -> None:
    """Numbers stay numbers, lists stay lists, and an unknown cost is null."""
    table = pq.read_table(io.BytesIO(exports.as_parquet(ROWS)))
    assert table.to_pylist() == ROWS


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_holds_no_formula(start: str) -> None:
    """A cell that a spreadsheet would run gets a quote in front; the rest is as it was."""
    text = exports.as_csv([{"agent": f"{start}cmd"}, {"agent": "a=b"}]).decode()
    assert [row["agent"] for row in csv.DictReader(io.StringIO(text, newline=""))] == [f"'{start}cmd", "a=b"]


def test_no_rows_are_an_empty_file() -> None:
    """Nothing to write is no fault."""
    assert exports.as_csv([]) == b""
    assert pq.read_table(io.BytesIO(exports.as_parquet([]))).num_rows == 0
