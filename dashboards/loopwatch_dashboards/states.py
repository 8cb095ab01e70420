"""What a page says when it has no numbers to show: what is the matter, and what to do."""

from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import streamlit as st

from loopwatch_dashboards import errors
from loopwatch_dashboards.text import one_line, plain

_SENDING: Final = """\
# see agents at work, without a key
loopwatch demo

# or send your own: any OpenTelemetry exporter over HTTP
export OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}
"""

TILES_HEIGHT: Final = 96
SHORTER: Final = "A shorter time range is answered sooner."
LONG_RUN: Final = "A long run takes longer."
# An answer that comes sooner is not announced: the page would only flicker.
_SOON_SECONDS: Final = 0.4
_Got = TypeVar("_Got")
_ANNOUNCED: Final = ContextVar("announced", default=True)


def awaited(asked: "Future[_Got]", height: int = TILES_HEIGHT, hint: str = SHORTER) -> _Got:
    """The answer of a question; where it is not there soon, its place says that it is awaited, and what helps.

    Args:
        asked: the question under way.
        height: of what the answer will be drawn as, in pixels.
        hint: what helps where it takes long.

    Returns:
        The answer.

    Raises:
        DashboardsError: there is none.
    """
    # The place is always there: what comes after it is the same element with and without a wait, and stays in view.
    place = st.empty()
    if not _ANNOUNCED.get() or not wait([asked], _SOON_SECONDS).not_done:
        return asked.result()
    with waiting(height, hint, place):
        return asked.result()


@contextmanager
def unannounced() -> Iterator[None]:
    """Within the block nothing is said of answers awaited: what was drawn before stays until it is drawn anew."""
    token = _ANNOUNCED.set(False)
    try:
        yield
    finally:
        _ANNOUNCED.reset(token)


def spared(asked: "Future[_Got]", otherwise: _Got) -> _Got:
    """The answer of a question that a page can do without; `otherwise` where the collector is too busy for it.

    Raises:
        DashboardsError: there is none, for another reason.
    """
    try:
        return awaited(asked)
    except errors.CollectorBusy:
        return otherwise


@contextmanager
def waiting(height: int = TILES_HEIGHT, hint: str = SHORTER, at: Any = None) -> Iterator[None]:
    """An outline of what is awaited, in words too, until the block is left; `at` an empty place, or here."""
    place = at or st.empty()
    with place.container():
        st.caption(f":material/hourglass_top: Asking the collector. {hint}".rstrip())
        st.skeleton(height=height)
    try:
        yield
    finally:
        place.empty()


def failed(fault: errors.DashboardsError, where: str = "") -> None:
    """Says why there is no answer, and what the reader can do.

    Args:
        fault: what went wrong.
        where: the filter that was sent, to point at its fault.
    """
    if isinstance(fault, errors.CollectorUnreachable):
        st.error(f"**The collector is down.** {plain(str(fault), 400)}", icon=":material/cloud_off:")
        st.caption("Start it, or say where it is; this page then works again by itself after a reload.")
        st.code("loopwatch serve\nLOOPWATCH_ENDPOINT=http://host:4318 loopwatch dashboards", language=None)
    elif isinstance(fault, errors.KeyRefused):
        st.error(f"**The collector refuses this key.** {plain(str(fault), 400)}", icon=":material/key_off:")
        st.caption("Start the dashboards with a key of the role read; the collector has its keys in LOOPWATCH_KEYS.")
        st.code("LOOPWATCH_API_KEY=... loopwatch dashboards", language=None)
    elif isinstance(fault, errors.CollectorBusy):
        st.warning(f"**The collector is busy.** {plain(str(fault), 400)}", icon=":material/hourglass_top:")
        st.caption("Reload in a few seconds, or choose a shorter time range.")
    elif isinstance(fault, errors.NotFound):
        st.info(f"**Not found.** {plain(str(fault), 400)}", icon=":material/search_off:")
    elif isinstance(fault, errors.QuestionRefused) and fault.position is not None and where:
        st.warning(f"**The filter cannot be read.** {plain(str(fault), 400)}", icon=":material/filter_alt_off:")
        st.code(pointed_at(where, fault.position), language=None)
    else:
        st.warning(f"**The collector cannot answer this.** {plain(str(fault), 400)}", icon=":material/error:")


def pointed_at(where: str, position: int) -> str:
    """A filter with a mark under the character at which it cannot be read."""
    return f"{one_line(where, 400)}\n{' ' * min(max(position, 0), len(where))}^"


def unexpected() -> None:
    """Says that the page itself has a fault; its details are in the log."""
    st.error(
        "**This page has a fault of its own.** The numbers are safe; they are all in the API.",
        icon=":material/bug_report:",
    )
    st.caption(
        "Reload the page or choose another time range. Whoever runs the dashboards finds the details in their log."
    )


def empty_store(endpoint: str) -> None:
    """Says how to get the first runs into a store that has none."""
    st.info("**No runs yet.** The collector is up and waits for the first one.", icon=":material/inbox:")
    st.code(_SENDING.format(endpoint=endpoint), language="bash")


def empty_window(range_label: str, is_filtered: bool) -> None:
    """Says that other times or filters have runs."""
    also = " with these filters" if is_filtered else ""
    st.info(f"**No runs in this time range{also}** ({plain(range_label.lower())}).", icon=":material/search_off:")
