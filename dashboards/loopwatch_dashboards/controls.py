"""The row of controls on top of every page: time range, filters, clock, live refresh. All of it is the URL."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import states, typeface
from loopwatch_dashboards.api import NO_ANSWER, SLOW_SECONDS
from loopwatch_dashboards.context import VIEW_PARAMS, Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.view import CUSTOM, FILTERS, LIVE_SECONDS, PRESETS, View

_PLURALS: Final = {
    "environment": "environments",
    "agent": "agents",
    "version": "versions",
    "model": "models",
    "customer": "customers",
}

# What filters offer is asked about whole minutes: the same question for a while.
FILTERS_STEP_SECONDS: Final = 60
# In pixels: the width of a filter, and what of it the signs beside what is chosen take.
_FILTER_PX, _MAX_FILTER_PX, _FILTER_SIGNS_PX = 143, 420, 80
_EXAMPLE: Final = "Filter runs:   outcome = failed and cost > 0.05"
EXAMPLES: Final = (
    "outcome in (failed, stopped) and agent = resolver",
    "cost > 0.05 or iterations > 20",
    "called(search_logs) then failed(search_logs) then escalated()",
    '"connection refused"',
)


def show(context: Context) -> None:
    """Draws the controls; a change writes the URL and the page starts over."""
    _time_range(context)
    for dimension, values in _offered(context).items():
        _filter(context, dimension, values)
    show_clock(context)


def show_where(context: Context) -> None:
    """The filter on runs: a line to write it in, and what it may say."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="where"):
        key = "control-where"
        st.session_state[key] = context.view.where
        st.text_input(
            "Filter",
            key=key,
            placeholder=_EXAMPLE,
            on_change=_change_where,
            args=(context, key),
            icon=":material/filter_alt:",
            label_visibility="collapsed",
        )
        with st.popover("Help", icon=":material/help:", type="tertiary"):
            _help(context)


def _change_where(context: Context, key: str) -> None:
    st.query_params.pop("cursor", None)
    write_url(replace(context.view, where=st.session_state[key].strip()))


def _help(context: Context) -> None:
    try:
        known = context.collector.ask("/api/v1/fields").result()
    except DashboardsError:
        st.caption("This collector has no filter language.")
        return
    st.markdown("Conditions on runs, joined by `and`, `or`, `not`; one after another they are a sequence with `then`.")
    st.code("\n".join(EXAMPLES), language=None)
    fields = [
        {"field": one["name"], "operators": " ".join(one["operators"]), "is": one["description"]}
        for one in known["fields"]
    ]
    fields += [
        {"field": f"{one['name']}({one['of'] or ''})", "operators": "then", "is": one["description"]}
        for one in known["events"]
    ]
    st.dataframe(fields, hide_index=True, height=280)


def write_url(view: View) -> None:
    """Puts a view into the URL, beside what the page itself keeps there."""
    others = {name: st.query_params.get_all(name) for name in st.query_params if name not in VIEW_PARAMS}
    st.query_params.from_dict({**others, **view.to_query()})


def _offered(context: Context) -> dict[str, list[str]]:
    """What each filter offers: values seen in this time range, most runs first, and those chosen already."""
    offered: dict[str, list[str]] = {name: list(context.view.filters.get(name, ())) for name in FILTERS}
    window = context.window.rounded(FILTERS_STEP_SECONDS)
    asked = context.collector.query("filter_values", window, {}, fresh_seconds=SLOW_SECONDS)
    for row in sorted(states.spared(asked, NO_ANSWER).rows, key=lambda one: -one["runs"]):
        values = offered.get(row["dimension"])
        if values is not None and row["value"] and row["value"] not in values:
            values.append(row["value"])
    return offered


def _time_range(context: Context) -> None:
    choices = [*PRESETS, CUSTOM]
    key = "control-range"
    st.session_state[key] = context.view.preset
    st.selectbox(
        "Time range",
        choices,
        key=key,
        format_func=lambda preset: PRESETS[preset][0] if preset in PRESETS else "Custom range",
        on_change=_change_range,
        args=(context, key),
        filter_mode=None,
        label_visibility="collapsed",
        width=140,
    )
    if context.view.preset == CUSTOM:
        _custom_range(context)


def _change_range(context: Context, key: str) -> None:
    preset = st.session_state[key]
    window = context.window
    write_url(context.view.with_range(*window) if preset == CUSTOM else context.view.with_preset(preset))


def _custom_range(context: Context) -> None:
    for key, label, moment in (
        ("control-from", "From", context.window.start),
        ("control-to", "To", context.window.end),
    ):
        st.session_state[key] = moment.astimezone(context.zone).replace(tzinfo=None)
        st.datetime_input(
            label, key=key, on_change=_change_custom, args=(context,), width=185, step=60, label_visibility="collapsed"
        )


def _change_custom(context: Context) -> None:
    start, end = (
        st.session_state[key].replace(tzinfo=context.zone).astimezone(UTC) for key in ("control-from", "control-to")
    )
    if start < end:
        write_url(context.view.with_range(start, end))


def _filter(context: Context, dimension: str, values: Sequence[str]) -> None:
    key = f"control-{dimension}"
    chosen = list(context.view.filters.get(dimension, ()))
    st.session_state[key] = chosen
    st.multiselect(
        dimension.capitalize(),
        values,
        key=key,
        placeholder=f"All {_PLURALS[dimension]}",
        on_change=_change_filter,
        args=(context, dimension, key),
        accept_new_options=True,
        label_visibility="collapsed",
        # What is chosen is read whole: in one line where it has room, else in several.
        width=typeface.control_width(chosen, _FILTER_PX, _MAX_FILTER_PX, _FILTER_SIGNS_PX),
    )


def _change_filter(context: Context, dimension: str, key: str) -> None:
    write_url(context.view.with_filter(dimension, *st.session_state[key]))


def show_clock(context: Context) -> None:
    """Whose clock times are written in, and how often the page is drawn anew."""
    zone = context.zone if context.view.local else "UTC"
    with st.popover(f"{zone}", icon=":material/schedule:", help="Clock and live refresh"):
        _setting("Times in", "control-tz", [False, True], context.view.local, _clock_name, _change_clock, context)
        _setting("Refresh", "control-live", LIVE_SECONDS, context.view.live_seconds, _live_name, _change_live, context)


def _setting(
    label: str, key: str, choices: Sequence[Any], value: Any, name: Any, on_change: Any, context: Context
) -> None:
    st.session_state[key] = value
    st.radio(label, choices, key=key, format_func=name, on_change=on_change, args=(context, key), horizontal=True)


def _clock_name(local: bool) -> str:
    return f"local ({st.context.timezone or 'browser'})" if local else "UTC"


def _live_name(seconds: int) -> str:
    return f"every {seconds} s" if seconds else "off"


def _change_clock(context: Context, key: str) -> None:
    write_url(replace(context.view, local=st.session_state[key]))


def _change_live(context: Context, key: str) -> None:
    write_url(replace(context.view, live_seconds=st.session_state[key]))
