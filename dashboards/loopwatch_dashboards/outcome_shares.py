"""Shares of runs that ended in one way, by agent, version, customer or environment, each with its interval."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from loopwatch_dashboards import formatting, links, panels
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import bars, palette
from loopwatch_dashboards.context import Context

DIMENSIONS: Final = {"agent": "agent", "version": "version", "customer": "customer", "environment": "environment"}
_MAX_BARS: Final = 10


def shares(rows: Sequence[Mapping[str, Any]], outcome: str, *, lowest_first: bool = False) -> list[dict[str, Any]]:
    """The ten rows whose share of an outcome matters most, with `rate`, `low` and `high`.

    Args:
        rows: with `ended` and a column named as the outcome.
        outcome: which share.
        lowest_first: whether a low share matters.
    """
    known = [bars.with_interval(row, outcome, "ended") for row in rows if row["ended"]]
    # By the end of the interval that can be relied on: 2 of 12 does not lead before 100 of 900.
    return sorted(known, key=lambda row: row["high"] if lowest_first else -row["low"])[:_MAX_BARS]


def shares_panel(
    context: Context, answer: Any, dimension: str, outcome: str, *, fact: str, lowest_first: bool = False
) -> None:
    """A panel of shares; a bar leads to the runs it is the share of.

    Args:
        context: the view.
        answer: the answer to come, with a row for each value of the dimension.
        dimension: a key of DIMENSIONS.
        outcome: which share.
        fact: what the first bar does, such as "escalates most".
        lowest_first: whether a low share matters.
    """

    def ranked(got: Answer) -> list[dict[str, Any]]:
        return shares(got.rows, outcome, lowest_first=lowest_first)

    def title(got: Answer) -> str:
        first = ranked(got)[0]
        return f"{first['key'] or 'none'} {fact}: {formatting.ratio(first['rate'])}"

    panels.chart_panel(
        context,
        answer,
        key=f"{outcome}-by-{dimension}",
        title=title,
        runs=lambda got: int(got.total("ended")),
        note=f"Share of the ended runs of each {dimension}, with the 95 % interval. Click a bar for its runs.",
        chart=lambda got: bars.rates(
            ranked(got),
            label="key",
            title=f"share of runs that {outcome}",
            rate="rate",
            low="low",
            high="high",
            events=outcome,
            trials="ended",
            colour=palette.OUTCOMES[outcome],
            selection=panels.click("key"),
        ),
        opens=lambda point: open_share(context, dimension, str(point["key"]), outcome),
        is_empty=lambda got: not ranked(got),
        nothing="No run has ended yet.",
    )


def open_share(context: Context, dimension: str, value: str, outcome: str) -> None:
    """Opens the runs of a value that ended in one way.

    Args:
        context: the view.
        dimension: a key of DIMENSIONS.
        value: of the dimension; "" for runs that have none.
        outcome: how they ended.
    """
    # A value that is not known is no filter: it is a condition on an empty text.
    where = "" if value else links.condition(dimension, "")
    links.open_runs(context, where, outcome=outcome, **{dimension: value})
