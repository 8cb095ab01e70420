"""Tables whose rows open what they stand for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import pandas as pd
import streamlit as st

from loopwatch_dashboards import formatting, typeface
from loopwatch_dashboards.charts import palette
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import one_line

SelectionMode = Literal["multi-row", "single-cell"]
AUTO_ROWS = 10
# In pixels, borders included: a table ends where a row ends.
_ROW_HEIGHT, _HEADING_HEIGHT = 34, 35
_MAX_HEIGHT = 680
_USUAL_TIMES, _GUESSED_ROWS = 1.3, 60
_NAMING_COLUMNS = 4
# Streamlit breaks cells into lines where rows are higher than this.
_LEAST_BROKEN_ROW_HEIGHT = 62
_LETTER_PX, _LINE_PX, _CELL_PADDING_PX, _HEADING_AIR_PX = 13.125, 19, 18, 22
_TEXT_PX = 330  # a phone shows such a column whole
# A text that is longer than this is shown by its beginning, which says how much there is besides.
_MAX_CHARACTERS, _SHORTENED_CHARACTERS = 400, 200


class Layout(NamedTuple):
    """How much room a table's cells have, so that every text in it can be read whole.

    Attributes:
        widths: of columns whose texts are long or of very different length, in pixels; the others share what is left.
        row_height: in pixels, the same for all rows.
    """

    widths: Mapping[str, int]
    row_height: int


def show(
    context: Context,
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, tuple[str, str]],
    *,
    key: str,
    opens: Callable[[Mapping[str, Any]], None] | None = None,
    most_rows: int = AUTO_ROWS,
    max_height: int = _MAX_HEIGHT,
    ticks: bool = False,
) -> list[Mapping[str, Any]]:
    """A table; a click on a cell opens what its row stands for.

    Args:
        context: for the clock of times.
        rows: what to show.
        columns: column -> (heading, unit), in order.
        key: names the table on the page.
        opens: called with the row that was clicked.
        most_rows: how many rows are in sight at most; the table is as high as its rows where there are fewer.
        max_height: in pixels; rows that are high leave fewer in sight.
        ticks: whether rows can be ticked.

    Returns:
        The rows that are ticked.
    """
    room = layout(rows, columns, context)
    config = {
        column: st.column_config.Column(
            heading, alignment="right" if unit in _RIGHT else "left", width=room.widths.get(column)
        )
        for column, (heading, unit) in columns.items()
    }
    in_sight = min(len(rows), most_rows, max(3, (max_height - _HEADING_HEIGHT) // room.row_height))
    looks: dict[str, Any] = {
        "hide_index": True,
        "key": f"rows-{key}",
        "column_config": config,
        "height": rows_height(in_sight, room.row_height),
        "row_height": room.row_height,
        "placeholder": formatting.NOTHING,
    }
    modes: list[SelectionMode] = [*(["multi-row"] if ticks else []), *(["single-cell"] if opens else [])]
    if not modes:
        st.dataframe(styled(rows, columns, context), **looks)
        return []
    selected = st.dataframe(styled(rows, columns, context), **looks, on_select="rerun", selection_mode=modes).selection
    opened, ticked = _by_keyboard(context, rows, columns, key, opens=bool(opens), ticks=ticks)
    clicked = selected.cells[0][0] if selected.cells else opened
    if opens and clicked is not None and clicked < len(rows):
        opens(rows[clicked])
    positions = dict.fromkeys((*selected.rows, *ticked))
    return [rows[position] for position in positions if position < len(rows)]


def _by_keyboard(
    context: Context,
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, tuple[str, str]],
    key: str,
    *,
    opens: bool,
    ticks: bool,
) -> tuple[int | None, Sequence[int]]:
    """Lists of the rows to open one and to tick some, in sight only while the keyboard is there.

    Moving through a table's cells selects them, which is how a click opens a row: a reader who only wanted to pass by
    would be taken away. `server.py` takes tables out of the order of Tab, and these lists stand in for them.
    """
    named = list(columns.items())[:_NAMING_COLUMNS]

    def said(position: int) -> str:
        row = rows[position]
        texts = (_said(_sortable(row.get(column), unit), unit=unit, context=context) for column, (_, unit) in named)
        return ", ".join(one_line(text, 80) for text in texts if text)

    with st.container(key=f"keyboard-{key}"):
        opened, ticked = None, list[int]()
        if opens:
            opened = st.selectbox(
                "Open a row", range(len(rows)), index=None, format_func=said, key=f"open-{key}",
                placeholder="Open a row", label_visibility="collapsed",
            )  # fmt: skip
        if ticks:
            ticked = st.multiselect(
                "Tick rows", range(len(rows)), format_func=said, key=f"tick-{key}", placeholder="Tick two rows",
                max_selections=2, label_visibility="collapsed",
            )  # fmt: skip
    return opened, ticked


def rows_height(rows: int, row_height: int = _ROW_HEIGHT) -> int:
    """How high a table of so many rows is, in pixels."""
    return _HEADING_HEIGHT + row_height * rows


def layout(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, tuple[str, str]], context: Context) -> Layout:
    """Columns as wide as their longest text and, beyond a width, rows as high as its lines.

    Args:
        rows: what to show.
        columns: column -> (heading, unit), in order.
        context: for the clock of times.
    """
    widths: dict[str, int] = {}
    most_lines = 1
    for column, (heading, unit) in columns.items():
        texts = [_said(_sortable(row.get(column), unit), unit=unit, context=context) for row in rows]
        wide = [typeface.em_width(text) * _LETTER_PX + _CELL_PADDING_PX for text in texts]
        widest = max(wide, default=0)
        if widest <= _TEXT_PX and _is_even(wide):
            continue
        width = min(widest, _TEXT_PX)
        most_lines = max(most_lines, _most_lines(texts, width) if widest > _TEXT_PX else 1)
        widths[column] = int(max(width, typeface.em_width(heading) * _LETTER_PX + _HEADING_AIR_PX))
    if most_lines == 1:
        return Layout(widths, _ROW_HEIGHT)
    return Layout(widths, max(_LEAST_BROKEN_ROW_HEIGHT, most_lines * _LINE_PX + 12))


def _is_even(wide: Sequence[float]) -> bool:
    """Whether the browser's guess has room for all: it looks at some rows, and leaves out what is twice as wide."""
    return len(wide) <= _GUESSED_ROWS and max(wide, default=0) * len(wide) <= _USUAL_TIMES * sum(wide)


