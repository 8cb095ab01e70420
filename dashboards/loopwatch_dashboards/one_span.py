"""One span by itself: what went in, what came out, its events and its attributes."""

import json
from collections.abc import Sequence
from typing import Final

import streamlit as st

from loopwatch_dashboards import formatting, messages, reading, spans, transcript
from loopwatch_dashboards.charts.waterfall import label
from loopwatch_dashboards.spans import Span
from loopwatch_dashboards.text import plain

# What came out first: it is what a reader looks for; what went in is often the whole history.
_ROLES: Final = ("output", "result", "arguments", "input", "system")


def one_span(found: Sequence[Span], chosen: str, contents: transcript.Contents) -> None:
    """Draws what is known of one span.

    Args:
        found: all spans of the run.
        chosen: the id of the one to show; empty for none.
        contents: captured bodies by hash.
    """
    with st.container(border=True, key="panel-span"):
        span = next((one for one in found if one["span_id"] == chosen), None)
        if span is None:
            st.markdown("**No span chosen**")
            st.caption("Click a bar of the waterfall for its content, events and attributes.")
            return
        st.markdown(f"**{plain(label(span))}**")
        st.caption(" · ".join(_span_facts(span)))
        if spans.is_failed(span):
            words = ": ".join(part for part in (span["error_type"], span["error_message"]) if part)
            st.error(plain(words or "failed", 600), icon=":material/error:")
        with st.container(height=430, border=False, autoscroll=False):
            _content(span, contents)
            for event in span["events"]:
                st.caption(f"event {plain(event['name'])} after {formatting.duration(event['offset_ns'])}")
                reading.structure(event["attributes"], event["name"])
            with st.expander("Attributes"):
                reading.body("\n".join(f"{name} = {value}" for name, value in sorted(span["attributes"].items())))
            with st.expander("Raw span"):
                reading.body(json.dumps(spans.without_blanks(span), indent=2, ensure_ascii=False))


def _span_facts(span: Span) -> list[str]:
    facts = [span["kind"].replace("_", " "), formatting.duration(span["duration_ns"])]
    facts.append(f"after {formatting.duration(span['offset_ns'])}")
    if span["iteration"]:
        facts.append(f"iteration {span['iteration']}")
    if span["kind"] == "model_call":
        facts.append(f"{formatting.count(span['input_tokens'])} in, {formatting.count(span['output_tokens'])} out")
        facts.append(plain(formatting.usd(span["cost_usd"])))
        facts.append(f"stop reason {plain(span['stop_reason'] or 'not said')}")
        if span["ttft_ns"]:
            facts.append(f"first token after {formatting.duration(span['ttft_ns'])}")
        if not span["counted"]:
            facts.append("seen twice, counted elsewhere")
    if span["kind"] == "tool_call" and span["tool_outcome"]:
        facts.append(plain(span["tool_outcome"].replace("_", " ")))
    return facts


def _content(span: Span, contents: transcript.Contents) -> None:
    shown = False
    for role in _ROLES:
        found = transcript.bodies(span, role, contents)
        if not found:
            continue
        shown = True
        if role in {"arguments", "result"}:
            for body in found:
                st.caption(role)
                reading.structure(messages.decoded(body), role)
        else:
            _messages(transcript.said(span, role, contents), folded=role != "output")
    if not shown and span["kind"] in spans.CALLS:
        st.caption("No content was captured; capture is off unless the agent turns it on.")


def _messages(found: list[messages.Message], *, folded: bool) -> None:
    """Messages, of a long history only the last one open."""
    if folded and len(found) > 1:
        with st.expander(f"{len(found) - 1} earlier messages", icon=":material/history:"):
            for one in found[:-1]:
                reading.message(one)
        found = found[-1:]
    for one in found:
        reading.message(one)
