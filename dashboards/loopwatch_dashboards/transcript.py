"""A run to read: by iteration, what the model said, which tools it called, what came back, what it decided."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import formatting, messages, reading
from loopwatch_dashboards.charts.waterfall import label
from loopwatch_dashboards.spans import Iteration, Span, is_failed
from loopwatch_dashboards.text import plain

Contents = Mapping[str, str]
# The speaker of a body without a role of its own, by the attribute it came from.
SPEAKERS: Final = {"system": "system", "input": "user", "arguments": "tool", "result": "tool", "output": "assistant"}
OUTCOME_COLOURS: Final = {"success": "green", "not_found": "blue", "error": "red"}
_SHOWN_EVENTS: Final = ("decision", "escalation", "loop", "limit")


def bodies(span: Span, role: str, contents: Contents) -> list[str]:
    """The captured bodies of one role of a span, in order; those no longer kept are left out."""
    return [contents[one] for one in span["content"].get(role, ()) if one in contents]


def said(span: Span, role: str, contents: Contents) -> list[messages.Message]:
    """The messages of one role of a span."""
    return [message for body in bodies(span, role, contents) for message in messages.read(body, SPEAKERS[role])]


def beginning(spans: Sequence[Span], contents: Contents) -> None:
    """What the run was given: the system prompt, folded, and the first messages."""
    calls = [span for span in spans if span["kind"] == "model_call"]
    if not calls:
        return
    first = min(calls, key=lambda span: span["offset_ns"])
    given = [*said(first, "system", contents), *said(first, "input", contents)]
    for message in given:
        if message.role == "system":
            with st.expander("system prompt", icon=":material/settings:"):
                reading.parts(message.parts)
        else:
            reading.message(message)


def iteration(one: Iteration, contents: Contents, key: str = "run") -> None:
    """One iteration in a frame; `key` tells runs on the same page apart."""
    facts = [formatting.duration(one.duration_ns)]
    if one.input_tokens or one.output_tokens:
        facts += [f"{formatting.count(one.input_tokens)} tokens in", f"{formatting.count(one.output_tokens)} out"]
        facts += [formatting.usd(one.cost_usd)]
    with st.container(border=True, key=f"bubble-{key}-{one.number}"):
        failed = f" :red-badge[{one.failed} failed]" if one.failed else ""
        st.markdown(f"**Iteration {one.number}** · {plain(' · '.join(facts))}{failed}")
        for span in one.spans:
            if span["kind"] == "model_call" and span["counted"]:
                _model_call(span, contents)
            elif span["kind"] == "tool_call":
                _tool_call(span, contents)
            elif span["kind"] == "step":
                _step(span)
            _events(span["events"])


def _step(span: Span) -> None:
    failed = " :red-badge[failed]" if is_failed(span) else ""
    name = plain(span["step"] or span["name"])
    st.caption(f":material/flag: {name} · {formatting.duration(span['duration_ns'])}{failed}")


def _model_call(span: Span, contents: Contents) -> None:
    for message in said(span, "output", contents):
        words = tuple(part for part in message.parts if part.kind in {"text", "reasoning", "data"})
        if words:
            reading.message(messages.Message(message.role, words))
    if is_failed(span):
        _failure(span)


def _tool_call(span: Span, contents: Contents) -> None:
    outcome = span["tool_outcome"] or ("error" if is_failed(span) else "success")
    colour = OUTCOME_COLOURS.get(outcome, "gray")
    st.markdown(
        f":material/build: **{plain(label(span))}** :{colour}-badge[{plain(outcome.replace('_', ' '))}] "
        f"{formatting.duration(span['duration_ns'])}"
    )
    for role in ("arguments", "result"):
        for body in bodies(span, role, contents):
            reading.structure(messages.decoded(body), role)
    if outcome == "error":
        _failure(span)


def _failure(span: Span) -> None:
    words = ": ".join(part for part in (span["error_type"], span["error_message"]) if part)
    st.error(plain(words or "failed", 600), icon=":material/error:")


def _events(events: Iterable[Mapping[str, Any]]) -> None:
    for event in events:
        name = str(event["name"]).rpartition(".")[2]
        if name in _SHOWN_EVENTS:
            st.markdown(f":material/label_important: **{plain(name)}**")
            for key, value in sorted(event["attributes"].items()):
                st.caption(f"{plain(key.rpartition('.')[2].replace('_', ' '), 60)}: {plain(str(value), 600)}")
