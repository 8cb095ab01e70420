"""System: is everything that was sent stored, how far behind is it, how much room is left, and what is in force?"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import formatting, frame, panels, tables, tiles
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import plain

SENDERS: Final = {
    "service": ("service", "text"),
    "process_id": ("process", "text"),
    "last_seen": ("last seen", "time"),
    "spans_stored": ("spans stored", "count"),
    "dropped": ("dropped by the sender", "text"),
    "gaps": ("missing", "count"),
}
GAPS: Final = {
    "service": ("service", "text"),
    "process_id": ("process", "text"),
    "spans": ("spans stored", "count"),
    "missing": ("missing", "count"),
    "last_seen": ("last span", "time"),
}


def system() -> None:
    """The System page."""
    frame.page("System", _body, needs_runs=False)


def _body(context: Context) -> None:
    asked, gaps = context.collector.ask("/api/v1/system"), context.ask_if_there("sender_gaps", limit=1000)
    got = asked.result()
    _health(got)
    _tiles(context, got)
    _senders(context, got.get("senders", ()))
    if gaps:
        _gaps(context, gaps)
    left, right = st.columns(2)
    with left:
        _listed(context, "Settings in force", got.get("settings"))
    with right:
        _listed(context, "Keys", got.get("keys"))


def _health(got: Mapping[str, Any]) -> None:
    since = f"Version {plain(str(got['version']))}, up for {formatting.duration(got['uptime_s'] * 1e9)}."
    if got["status"] == "ok":
        st.success(f"**The collector is well.** {since}", icon=":material/check_circle:")
        return
    reasons = " ".join(plain(reason, 300) for reason in got["reasons"])
    st.error(f"**The collector is {plain(got['status'])}.** {reasons} {since}", icon=":material/error:")


def _tiles(context: Context, got: Mapping[str, Any]) -> None:
    journal, store, rejected = got["journal"], got["store"], got["received"]["rejected"]
    dropped = sum(sum(sender["dropped"].values()) for sender in got.get("senders", ()))
    why = ", ".join(f"{formatting.count(n)} {reason.replace('_', ' ')}" for reason, n in rejected.items())
    tiles.show(
        context,
        tiles.Tile(
            "Accepted", formatting.count(got["acknowledged_spans"]), "Spans acknowledged since the collector started."
        ),
        tiles.Tile("Stored", formatting.count(got["written_spans"]), "Of these, spans written to the store."),
        tiles.Tile("Rejected", formatting.count(sum(rejected.values())), why or "Spans refused, with their reason."),
        tiles.Tile("Dropped by senders", formatting.count(dropped), "What senders say they could not keep."),
        tiles.Tile("Dead letters", formatting.count(got["dead_letters"]), "Spans the store refused, kept aside."),
        tiles.Tile("Lag", formatting.duration(journal["lag_s"] * 1e9), "Age of the oldest record not yet stored."),
        tiles.Tile(
            "In the journal",
            formatting.plural(journal["records"], "record"),
            f"Accepted and not yet stored: {formatting.size(journal['bytes'])}.",
        ),
        tiles.Tile("Store", formatting.size(store["disk_bytes"]), plain(f"{store['engine']}: {store['dsn']}")),
        tiles.Tile(
            "Free disk",
            formatting.size(got["free_disk_bytes"]),
            f"Below {formatting.size(got['min_free_bytes'])} the collector takes nothing more.",
        ),
        tiles.Tile("Kept for", f"{got['retention_days']} d", "Older spans are dropped, day by day."),
        in_row=5,
    )


def _senders(context: Context, senders: Sequence[Mapping[str, Any]]) -> None:
    with st.container(border=True, key="panel-senders"):
        st.markdown(f"**{formatting.plural(len(senders), 'process', 'processes')} sent since the collector started**")
        if not senders:
            st.caption("Nothing was sent since then.")
            return
        rows = [
            {**one, "dropped": ", ".join(f"{n} {reason}" for reason, n in one["dropped"].items()) or "0"}
            for one in sorted(senders, key=lambda one: str(one["last_seen"]), reverse=True)
        ]
        tables.show(context, rows, SENDERS, key="senders")


def _gaps(context: Context, answer: Any) -> None:
    def incomplete(got: Any) -> list[Mapping[str, Any]]:
        return [row for row in got.rows if row["missing"]]

    panels.table_panel(
        context,
        answer,
        GAPS,
        key="sender-gaps",
        title=lambda got: f"{formatting.plural(len(incomplete(got)), 'process', 'processes')} with missing spans",
        note="Gaps in the numbers a process gave its spans, in this time range; spans on their way are among them.",
        nothing="No span is missing: every process that numbers its spans is stored without a gap.",
        rows=incomplete,
    )


def _listed(context: Context, title: str, rows: Sequence[Mapping[str, Any]] | None) -> None:
    with st.container(border=True, key=f"panel-{title.lower().replace(' ', '-')}"):
        st.markdown(f"**{title}**")
        if rows is None:
            st.caption("Shown to a key of the role admin.")
        elif not rows:
            st.caption("None: everybody on this machine may read and write.")
        else:
            columns = {name: (name.replace("_", " "), "text") for name in rows[0]}
            tables.show(context, rows, columns, key=title.lower())
