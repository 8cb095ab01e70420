"""System: is everything that was sent stored, how far behind is it, how much room is left, and what is in force?"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, frame, panels, prometheus
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import NotFound
from loopwatch_dashboards.text import plain


def system() -> None:
    """The System page."""
    frame.page("System", _body, needs_runs=False)


def _body(context: Context) -> None:
    health, metrics = context.collector.ask_text("/readyz"), context.collector.ask_text("/metrics")
    gaps = context.ask_if_there("sender_gaps")
    status = context.collector.ask("/api/v1/system")
    numbers = prometheus.totals(metrics.result())
    _health(health)
    _tiles(context, numbers)
    if gaps:
        _gaps(context, gaps)
    _settings(context, status)
    with st.expander("Every metric of the collector", icon=":material/list:"):
        rows = [{"name": name, "value": formatting.count(value)} for name, value in sorted(numbers.items())]
        panels.table(context, rows, {"name": ("metric", "text"), "value": ("value", "text")}, key="metrics", height=400)


def _health(asked: Any) -> None:
    try:
        asked.result()
    except Exception as fault:  # noqa: BLE001  # whatever it is, this page exists to show it
        st.error(f"**The collector is not ready.** {plain(str(fault), 400)}", icon=":material/error:")
    else:
        st.success("**The collector is ready.** It takes spans and writes them.", icon=":material/check_circle:")


def _tiles(context: Context, numbers: Mapping[str, float]) -> None:
    def of(name: str, form: Any = formatting.count) -> str:
        value = numbers.get(f"loopwatch_{name}")
        return form(value) if value is not None else formatting.NOTHING

    panels.tiles(
        context,
        panels.Tile("Accepted", of("acknowledged_spans_total"), "Spans answered with 200 since the collector started."),
        panels.Tile(
            "Stored", of("written_spans_total"), "Spans written to the store since it started, repeats included."
        ),
        panels.Tile("Rejected", of("rejected_spans_total"), "Spans refused: too old, too far ahead, malformed."),
        panels.Tile("Dead letters", of("dead_letters_total"), "Spans the store refused; they are kept aside."),
        panels.Tile(
            "Lag",
            of("lag_seconds", lambda value: formatting.duration(value * 1e9)),
            "Age of the oldest record not yet stored.",
        ),
        panels.Tile("In the journal", of("journal_records"), "Records accepted and not yet stored."),
        panels.Tile("Journal size", of("journal_bytes", formatting.size), "On disk."),
        panels.Tile("Free disk", of("free_disk_bytes", formatting.size), "Where the data directory is."),
        in_row=4,
    )


def _gaps(context: Context, answer: Any) -> None:
    panels.answer_panel(
        context,
        answer,
        key="sender-gaps",
        title=lambda got: f"{formatting.plural(len(got.rows), 'sender')}",
        note="What each sending process sent, and what of it is missing in the store.",
        nothing="No sender in this time range numbers its spans.",
    )


def _settings(context: Context, asked: Any) -> None:
    try:
        got = asked.result()
    except NotFound:
        return
    for title, rows in (("Settings in force", got.get("settings")), ("Keys", got.get("keys"))):
        if rows:
            with st.container(border=True, key=f"panel-{title.lower().replace(' ', '-')}"):
                st.markdown(f"**{title}**")
                panels.table(context, rows, _columns(rows), key=title.lower())


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    return {name: (name.replace("_", " "), "text") for name in rows[0]}
