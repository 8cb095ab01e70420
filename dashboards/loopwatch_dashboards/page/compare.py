"""Compare: two runs side by side."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import formatting, frame, navigation, spans, states, tables, transcript
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.story import story
from loopwatch_dashboards.text import plain

MEASURES: Final = {
    "outcome": ("outcome", "text"),
    "agent": ("agent", "text"),
    "version": ("version", "text"),
    "duration_ns": ("duration", "ns"),
    "iterations": ("iterations", "count"),
    "model_calls": ("model calls", "calls"),
    "tool_calls": ("tool calls", "calls"),
    "tool_errors": ("tool errors", "calls"),
    "input_tokens": ("input tokens", "tokens"),
    "cache_read_tokens": ("read from the cache", "tokens"),
    "output_tokens": ("output tokens", "tokens"),
    "cost_usd": ("cost", "usd"),
    "customer_id": ("customer", "text"),
    "models": ("models", "text"),
}
SHOWN: Final = {
    "measure": ("measure", "text"),
    "left": ("left", "text"),
    "right": ("right", "text"),
    "change": ("change", "figure"),
}
# In pixels: what is drawn where an answer is awaited.
SUMMARY_HEIGHT: Final = 140
READING_HEIGHT: Final = 420


def compare() -> None:
    """The Compare page."""
    frame.single(_body)


def _body(context: Context) -> None:
    ids = [context.params.get(side, "") for side in ("left", "right")]
    st.header("Two runs side by side", anchor=False)
    if not all(ids):
        st.info("Tick two runs in the list to compare them.", icon=":material/compare:")
        navigation.link(context, "runs", "Runs", ":material/list_alt:")
        return
    asked = [(context.collector.run(run_id), context.collector.spans(run_id)) for run_id in ids]
    left, right = (states.awaited(summary, SUMMARY_HEIGHT, hint="") for summary, _ in asked)
    for column, got in zip(st.columns(2), (left, right), strict=True):
        with column, st.container(border=True):
            st.markdown(f"**{plain(got['agent'] or 'run')}** {plain(story(got), 1_000)}.")
            navigation.link(context, "run", f"Open {got['run_id'][:12]}…", ":material/timeline:", run=got["run_id"])
    tables.show(context, measures(left, right), SHOWN, key="measures", most_rows=len(MEASURES), max_height=2_000)
    answers = [states.awaited(trace, READING_HEIGHT, hint=states.LONG_RUN) for _, trace in asked]
    loops = [spans.iterations(answer["spans"]) for answer in answers]
    for number in range(max(map(len, loops), default=0)):
        for side, column in enumerate(st.columns(2)):
            with column:
                if number < len(loops[side]):
                    transcript.iteration(loops[side][number], answers[side]["contents"], key=str(side))


def measures(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[dict[str, str]]:
    """What sets two runs beside each other: one row per measure, with the change where it is a number."""
    rows: list[dict[str, str]] = []
    for column, (name, unit) in MEASURES.items():
        a, b = left[column], right[column]
        if isinstance(a, list):
            a, b = ", ".join(a), ", ".join(b)
        rows.append(
            {
                "measure": name,
                "left": formatting.of_unit(a, unit),
                "right": formatting.of_unit(b, unit),
                "change": formatting.change(b, a) or ("" if a == b or unit != "text" else "differs"),
            }
        )
    return rows