def _most_lines(texts: Iterable[str], width_px: float) -> int:
    room_em = (width_px - _CELL_PADDING_PX) / _LETTER_PX
    return max(len(typeface.lines(text, room_em, _MAX_CHARACTERS)) for text in texts)


def styled(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, tuple[str, str]], context: Context) -> Any:
    """Cells that sort as the numbers and times they are, and read like the rest of the page.

    Args:
        rows: what to show.
        columns: column -> (heading, unit), in order.
        context: for the clock of times.
    """
    values = {
        column: pd.Series(
            [_sortable(row.get(column), unit) for row in rows], dtype="float64" if unit in _NUMBERS else "object"
        )
        for column, (_, unit) in columns.items()
    }
    said = {column: partial(_said, unit=unit, context=context) for column, (_, unit) in columns.items()}
    return pd.DataFrame(values).style.format(said)


_NUMBERS = frozenset({"runs", "calls", "tokens", "count", "usd", "ns", "ratio", "bytes", "times"})
_RIGHT = _NUMBERS | {"figure"}  # a figure is a number that is written already


def _sortable(value: Any, unit: str) -> Any:
    if unit in _NUMBERS:
        return value if isinstance(value, int | float) else None
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value if value is not None else "")


def _said(value: Any, *, unit: str, context: Context) -> str:
    if unit == "id":
        return f"{value[:12]}…" if len(value) > 13 else value
    if unit == "time":
        return formatting.time(value, context.zone)
    if unit == "outcome":
        return f"{palette.OUTCOME_MARKS.get(value, '')} {one_line(value, 60)}".strip()
    text = formatting.of_unit(value, unit)
    return one_line(text, _MAX_CHARACTERS if len(text) <= _MAX_CHARACTERS else _SHORTENED_CHARACTERS)
