"""Charts as Vega-Lite reads them."""

from collections.abc import Callable
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode


def spec_of(draw: Callable[[], Any]) -> dict[str, Any]:
    """A chart as Vega-Lite's JSON, without checking it against the schema.

    Altair checks every part of a chart while it is put together, and the whole once more, which took longer than all
    else a page does. That charts follow the schema is for their tests to check.

    Args:
        draw: puts the chart together.

    Returns:
        The specification, data included, without Altair's own look.
    """
    alt.theme.enable("none")  # sizes and colours are the page's
    with debug_mode(False):
        return draw().to_dict(validate=False)
