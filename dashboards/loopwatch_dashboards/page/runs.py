"""Runs: search, columns of choice, files, and two of them side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import (
    choices,
    columns,
    controls,
    exports,
    formatting,
    frame,
    links,
    navigation,
    states,
    tables,
)
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import plain

COLUMNS: Final = {
    "start_time": ("started", "time"),
    "agent": ("agent", "text"),
    "version": ("version", "text"),
    "outcome": ("outcome", "outcome"),
    "duration_ns": ("duration", "ns"),
    "iterations": ("iterations", "count"),
    "model_calls": ("model calls", "calls"),
    "tool_calls": ("tool calls", "calls"),
    "tool_errors": ("tool errors", "calls"),
    "total_tokens": ("tokens", "tokens"),
    "cost_usd": ("cost", "usd"),
    "customer_id": ("customer", "text"),
    "user_id": ("user", "text"),
    "environment": ("environment", "text"),
    "conversation_id": ("conversation", "text"),
    "models": ("models", "text"),
    "tags": ("tags", "text"),
    "last_tool": ("last tool", "text"),
    "limit": ("limit", "text"),
    "error_type": ("error", "text"),
    "error_message": ("error message", "text"),
    "escalation_reason": ("reason", "text"),
    "service": ("service", "text"),
    "run_id": ("run", "id"),
}
DEFAULT_COLUMNS: Final = (
    "start_time", "agent", "version", "outcome", "duration_ns", "iterations", "tool_calls", "tool_errors",
    "total_tokens", "cost_usd", "customer_id", "run_id",
)  # fmt: skip
OUTCOMES: Final = ("completed", "escalated", "failed", "stopped", "open", "abandoned")
# What the API calls an order; the first is its own.
ORDERS: Final = {
    "": "Latest first",
    "cost": "Dearest first",
    "duration": "Longest first",
    "iterations": "Most iterations first",
    "tokens": "Most tokens first",
    "tool_errors": "Most tool errors first",
}
TAIL_SECONDS: Final = 5
PAGE_RUNS: Final = 100
MOST_ROWS: Final = 17
EXPORT_RUNS: Final = 10_000


def runs() -> None:
    """The Runs page."""
    frame.page("Runs", _body)


def _body(context: Context) -> None:
    _search(context)
    asked = _asked(context)
    listed = context.collector.runs(context.window, context.view.filters, limit=PAGE_RUNS, **asked)
    got = states.awaited(listed)
    found = [with_unknowns(run) for run in got["runs"]]
    if not found:
        st.info("**No run matches.** Widen the time range or take a condition away.", icon=":material/search_off:")
        return
    cursor = context.params.get("cursor", "")
    st.caption(
        f"{'More' if cursor else 'The first'} {formatting.plural(len(found), 'run')}, "
        f"{ORDERS[choices.asked(ORDERS, param='order', context=context)].lower()}. "
        "Click a row to open it; tick two to compare them."
    )
    ticked = tables.show(
        context,
        found,
        columns.chosen(context, COLUMNS, DEFAULT_COLUMNS),
        key="runs",
        opens=lambda row: links.open_run(context, row["run_id"]),
        most_rows=MOST_ROWS,
        ticks=True,
    )
    _below(context, asked, cursor, got["next_cursor"], ticked)


def with_unknowns(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run as the list shows it: tokens that nobody reported are unknown, as their cost is, and not none."""
    unreported = run["cost_usd"] is None and not run["total_tokens"]
    return {**run, "total_tokens": None} if unreported else dict(run)


def _search(context: Context) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _outcome(context)
        _order(context)
        columns.choice(context, COLUMNS, DEFAULT_COLUMNS, key="runs-columns")
        _live_tail(context)
    conversation = context.params.get("conversation", "")
    if conversation and st.button(f"Conversation {plain(conversation)}", icon=":material/close:"):
        navigation.go_to("runs", context.link(**_without(context.params, "conversation", "cursor")))


def _without(params: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in params.items() if name not in names}


def _outcome(context: Context) -> None:
    chosen = context.params.get("outcome", "")
    key = "runs-outcome"
    st.session_state[key] = chosen if chosen in OUTCOMES else None

    def write() -> None:
        st.query_params.pop("cursor", None)
        if st.session_state[key]:
            st.query_params["outcome"] = st.session_state[key]
        else:
            st.query_params.pop("outcome", None)

    st.selectbox(
        "Outcome",
        OUTCOMES,
        key=key,
        placeholder="Any outcome",
        on_change=write,
        width=150,
        label_visibility="collapsed",
    )


def _order(context: Context) -> None:
    key = "runs-order"
    st.session_state[key] = choices.asked(ORDERS, param="order", context=context)

    def write() -> None:
        st.query_params.pop("cursor", None)
        if st.session_state[key] == next(iter(ORDERS)):
            st.query_params.pop("order", None)
        else:
            st.query_params["order"] = st.session_state[key]

    st.selectbox(
        "Order",
        list(ORDERS),
        key=key,
        format_func=ORDERS.__getitem__,
        on_change=write,
        filter_mode=None,
        width=190,
        label_visibility="collapsed",
    )


def _live_tail(context: Context) -> None:
    key = "runs-live"
    st.session_state[key] = bool(context.view.live_seconds)

    def write() -> None:
        st.query_params.pop("cursor", None)
        controls.write_url(replace(context.view, live_seconds=TAIL_SECONDS if st.session_state[key] else 0))
        st.session_state[f"{key}-changed"] = True

    st.toggle("Live tail", key=key, on_change=write, help=f"New runs appear on top, every {TAIL_SECONDS} seconds.")
    if st.session_state.pop(f"{key}-changed", False):
        # How often the list is drawn again is decided outside of it.
        st.rerun(scope="app")


def _asked(context: Context) -> dict[str, str]:
    asked = {name: context.params[name] for name in ("outcome", "conversation", "cursor") if context.params.get(name)}
    order = choices.asked(ORDERS, param="order", context=context)
    return {**asked, **{name: value for name, value in (("q", context.view.where), ("order_by", order)) if value}}


def _below(
    context: Context,
    asked: Mapping[str, str],
    cursor: str,
    next_cursor: str | None,
    ticked: Sequence[Mapping[str, Any]],
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(ticked) == 2:
            left, right = (str(row["run_id"]) for row in ticked)
            navigation.link(context, "compare", "Compare the two", ":material/compare:", left=left, right=right)
        links.pager(context, "runs", cursor, next_cursor)
        st.space("stretch")
        for name, mime, write in (
            ("CSV", "text/csv", exports.as_csv),
            ("Parquet", "application/vnd.apache.parquet", exports.as_parquet),
        ):
            st.download_button(
                name,
                data=_file(context, _without(asked, "cursor"), write),
                file_name=f"runs.{name.lower()}",
                mime=mime,
                icon=":material/download:",
                type="tertiary",
                on_click="ignore",
                key=f"download-runs-{name}",
                help=f"All runs that match, up to {formatting.count(EXPORT_RUNS)}",
            )


def _file(
    context: Context, asked: Mapping[str, str], write: Callable[[Sequence[Mapping[str, Any]]], bytes]
) -> Callable[[], bytes]:
    """A file of all matching runs, made when it is asked for."""

    def make() -> bytes:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(found) < EXPORT_RUNS:
            page = context.collector.runs(context.window, context.view.filters, limit=1000, cursor=cursor, **asked)
            found += page.result()["runs"]
            cursor = page.result()["next_cursor"]
            if not cursor:
                break
        return write(found[:EXPORT_RUNS])

    return make
