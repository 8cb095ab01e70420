"""Number tiles."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import streamlit as st

from loopwatch_dashboards import navigation
from loopwatch_dashboards.context import Context

_COLOURS: Final[dict[str, Literal["normal", "inverse"]]] = {"up": "normal", "down": "inverse"}


class Tile(NamedTuple):
    """One number.

    Attributes:
        label: what it is.
        value: the number, formatted.
        note: how it is counted.
        delta: its change against the period before, or what else stands beside it; None for nothing.
        good: which direction is good: "up", "down", or "neither".
        page: the page that explains it, by path; empty for none.
        params: what that page is told besides the view.
    """

    label: str
    value: str
    note: str
    delta: str | None = None
    good: str = "neither"
    page: str = ""
    params: Mapping[str, str] = MappingProxyType({})


def show(context: Context, *shown: Tile | None, in_row: int = 0) -> list[Any]:
    """Numbers in rows of equal cells.

    Args:
        context: the view.
        *shown: the numbers; None keeps a place for one that is known later.
        in_row: how many cells a row has; all of them when 0.

    Returns:
        The places that were kept, for `tile`.
    """
    in_row, kept = in_row or len(shown), []
    for start in range(0, len(shown), in_row):
        for column, one in zip(st.columns(in_row, gap="small"), shown[start : start + in_row], strict=False):
            with column:
                if one is None:
                    kept.append(st.container(height="stretch"))
                else:
                    tile(context, one)
    return kept


def tile(context: Context, one: Tile) -> None:
    """One number, here."""
    key = f"tile-{re.sub('[^a-z0-9]+', '-', one.label.lower())}"
    same = one.delta in {"0 %", "0 pp"}
    with st.container(border=True, key=key, gap=None, height="stretch"):
        st.metric(
            one.label,
            one.value,
            one.delta,
            delta_color="off" if same else _COLOURS.get(one.good, "off"),
            delta_arrow="auto" if one.delta and one.delta[0] in "+-" else "off",
            help=one.note,
        )
        if one.page:
            navigation.link(context, one.page, navigation.title(one.page), ":material/arrow_forward:", **one.params)
