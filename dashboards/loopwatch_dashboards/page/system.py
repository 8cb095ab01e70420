"""System: is everything that was sent stored, how far behind is it, how much room is left, and what is in force?"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import formatting, frame, links, panels, states, tables, tiles
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import KeyRefused
from loopwatch_dashboards.text import plain

SENDERS: Final = {
    "service": ("service", "text"),
    "process_id": ("process", "text"),
    "last_seen": ("last seen", "time"),
    "spans_stored": ("spans stored", "count"),
    "dropped": ("dropped by the sender", "count"),
    "why": ("why", "text"),
    "gaps": ("missing", "count"),
}
GAPS: Final = {
    "service": ("service", "text"),
    "process_id": ("process", "text"),
    "spans": ("spans stored", "count"),
    "missing": ("missing", "count"),
    "last_seen": ("last span", "time"),
}

KEYS: Final = {
    "fingerprint": ("key", "text"),
    "role": ("role", "text"),
    "last_used_at": ("last used", "time"),
    "requests": ("requests", "count"),
    "refused_requests": ("refused", "count"),
    "accepted_spans": ("spans accepted", "count"),
    "rejected_spans": ("spans rejected", "count"),
}
NO_KEYS: Final = "No keys: everybody on this machine may read and write."
ADMINS_ONLY: Final = "Shown to a key of the role admin."
DELETIONS: Final = {
    "requested_at": ("asked for", "time"),
    "field": ("of a", "text"),
    "value": ("id", "text"),
    "finished_at": ("done", "time"),
    "verified_at": ("proved", "time"),
    "runs": ("runs", "runs"),
    "spans": ("spans", "count"),
}
BACKUPS: Final = {
    "taken_at": ("taken", "time"),
    "name": ("name", "text"),
    "base": ("continues", "text"),
    "bytes_on_disk": ("size", "bytes"),
}
REPRICED: Final = {
    "day": ("day", "text"),
    "repriced_at": ("priced again", "time"),
    "changed_calls": ("calls changed", "calls"),
    "before_usd": ("before", "usd"),
    "after_usd": ("after", "usd"),
}


def system() -> None:
    """The System page."""
    frame.page("System", _body, needs_runs=False)


def _body(context: Context) -> None:
    asked, gaps = context.collector.ask("/api/v1/system"), context.ask("sender_gaps", limit=1000)
    kept = {path: context.collector.ask(f"/api/v1/{path}") for path in ("keys", "reprice", "deletions", "backups")}
    got = states.awaited(asked, hint="A large store takes longer to measure.")
    _health(got)
    _tiles(context, got)
    _senders(context, got["senders"], got["sender_processes"])
    _gaps(context, gaps)
    _keys(context, kept["keys"])
    _settings(readable(got.get("settings")))
    _kept(context, "Deletions", DELETIONS, kept["deletions"], "deletions")
    _kept(context, "Backups", BACKUPS, kept["backups"], "backups")
    _kept(context, "Priced again", REPRICED, kept["reprice"], "days")


def _health(got: Mapping[str, Any]) -> None:
    since = f"Version {plain(str(got['version']))}, up for {formatting.duration(got['uptime_s'] * 1e9)}."
    if got["status"] == "ok":
        st.success(f"**The collector is well.** {since}", icon=":material/check_circle:")
        return
    reasons = " ".join(f"{reason[:1].upper()}{reason[1:].rstrip('.')}." for reason in got["reasons"])
    st.error(f"**The collector is {plain(got['status'])}.** {plain(reasons, 900)} {since}", icon=":material/error:")


def readable(settings: Sequence[Mapping[str, str]] | None) -> list[dict[str, str]] | None:
    """Settings as they are shown: sizes with their unit, lists with commas, and what is not set as a dash."""
    if settings is None:
        return None
    return [{**one, "value": _readable(one["name"], one["value"])} for one in settings]


def _settings(rows: Sequence[Mapping[str, str]] | None) -> None:
    """Lines to read and to copy: in a table every row would be as high as the longest value."""
    with st.container(border=True, key="panel-settings-in-force"):
        st.markdown("**Settings in force**")
        if rows is None:
            st.caption(ADMINS_ONLY)
            return
        st.caption("Those that are set first.")
        lines = sorted(rows, key=lambda row: row["source"] == "default")
        texts = (
            f"{row['name']} = {row['value']}{'  # default' if row['source'] == 'default' else ''}" for row in lines
        )
        st.code("\n".join(texts), language=None, wrap_lines=True)


def _readable(name: str, value: str) -> str:
    if name.endswith("_BYTES") and value.isdecimal():
        return formatting.size(int(value))
    if value.startswith("('"):
        return ", ".join(part for part in value.split("'") if part.strip("(), "))
    return value or formatting.NOTHING


def _keys(context: Context, asked: "Future[Any]") -> None:
    """What each key was used for: whether it is still in use, by whom nothing comes, and what is refused."""
    with st.container(border=True, key="panel-keys"):
        try:
            got = states.awaited(asked)
        except KeyRefused:
            st.markdown("**Access by key**")
            st.caption(ADMINS_ONLY)
            return
        keys = got["keys"]
        if not keys:
            st.caption(NO_KEYS)
            return
        used = sum(1 for one in keys if one["requests"])
        st.markdown(f"**{formatting.count(used)} of {formatting.plural(len(keys), 'key')} used**")
        since, unknown = formatting.time(got["since"], context.zone), got["unknown_requests"]
        st.caption(
            f"Since the collector started at {plain(since)}, in the order of LOOPWATCH\\_KEYS. "
            f"Without a key or with an unknown one: {formatting.plural(unknown, 'request')}."
        )
        tables.show(context, keys, KEYS, key="keys")


def _tiles(context: Context, got: Mapping[str, Any]) -> None:
    journal, store, rejected = got["journal"], got["store"], got["received"]["rejected"]
    dropped = sum(sum(sender["dropped"].values()) for sender in got.get("senders", ()))
    others = {**got["received"].get("rejected_log_records", {}), **got["received"].get("rejected_points", {})}
    why = ", ".join(f"{formatting.count(n)} {reason.replace('_', ' ')}" for reason, n in rejected.items())
    if others:
        why = f"{why or 'No span'}; besides, {formatting.plural(sum(others.values()), 'log record or point')}."
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
        tiles.Tile("Store", formatting.size(store.get("disk_bytes")), plain(f"{store['engine']}: {store['dsn']}")),
        tiles.Tile(
            "Free disk",
            formatting.size(got["free_disk_bytes"]),
            f"Below {formatting.size(got['min_free_bytes'])} the collector takes nothing more.",
        ),
        tiles.Tile("Kept for", f"{got['retention_days']} d", "Older spans are dropped, day by day."),
        in_row=5,
    )


def _senders(context: Context, senders: Sequence[Mapping[str, Any]], known: int) -> None:
    with st.container(border=True, key="panel-senders"):
        if not senders:
            st.caption("No process has sent anything since the collector started.")
            return
        of = f"the latest {len(senders)} of " if len(senders) < known else ""
        st.markdown(f"**Sent by {of}{formatting.plural(known, 'process', 'processes')}**")
        rows = [
            {
                **one,
                "dropped": sum(one["dropped"].values()),
                "why": ", ".join(f"{formatting.count(n)} {why.replace('_', ' ')}" for why, n in one["dropped"].items()),
            }
            for one in sorted(senders, key=_incompleteness, reverse=True)
        ]
        st.caption("Since the collector started, those with losses first. Click a row for the runs of its service.")
        tables.show(context, rows, SENDERS, key="senders", opens=lambda row: _open_service(context, row))


def _incompleteness(sender: Mapping[str, Any]) -> tuple[int, str]:
    return sum(sender["dropped"].values()) + sender["gaps"], str(sender["last_seen"])


def _open_service(context: Context, row: Mapping[str, Any]) -> None:
    links.open_runs(context, links.condition("service", str(row["service"])))


def _gaps(context: Context, answer: Any) -> None:
    def incomplete(got: Any) -> list[Mapping[str, Any]]:
        return [row for row in got.rows if row["missing"]]

    panels.table_panel(
        context,
        answer,
        GAPS,
        key="sender-gaps",
        title=lambda got: f"{formatting.plural(len(incomplete(got)), 'process', 'processes')} with missing spans",
        note="Gaps in the numbers a process gave its spans, in this time range; spans on their way are among them. "
        "Click a row for the runs of its service.",
        opens=lambda row: _open_service(context, row),
        nothing="No span is missing: every process that numbers its spans is stored without a gap.",
        rows=incomplete,
    )


def _kept(
    context: Context, title: str, columns: Mapping[str, tuple[str, str]], asked: "Future[Any]", name: str
) -> None:
    """What the operator did, of a route that only admins may ask."""
    try:
        rows = states.awaited(asked)[name]
    except KeyRefused:
        rows = None
    _listed(context, title, columns, rows)


def _listed(
    context: Context,
    title: str,
    columns: Mapping[str, tuple[str, str]],
    rows: Sequence[Mapping[str, Any]] | None,
    nothing: str = "None so far.",
) -> None:
    key = title.lower().replace(" ", "-")
    with st.container(border=True, key=f"panel-{key}"):
        st.markdown(f"**{title}**")
        if rows is None:
            st.caption(ADMINS_ONLY)
        elif not rows:
            st.caption(nothing)
        else:
            tables.show(context, rows, columns, key=key)
