"""Run: what one run did, iteration by iteration."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, frame, messages, navigation, panels, reading
from loopwatch_dashboards.charts.waterfall import is_failed, label, waterfall
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.story import story
from loopwatch_dashboards.text import plain

Span = Mapping[str, Any]
Contents = Mapping[str, str]
_BADGES = {
    "completed": "green",
    "escalated": "orange",
    "failed": "red",
    "stopped": "violet",
    "open": "blue",
    "abandoned": "gray",
}
_CONTENT_ROLES = {"system": "system", "input": "user", "arguments": "tool", "result": "tool", "output": "assistant"}


def run() -> None:
    """The Run page."""
    frame.single(_body)


def _body(context: Context) -> None:
    run_id = context.params.get("run", "")
    if not run_id:
        _ask_for_run(context)
        return
    summary, trace = context.collector.run(run_id), context.collector.spans(run_id)
    got = summary.result()
    _head(context, got)
    _tiles(got)
    spans, contents = trace.result()["spans"], trace.result()["contents"]
    chosen = _chosen(context, spans)
    left, right = st.columns([3, 2])
    with left:
        _waterfall(context, spans, chosen)
    with right:
        _span(context, spans, chosen, contents)
    _reading(context, got, spans, contents)


def _ask_for_run(context: Context) -> None:
    st.header("Run", anchor=False)
    run_id = st.text_input("Run id", placeholder="32 hexadecimal digits")
    if run_id:
        panels.open_run(context, run_id.strip())
    navigation.link(context, "runs", "Choose one from the list", ":material/list_alt:")


def _head(context: Context, got: Mapping[str, Any]) -> None:
    navigation.link(context, "runs", "Runs", ":material/arrow_back:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(got["agent"] or "run"), anchor=False, width="content")
        st.badge(got["outcome"], color=_BADGES.get(got["outcome"], "gray"))
    st.markdown(f"**{plain(story(got), 600)}.**")
    facts = {
        "started": formatting.time(got["start_time"], context.zone) + (" UTC" if not context.view.local else ""),
        "version": got["version"],
        "environment": got["environment"],
        "customer": got["customer_id"],
        "user": got["user_id"],
        "models": ", ".join(got["models"] or ()),
        "tags": ", ".join(got["tags"] or ()),
        "run": got["run_id"],
    }
    st.caption(" · ".join(f"{name} {plain(str(value), 120)}" for name, value in facts.items() if value))
    with st.container(horizontal=True):
        if got["conversation_id"]:
            navigation.link(
                context, "runs", "Runs of this conversation", ":material/forum:", conversation=got["conversation_id"]
            )
        if got["parent_run_id"]:
            navigation.link(context, "run", "Parent run", ":material/arrow_upward:", run=got["parent_run_id"])
        for child in got.get("child_runs", ()):
            navigation.link(
                context,
                "run",
                f"Nested: {plain(child['agent'], 60)}",
                ":material/subdirectory_arrow_right:",
                run=child["run_id"],
            )


def _tiles(got: Mapping[str, Any]) -> None:
    cap = got["iteration_cap"]
    figures = (
        (
            "Iterations",
            formatting.count(got["iterations"]) + (f" of {cap}" if cap else ""),
            "Of the cap, where one was set.",
        ),
        ("Duration", formatting.duration(got["duration_ns"]), "From the run's start to its end."),
        ("Cost", formatting.usd(got["cost_usd"]), "Each model call counted once."),
        ("Tokens", formatting.count(got["total_tokens"]), _token_note(got)),
        ("Model calls", formatting.count(got["model_calls"]), "Logical requests, retries inside."),
        (
            "Tool calls",
            formatting.count(got["tool_calls"]),
            f"{formatting.count(got['tool_errors'])} failed, {formatting.count(got['tool_not_found'])} found nothing.",
        ),
    )
    for column, (name, value, note) in zip(st.columns(len(figures)), figures, strict=True):
        with column:
            panels.tile(name, value, note=note)


def _token_note(got: Mapping[str, Any]) -> str:
    names = ("input", "cache_read", "cache_write", "output")
    sent, read, written, output = (formatting.count(got[f"{name}_tokens"]) for name in names)
    return f"{sent} input, of which {read} read from and {written} written to the cache; {output} output."


def _chosen(context: Context, spans: Sequence[Span]) -> str:
    """The span to show: the one of the URL, else where the run escalated or first failed."""
    known = {span["span_id"] for span in spans}
    if context.params.get("span") in known:
        return context.params["span"]
    if context.params.get("at") == "escalation":
        before = [span for span in spans if span["kind"] in {"tool_call", "model_call"}]
        return max(before, key=lambda span: span["offset_ns"])["span_id"] if before else ""
    failed = [span for span in spans if is_failed(span) and span["kind"] in {"tool_call", "model_call"}]
    return min(failed, key=lambda span: span["offset_ns"])["span_id"] if failed else ""


def _waterfall(context: Context, spans: Sequence[Span], chosen: str) -> None:
    with st.container(border=True):
        failed = sum(is_failed(span) for span in spans)
        st.markdown(f"**{formatting.plural(len(spans), 'span')}, {formatting.count(failed)} failed**")
        st.caption("Click a bar for its details.")
        with st.container(height=560 if len(spans) > 24 else "content", border=False):
            event = st.altair_chart(
                waterfall(spans, panels.click("span_id"), chosen), key="waterfall", on_select="rerun"
            )
        points = event.selection.get(panels.CLICK) if event else None
        if points and points[0]["span_id"] != context.params.get("span"):
            st.query_params["span"] = points[0]["span_id"]
            st.rerun()


def _span(context: Context, spans: Sequence[Span], chosen: str, contents: Contents) -> None:
    with st.container(border=True):
        span = next((one for one in spans if one["span_id"] == chosen), None)
        if span is None:
            st.markdown("**No span chosen**")
            st.caption("Click a bar of the waterfall for its attributes, events and content.")
            return
        st.markdown(f"**{plain(label(span), 80)}**")
        if span["error_type"] or span["error_message"]:
            st.error("failed", icon=":material/error:")
            reading.body(": ".join(part for part in (span["error_type"], span["error_message"]) if part))
        st.caption(" · ".join(_span_facts(span)))
        with st.container(height=440, border=False):
            _content(span, contents)
            _events(span)
            with st.expander("Attributes"):
                reading.body("\n".join(f"{name} = {value}" for name, value in sorted(span["attributes"].items())))
            with st.expander("Raw span"):
                reading.structure({name: value for name, value in span.items() if value not in (None, "", [], {})})


def _span_facts(span: Span) -> list[str]:
    facts = [span["kind"].replace("_", " "), formatting.duration(span["duration_ns"])]
    facts.append(f"after {formatting.duration(span['offset_ns'])}")
    if span["iteration"]:
        facts.append(f"iteration {span['iteration']}")
    if span["kind"] == "model_call":
        facts.append(f"{formatting.count(span['input_tokens'])} in, {formatting.count(span['output_tokens'])} out")
        facts.append(formatting.usd(span["cost_usd"]))
        facts.append(f"stop: {plain(span['stop_reason'] or 'not said')}")
    if span["kind"] == "tool_call" and span["tool_outcome"]:
        facts.append(span["tool_outcome"].replace("_", " "))
    return facts


def _content(span: Span, contents: Contents) -> None:
    shown = False
    for role, speaker in _CONTENT_ROLES.items():
        hashes = [one for one in span["content"].get(role, ()) if one in contents]
        if not hashes:
            continue
        shown = True
        if role in {"arguments", "result"}:
            st.caption(role)
            for one in hashes:
                reading.structure(messages.decoded(contents[one]), role)
        else:
            found = [said for one in hashes for said in messages.read(contents[one], speaker)]
            if role == "input" and len(found) > 2:
                with st.expander(f"{len(found) - 1} earlier messages"):
                    for said in found[:-1]:
                        reading.message(said)
                found = found[-1:]
            for said in found:
                reading.message(said)
    if not shown and span["kind"] in {"model_call", "tool_call"}:
        st.caption("No content was captured; capture is off unless the agent turns it on.")


def _events(span: Span) -> None:
    for event in span["events"]:
        st.caption(f"event {plain(event['name'], 60)} after {formatting.duration(event['offset_ns'])}")
        reading.structure(event["attributes"], event["name"])


def _reading(context: Context, got: Mapping[str, Any], spans: Sequence[Span], contents: Contents) -> None:
    st.subheader("What happened", anchor=False)
    numbers = sorted({span["iteration"] for span in spans if span["iteration"]})
    if not numbers:
        st.caption("This run has no iterations.")
    first = next((s for s in sorted(spans, key=lambda s: s["offset_ns"]) if s["kind"] == "model_call"), None)
    if first is not None:
        for role in ("system", "input"):
            found = [
                m
                for one in first["content"].get(role, ())
                if one in contents
                for m in messages.read(contents[one], _CONTENT_ROLES[role])
            ]
            for said in found:
                if said.role == "system":
                    with st.expander("system prompt", icon=":material/settings:"):
                        reading.parts(said.parts)
                else:
                    reading.message(said)
    for number in numbers:
        _iteration(number, [span for span in spans if span["iteration"] == number], contents)


def _iteration(number: int, spans: Sequence[Span], contents: Contents) -> None:
    cost = [span["cost_usd"] for span in spans if span["counted"] and span["cost_usd"] is not None]
    tokens = sum((span["input_tokens"] or 0) + (span["output_tokens"] or 0) for span in spans if span["counted"])
    failed = sum(is_failed(span) for span in spans if span["kind"] in {"tool_call", "model_call"})
    start = min(span["offset_ns"] for span in spans)
    end = max(span["offset_ns"] + span["duration_ns"] for span in spans)
    facts = [f"Iteration {number}", formatting.duration(end - start), f"{formatting.count(tokens)} tokens"]
    facts += [formatting.usd(sum(cost))] if cost else []
    facts += [f"{failed} failed"] if failed else []
    with st.container(border=True):
        st.markdown(f"**{facts[0]}** · " + " · ".join(facts[1:]))
        for span in sorted(spans, key=lambda one: one["offset_ns"]):
            if span["kind"] == "model_call" and span["counted"]:
                _said(span, contents)
            elif span["kind"] == "tool_call":
                _tool_call(span, contents)
            for event in span["events"]:
                if "decision" in event["name"] or "loop" in event["name"].split("."):
                    reading.structure(event["attributes"], event["name"])


def _said(span: Span, contents: Contents) -> None:
    found = [
        m
        for one in span["content"].get("output", ())
        if one in contents
        for m in messages.read(contents[one], "assistant")
    ]
    for said in found:
        words = [part for part in said.parts if part.kind in {"text", "reasoning"}]
        if words:
            reading.message(messages.Message(said.role, tuple(words)))
    if is_failed(span):
        st.error(f"{plain(label(span))}: {plain(span['error_type'] or 'error')}", icon=":material/error:")


def _tool_call(span: Span, contents: Contents) -> None:
    outcome = span["tool_outcome"] or ("error" if is_failed(span) else "success")
    colour = {"success": "green", "not_found": "blue", "error": "red"}.get(outcome, "gray")
    st.markdown(
        f":material/build: **{plain(label(span), 80)}** :{colour}-badge[{plain(outcome.replace('_', ' '))}] "
        f"{formatting.duration(span['duration_ns'])}"
    )
    for role in ("arguments", "result"):
        for one in span["content"].get(role, ()):
            if one in contents:
                reading.structure(messages.decoded(contents[one]), role)
    if outcome == "error" and span["error_message"]:
        reading.body(span["error_message"])
