"""Caching and prices: what the cache saves, which tokens have no price, and whether prices are being changed."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, links, panels, states
from loopwatch_dashboards.api import NO_ANSWER, Answer
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import plain

SAVINGS = {
    "model": ("model", "text"),
    "hit_rate": ("from the cache", "ratio"),
    "cache_read_tokens": ("read", "tokens"),
    "cache_write_tokens": ("written", "tokens"),
    "saved_usd": ("saved", "usd"),
    "cost_usd": ("cost", "usd"),
}
UNPRICED = {"key": ("model", "text"), "unpriced_tokens": ("tokens without a price", "tokens"), "runs": ("runs", "runs")}


def repricing(context: Context, repriced: Mapping[str, Any]) -> None:
    """Says that prices are being changed: until it is done, days are priced in two ways."""
    day = next((one for one in repriced["days"] if one["is_under_way"]), None)
    if not repriced["under_way"] or not day:
        return
    since = formatting.time(day["repriced_at"], context.zone)
    st.warning(
        f"**Prices are being changed**, at {plain(str(day['day']))} since {since}. Days before and after it may be "
        "priced differently. Where nothing happens any more, run `loopwatch reprice` again: it goes on.",
        icon=":material/published_with_changes:",
    )


def ask(context: Context) -> Callable[[], None]:
    """Asks what the section shows, and returns what draws it."""
    savings, by_model = context.ask("cache_savings"), context.ask("cost_by", dimension="model")

    def draw() -> None:
        _savings(context, savings)
        _unpriced(context, by_model)

    return draw


def _savings(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        SAVINGS,
        key="cache-savings",
        title=lambda got: f"Caching saved {formatting.usd(got.total('saved_usd'))}",
        runs=panels.in_view(context),
        note="By model; negative where writing to the cache cost more than it saved. Click a row for the runs.",
        rows=lambda got: [row for row in got.rows if row["model"] or row["saved_usd"] is not None],
        opens=lambda row: links.open_runs(context, model=str(row["model"])),
    )


def _unpriced(context: Context, answer: Any) -> None:
    def rows(got: Answer) -> list[dict[str, Any]]:
        return [row for row in got.rows if row["unpriced_tokens"]]

    if not rows(states.spared(answer, NO_ANSWER)):
        return
    panels.table_panel(
        context,
        answer,
        UNPRICED,
        key="unpriced",
        title=lambda got: f"{formatting.plural(len(rows(got)), 'model')} without a price",
        runs=panels.summed,
        note="Their tokens are not in any cost here. Give them a price, then reprice.",
        rows=rows,
        opens=lambda row: links.open_runs(context, "unpriced_tokens > 0", model=str(row["key"])),
    )
