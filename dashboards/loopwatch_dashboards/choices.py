"""Choices that live in the URL."""

from collections.abc import Mapping, Sequence

import streamlit as st

from loopwatch_dashboards import typeface
from loopwatch_dashboards.context import Context

# In pixels: a list's width, and what of it its signs take.
_PICK_PX, _MAX_PICK_PX, _PICK_SIGNS_PX = 240, 620, 60


def asked(options: Mapping[str, str], *, param: str, context: Context) -> str:
    """What the URL says a `choice` is, before it is drawn: what is asked first is drawn first."""
    chosen = context.params.get(param, "")
    return chosen if chosen in options else next(iter(options))


def choice(label: str, options: Mapping[str, str], *, param: str, context: Context) -> str:
    """A choice that lives in the URL under `param`; the first option is the default.

    Args:
        label: what is chosen.
        options: value -> name.
        param: the URL parameter.
        context: what the URL says now.

    Returns:
        The chosen value.
    """
    default = next(iter(options))
    key = f"choice-{param}"
    st.session_state[key] = asked(options, param=param, context=context)

    def write() -> None:
        value = st.session_state[key]
        if value == default:
            st.query_params.pop(param, None)
        else:
            st.query_params[param] = value

    st.segmented_control(
        label, list(options), key=key, format_func=lambda value: options[value], on_change=write, required=True
    )
    return str(st.session_state[key])


def number(label: str, *, param: str, default: int, context: Context, least: int = 1) -> int:
    """A whole number that lives in the URL under `param`.

    Args:
        label: what it is.
        param: the URL parameter.
        default: without one.
        context: what the URL says now.
        least: the smallest that makes sense.

    Returns:
        The number.
    """
    said = context.params.get(param, "")
    key = f"number-{param}"
    st.session_state[key] = max(least, int(said)) if said.isdecimal() and len(said) < 9 else default

    def write() -> None:
        st.query_params[param] = str(st.session_state[key])

    return int(st.number_input(label, min_value=least, step=1, key=key, on_change=write, width=160))


def pick(label: str, options: Sequence[str], *, param: str, context: Context, default: str = "") -> str:
    """A choice from a list of names, kept in the URL under `param`; names are shown as text.

    Args:
        label: what is chosen.
        options: the names; at least one.
        param: the URL parameter.
        context: what the URL says now.
        default: without one; the first when empty.

    Returns:
        The chosen name.
    """
    key = f"pick-{param}"
    chosen = context.params.get(param, "")
    st.session_state[key] = chosen if chosen in options else default or options[0]

    def write() -> None:
        st.query_params[param] = st.session_state[key]

    width = typeface.control_width([str(st.session_state[key])], _PICK_PX, _MAX_PICK_PX, _PICK_SIGNS_PX)
    return str(st.selectbox(label, options, key=key, on_change=write, width=width))
