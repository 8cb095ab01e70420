"""Tokens of a run by iteration: how the context grows, and what the cache takes of it."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from loopwatch_dashboards import formatting
from loopwatch_dashboards.charts import axes, palette
from loopwatch_dashboards.charts.data import data
from loopwatch_dashboards.spans import Iteration


def context_growth(iterations: Sequence[Iteration], selection: alt.Parameter | None = None) -> Any:
    """Bars per iteration, stacked by kind of token.

    Args:
        iterations: of one run.
        selection: a click selection to attach.

    Returns:
        The chart.
    """
    values = [
        {
            "left": one.number - 0.42,
            "right": one.number + 0.42,
            "number": one.number,
            "kind": kind,
            "tokens": tokens,
            "place": place,
            "said": formatting.count(tokens),
            "context": formatting.count(one.input_tokens),
        }
        for one in iterations
        for place, (kind, tokens) in enumerate(_kinds(one).items())
    ]
    last = max((one.number for one in iterations), default=1)
    chart = (
        alt.Chart(data(values))
        .mark_bar(orient="vertical")
        .encode(
            x=axes.amount("left", "iteration", "count", domain=[0.4, last + 0.6]),
            x2=alt.X2("right"),
            y=axes.quantity("tokens", "tokens", "count", top=axes.highest(values, "number", "tokens"), is_stacked=True),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(palette.TOKEN_KINDS), range=list(palette.TOKEN_KINDS.values())),
                legend=axes.legend(list(palette.TOKEN_KINDS)),
            ),
            order=alt.Order("place:Q"),
            tooltip=axes.hover(
                ("number", "iteration"), ("kind", "kind"), ("said", "tokens"), ("context", "input in all")
            ),
        )
    )
    chart = chart.add_params(selection) if selection is not None else chart
    return axes.framed(chart, 260)


def _kinds(one: Iteration) -> dict[str, int]:
    uncached = max(0, one.input_tokens - one.cache_read_tokens - one.cache_write_tokens)
    return {
        "input": uncached,
        "cache_read": one.cache_read_tokens,
        "cache_write": one.cache_write_tokens,
        "output": one.output_tokens,
    }
