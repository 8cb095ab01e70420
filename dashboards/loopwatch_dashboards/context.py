"""What every page is given: the collector, and the view the URL asks for."""

import os
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from loopwatch_dashboards.api import SLOW_SECONDS, Answer, Collector
from loopwatch_dashboards.formatting import parse_time
from loopwatch_dashboards.settings import Settings
from loopwatch_dashboards.view import FILTERS, View, Window


@dataclass(frozen=True, slots=True)
class Context:
    """One look at the data.

    Attributes:
        collector: who is asked.
        view: time range, filters and clock, as the URL says.
        window: the stretch of time the view covers now.
        zone: the zone in which times are written.
        params: the URL's other parameters, such as the run a page shows.
        waits_for: an answer to come that is wanted sooner than what is asked here; None for nothing.
    """

    collector: Collector
    view: View
    window: Window
    zone: tzinfo
    params: Mapping[str, str]
    waits_for: "Future[Any] | None" = None

    def after(self, answer: "Future[Any]") -> "Context":
        """The same look, whose questions are sent when an answer is there that is drawn before theirs.

        Side by side with all others, the first chart's question would get no more of the collector than the last one's.
        """
        return replace(self, waits_for=answer)

    def ask(self, query: str, **params: Any) -> "Future[Answer]":
        """Asks a named query about this window with these filters."""
        return self.ask_within(self.window, query, **params)

    def ask_over_time(self, query: str, **params: Any) -> "Future[Answer]":
        """Asks a named query for buckets that suit the window."""
        return self.ask(query, step_seconds=self.window.step_seconds, **params)

    def ask_before(self, query: str, **params: Any) -> "Future[Answer]":
        """Asks the same of the period of the same length before."""
        return self.ask_within(self.window.before, query, **params)

    def ask_within(self, window: Window, query: str, **params: Any) -> "Future[Answer]":
        """Asks a named query about another window with these filters."""
        return self.collector.query(
            query, window, self.view.filters, after=self.waits_for, q=self.view.where or None, **params
        )

    def first_run(self) -> "Future[dict[str, Any]]":
        """Asks whether there is a run in view: one run is found sooner than all are counted."""
        return self.collector.runs(self.window, self.view.filters, q=self.view.where or None, limit=1)

    def has_runs_at_all(self) -> bool:
        """Whether the store holds any run, whatever the view."""
        everything = View(preset="all").window(datetime.now(UTC))
        return bool(self.collector.runs(everything, {}, limit=1).result()["runs"])

    def link(self, view: View | None = None, /, **params: str) -> dict[str, str | list[str]]:
        """URL parameters that keep this view (or another) and name what a page shows besides."""
        return {**(view or self.view).to_query(), **{name: value for name, value in params.items() if value}}


VIEW_PARAMS = frozenset({"range", "from", "to", "tz", "live", "q", *FILTERS})


@cache
def collector_of(settings: Settings) -> Collector:
    """The process's one client of a collector: connections and answers are shared by all readers."""
    return Collector(settings.endpoint, settings.api_key)


def current() -> Context:
    """The context of this rerun, from the process's environment and the page's URL."""
    collector = collector_of(Settings.from_environment(os.environ))
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    view = View.from_query(query)
    others = {name: values[-1] for name, values in query.items() if name not in VIEW_PARAMS and values}
    return Context(collector, view, view.window(datetime.now(UTC)), _zone(view), others)


def narrowed(context: Context) -> Context:
    """The context with "all time" narrowed to the days that have runs, so that charts show them in full width.

    A page that refreshes by itself shows all until now: which days have runs is not asked anew each time.

    Raises:
        DashboardsError: the collector does not answer.
    """
    if context.view.preset != "all":
        return context
    days = context.collector.query(
        "runs_over_time", context.window, {}, fresh_seconds=SLOW_SECONDS, step_seconds=86_400
    ).result()
    if not days.rows:
        return context
    covering = _covering(sorted(str(row["bucket"]) for row in days.rows), context.window.end)
    return replace(context, window=covering._replace(end=context.window.end) if context.view.live_seconds else covering)


def _covering(days: list[str], end: datetime) -> Window:
    first, last = parse_time(days[0]), parse_time(days[-1])
    if first is None or last is None:
        raise ValueError(f"not a time: {days}")
    return Window(first, min(last + timedelta(days=1), end))


def unfiltered(view: View) -> View:
    """The view over all time and all runs, with the same clock."""
    return replace(view.with_preset("all"), filters={}, where="")


def _zone(view: View) -> tzinfo:
    if not view.local:
        return UTC
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except ZoneInfoNotFoundError:
        return UTC
