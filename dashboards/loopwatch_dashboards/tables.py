"""Tables whose rows open what they stand for."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import pandas as pd
import streamlit as st

from loopwatch_dashboards import formatting
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import palette
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import one_line

SelectionMode = Literal["multi-row", "single-cell"]
AUTO_ROWS = 10
# In pixels, borders included: a table ends where a row ends.
_ROW_HEIGHT, _HEADING_HEIGHT = 34, 35


def show(
    context: Context,
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, tuple[str, str]],
    *,
    key: str,
    opens: Callable[[Mapping[str, Any]], None] | None = None,
    height: int | None = None,
    ticks: bool = False,
) -> list[Mapping[str, Any]]:
    """A table; a click on a cell opens what its row stands for.

    Args:
        context: for the clock of times.
        rows: what to show.
        columns: column -> (heading, unit), in order.
        key: names the table on the page.
        opens: called with the row that was clicked.
        height: in pixels; as high as its rows, up to ten of them, when None.
        ticks: whether rows can be ticked.

    Returns:
        The rows that are ticked.
    """
    config = {
        column: st.column_config.Column(
            heading, alignment="right" if unit in _RIGHT else "left", width=_WIDTHS.get(unit)
        )
        for column, (heading, unit) in columns.items()
    }
    looks: dict[str, Any] = {
        "hide_index": True,
        "key": f"rows-{key}",
        "column_config": config,
        "height": height or rows_height(min(len(rows), AUTO_ROWS)),
        "row_height": _ROW_HEIGHT,
        "placeholder": formatting.NOTHING,
    }
    modes: list[SelectionMode] = [*(["multi-row"] if ticks else []), *(["single-cell"] if opens else [])]
    if not modes:
        st.dataframe(styled(rows, columns, context), **looks)
        return []
    selected = st.dataframe(styled(rows, columns, context), **looks, on_select="rerun", selection_mode=modes).selection
    if opens and selected.cells:
        opens(rows[selected.cells[0][0]])
    return [rows[position] for position in selected.rows if position < len(rows)]


def rows_height(rows: int) -> int:
    """How high a table of so many rows is, in pixels."""
    return _HEADING_HEIGHT + _ROW_HEIGHT * rows


def styled(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, tuple[str, str]], context: Context) -> Any:
    """Cells that sort as the numbers and times they are, and read like the rest of the page.

    Args:
        rows: what to show.
        columns: column -> (heading, unit), in order.
        context: for the clock of times.
    """
    values = {
        column: pd.Series(
            [_sortable(row.get(column), unit) for row in rows], dtype="float64" if unit in _RIGHT else "object"
        )
        for column, (_, unit) in columns.items()
    }
    said = {column: partial(_said, unit=unit, context=context) for column, (_, unit) in columns.items()}
    return pd.DataFrame(values).style.format(said)


def of_answer(answer: Answer, context: Context) -> pd.DataFrame:
    """An answer as a table whose values read like the rest of the page."""
    return pd.DataFrame(
        {
            f"{column.name}": [
                formatting.time(row[column.name], context.zone)
                if column.unit == "time"
                else one_line(formatting.of_unit(row[column.name], column.unit), 400)
                for row in answer.rows
            ]
            for column in answer.columns
        }
    )


_RIGHT = frozenset({"runs", "calls", "tokens", "count", "usd", "ns", "ratio", "bytes", "times"})


# In pixels; what has no width of its own shares what is left.
_WIDTHS = {"sentence": 320, "id": 120, "name": 170, "time": 150}


def _sortable(value: Any, unit: str) -> Any:
    if unit in _RIGHT:
        return value if isinstance(value, int | float) else None
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value if value is not None else "")


def _said(value: Any, *, unit: str, context: Context) -> str:
    if unit == "id":
        return f"{value[:12]}…" if len(value) > 13 else value
    if unit == "time":
        return formatting.time(value, context.zone)
    if unit == "outcome":
        return f"{palette.OUTCOME_MARKS.get(value, '')} {one_line(value, 60)}".strip()
    return one_line(formatting.of_unit(value, unit), 400)
