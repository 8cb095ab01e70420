"""The rows of a chart and what they are called: names beside the bars, or above them where they are long.

Vega cuts a name that has no room. Here a name is broken into as many lines as it needs, and its row is as high.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import altair as alt

from loopwatch_dashboards import typeface

LETTER_PX: Final = 11.25
LINE_PX: Final = 14
# What a row has besides its lines.
_AIR_PX: Final = 10
_BESIDE_EM, _BESIDE_LINES = 16.0, 2
_ABOVE_EM, _ABOVE_LINES = 27.0, 8
# What the horizontal axis takes of a chart's height, its title with it.
_AXIS_PX: Final = 50


class Row(NamedTuple):
    """Where one row is, in pixels from the top of the plot."""

    first_line: float
    bar: float
    bar_end: float
    end: float

    @property
    def middle(self) -> float:
        """Where a mark without a height of its own stands."""
        return (self.bar + self.bar_end) / 2


class Rows(NamedTuple):
    """Rows from the top down, each as high as its name needs.

    Attributes:
        names: the lines of each row's name.
        rows: where each is.
        are_above: whether names stand above their bars and not beside them.
    """

    names: Sequence[Sequence[str]]
    rows: Sequence[Row]
    are_above: bool

    @property
    def height(self) -> int:
        """The chart's height in pixels, its horizontal axis with it."""
        return int(self._end) + _AXIS_PX

    @property
    def _end(self) -> float:
        return self.rows[-1].end if self.rows else LINE_PX

    def at(self, number: int) -> dict[str, float]:
        """The columns that place a mark in a row: `bar`, `bar_end` and `middle`."""
        row = self.rows[number]
        return {"bar": row.bar, "bar_end": row.bar_end, "middle": row.middle}

    def y(self, field: str, room_px: int | None = None) -> alt.Y:
        """The vertical axis, with a name at each row.

        All layers of a chart need the same: beside one that says less, Vega-Lite drops every second name.

        Args:
            field: the column plotted: `bar` or `middle`.
            room_px: a width to keep for names that begin at one line; None for names that end at the plot.
        """
        labels = {str(int(row.first_line)): list(name) for row, name in zip(self.rows, self.names, strict=True)}
        place: dict[str, Any] = {}
        if self.are_above:
            place = {"labelAlign": "left", "labelPadding": 0, "zindex": 1}
        elif room_px:
            place = {"labelAlign": "left", "labelPadding": room_px}
        axis = alt.Axis(
            title=None, ticks=False, domain=False, grid=False, labelLimit=0, labelOverlap=False, labelBaseline="top",
            labelLineHeight=LINE_PX, values=[int(row.first_line) for row in self.rows],
            # JSON is a literal of Vega's expression language too, so no name can become code.
            labelExpr=f"({json.dumps(labels)})[datum.value]", **place,
        )  # fmt: skip
        return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[self._end, 0], nice=False, zero=False))


def of(names: Sequence[str], bar_px: int) -> Rows:
    """Rows for bars: names beside them where all fit in two lines, else each above its bar, in full width.

    Args:
        names: of the rows, from the top down.
        bar_px: how high a bar is.
    """
    beside = [typeface.lines(name or "–", _BESIDE_EM, _BESIDE_LINES + 1) for name in names]
    if all(len(lines) <= _BESIDE_LINES for lines in beside):
        return within(beside, bar_px, least_px=26)
    return _above([typeface.lines(name or "–", _ABOVE_EM, _ABOVE_LINES) for name in names], bar_px)


def within(names: Sequence[Sequence[str]], bar_px: int | None, least_px: int) -> Rows:
    """Rows with their names beside them.

    Args:
        names: the lines of each.
        bar_px: how high a bar is; as high as its row when None.
        least_px: how high a row is at least.
    """
    rows: list[Row] = []
    top = 0.0
    for name in names:
        high = least_px + (len(name) - 1) * LINE_PX
        first = int(top + (high - len(name) * LINE_PX) / 2)
        bar = top + (high - (bar_px or high)) / 2
        rows.append(Row(first, bar, bar + (bar_px or high), top + high))
        top += high
    return Rows(names, rows, are_above=False)


def _above(names: Sequence[Sequence[str]], bar_px: int) -> Rows:
    rows: list[Row] = []
    top = 0.0
    for name in names:
        bar = top + len(name) * LINE_PX + 4
        rows.append(Row(int(top), bar, bar + bar_px, bar + bar_px + _AIR_PX))
        top = rows[-1].end
    return Rows(names, rows, are_above=True)
