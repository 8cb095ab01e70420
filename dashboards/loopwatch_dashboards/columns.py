"""Columns of choice: which of a list's columns are shown, and in which order, kept in the URL."""

from collections.abc import Mapping, Sequence

import streamlit as st

from loopwatch_dashboards.context import Context

Columns = Mapping[str, tuple[str, str]]
_PARAM = "columns"


def chosen(context: Context, known: Columns, usual: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The columns the URL names, in its order; the usual ones where it names none that is known.

    Args:
        context: what the URL says.
        known: column -> (heading, unit).
        usual: the columns shown without a choice, in order.
    """
    named = [name for name in context.params.get(_PARAM, "").split(",") if name in known]
    return {name: known[name] for name in named or usual}


def choice(context: Context, known: Columns, usual: Sequence[str], *, key: str) -> None:
    """Lets the reader choose the columns.

    Args:
        context: what the URL says.
        known: column -> (heading, unit).
        usual: the columns shown without a choice, in order.
        key: names the choice on the page.
    """
    st.session_state[key] = list(chosen(context, known, usual))

    def write() -> None:
        names = st.session_state[key]
        if not names or tuple(names) == tuple(usual):
            st.query_params.pop(_PARAM, None)
        else:
            st.query_params[_PARAM] = ",".join(names)

    with st.popover("Columns", icon=":material/view_column:"):
        st.multiselect(
            "Columns, in order",
            list(known),
            key=key,
            format_func=lambda name: known[name][0],
            on_change=write,
            width=420,
        )
