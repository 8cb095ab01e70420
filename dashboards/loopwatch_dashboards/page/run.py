"""Run: what one run did, and why it ended as it did."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import (
    choices,
    formatting,
    frame,
    links,
    messages,
    navigation,
    panels,
    reading,
    spans,
    tables,
    tiles,
    transcript,
    verdicts,
)
from loopwatch_dashboards.charts.context_growth import context_growth
from loopwatch_dashboards.charts.graph import agent_graph
from loopwatch_dashboards.charts.waterfall import label, waterfall
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.spans import Span
from loopwatch_dashboards.story import story
from loopwatch_dashboards.text import plain

BADGES: Final = {
    "completed": "green",
    "escalated": "orange",
    "failed": "red",
    "stopped": "violet",
    "open": "blue",
    "abandoned": "gray",
}
SECTIONS: Final = {
    "reading": "Reading view",
    "tokens": "Tokens and context",
    "graph": "Agent graph",
    "verdicts": "Verdicts",
    "conversation": "Conversation",
    "raw": "Raw spans",
}
RELATED: Final = {
    "start_time": ("started", "time"),
    "agent": ("agent", "text"),
    "outcome": ("outcome", "text"),
    "iterations": ("iterations", "count"),
    "duration_ns": ("duration", "ns"),
    "cost_usd": ("cost", "usd"),
    "run_id": ("run", "id"),
}
FAILED: Final = {
    "offset_ns": ("after", "ns"),
    "iteration": ("iteration", "count"),
    "call": ("call", "text"),
    "error": ("error", "sentence"),
}
_SCROLLS_ABOVE: Final = 24


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
    _tiles(context, got)
    with st.skeleton(height=420):
        answer = trace.result()
    found, contents = answer["spans"], answer["contents"]
    if answer.get("truncated"):
        st.warning(f"This run is longer than what is shown: its first {formatting.count(len(found))} spans.")
    _failures(context, found)
    chosen = _chosen(context, found)
    left, right = st.columns([3, 2])
    with left:
        _waterfall(context, found, chosen)
    with right:
        _span(context, found, chosen, contents)
    _section(context, got, found, contents)


def _ask_for_run(context: Context) -> None:
    st.header("Run", anchor=False)
    run_id = st.text_input("Run id", placeholder="32 hexadecimal digits")
    if run_id:
        links.open_run(context, run_id.strip())
    navigation.link(context, "runs", "Choose one from the list", ":material/list_alt:")


def _head(context: Context, got: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        navigation.link(context, "runs", "Runs", ":material/arrow_back:")
        if got["parent_run_id"]:
            navigation.link(context, "run", "Parent run", ":material/arrow_upward:", run=got["parent_run_id"])
        for child in got.get("child_runs", ())[:5]:
            name = f"Nested: {plain(child['agent'] or 'run', 60)}"
            navigation.link(context, "run", name, ":material/subdirectory_arrow_right:", run=child["run_id"])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(got["agent"] or "run"), anchor=False, width="content")
        st.badge(got["outcome"], color=BADGES.get(got["outcome"], "gray"))
    st.markdown(f"This run **{plain(story(got), 600)}.**")
    zone = "" if context.view.local else " UTC"
    facts = {
        "started": formatting.time(got["start_time"], context.zone) + zone,
        "version": got["version"],
        "environment": got["environment"],
        "customer": got["customer_id"],
        "user": got["user_id"],
        "models": ", ".join(got["models"] or ()),
        "tags": ", ".join(got["tags"] or ()),
        "prompt": " ".join(part for part in (got.get("prompt_name"), got.get("prompt_version")) if part),
        "run": got["run_id"],
    }
    st.caption(" · ".join(f"{name} {plain(str(value), 120)}" for name, value in facts.items() if value))


def _tiles(context: Context, got: Mapping[str, Any]) -> None:
    # Senders that report no usage have no cost either: a dash, not $0.
    reported = bool(got["total_tokens"])
    cap = f" of {got['iteration_cap']}" if got["iteration_cap"] else ""
    tool_note = (
        f"{formatting.count(got['tool_errors'])} failed, {formatting.count(got['tool_not_found'])} found nothing."
    )
    tiles.show(
        context,
        tiles.Tile("Iterations", formatting.count(got["iterations"]) + cap, "Of the cap, where one was set."),
        tiles.Tile("Duration", formatting.duration(got["duration_ns"]), "From the run's start to its end."),
        tiles.Tile("Cost", formatting.usd(got["cost_usd"] if reported else None), "Each model call counted once."),
        tiles.Tile("Tokens", formatting.count(got["total_tokens"] if reported else None), _token_note(got)),
        tiles.Tile("Model calls", formatting.count(got["model_calls"]), "Logical requests, retries inside."),
        tiles.Tile("Tool calls", formatting.count(got["tool_calls"]), tool_note),
    )


def _token_note(got: Mapping[str, Any]) -> str:
    names = ("input", "cache_read", "cache_write", "output")
    sent, read, written, output = (formatting.count(got[f"{name}_tokens"]) for name in names)
    return f"{sent} input, of which {read} read from and {written} written to the cache; {output} output."


def _failures(context: Context, found: Sequence[Span]) -> None:
    failed = spans.failures(found)
    if not failed:
        return
    with st.expander(formatting.plural(len(failed), "error"), expanded=True, icon=":material/error:"):
        rows = [
            {
                **span,
                "call": label(span),
                "error": ": ".join(part for part in (span["error_type"], span["error_message"]) if part) or "failed",
            }
            for span in failed
        ]
        tables.show(context, rows, FAILED, key="failed", opens=lambda row: _choose(str(row["span_id"])))


def _choose(span_id: str) -> None:
    """Puts a span into the URL, which is its permalink, and starts over."""
    if st.query_params.get("span") != span_id:
        st.query_params["span"] = span_id
        st.rerun()


def _chosen(context: Context, found: Sequence[Span]) -> str:
    """The span to show: the URL's, else where the run gave up, else its first failure."""
    if context.params.get("span") in {span["span_id"] for span in found}:
        return context.params["span"]
    last = spans.gave_up(found) if context.params.get("at") == "escalation" else None
    failed = spans.failures(found)
    return (last or (failed[0] if failed else {})).get("span_id", "")


def _waterfall(context: Context, found: Sequence[Span], chosen: str) -> None:
    with st.container(border=True, key="panel-waterfall"):
        failed = sum(spans.is_failed(span) for span in found)
        st.markdown(f"**{formatting.plural(len(found), 'span')}, {formatting.count(failed)} failed**")
        st.caption("Every span from its start to its end. Click a bar for its details; ✕ marks a failure.")
        with st.container(height=560 if len(found) > _SCROLLS_ABOVE else "content", border=False, autoscroll=False):
            event = st.altair_chart(
                waterfall(found, panels.click("span_id"), chosen), key="waterfall", on_select="rerun"
            )
        points = panels.points(event)
        if points and points[0]["span_id"] != chosen:
            _choose(str(points[0]["span_id"]))


def _span(context: Context, found: Sequence[Span], chosen: str, contents: transcript.Contents) -> None:
    with st.container(border=True, key="panel-span"):
        span = next((one for one in found if one["span_id"] == chosen), None)
        if span is None:
            st.markdown("**No span chosen**")
            st.caption("Click a bar of the waterfall for its content, events and attributes.")
            return
        st.markdown(f"**{plain(label(span), 80)}**")
        st.caption(" · ".join(_span_facts(span)))
        if spans.is_failed(span):
            words = ": ".join(part for part in (span["error_type"], span["error_message"]) if part)
            st.error(plain(words or "failed", 600), icon=":material/error:")
        with st.container(height=430, border=False, autoscroll=False):
            _content(span, contents)
            for event in span["events"]:
                st.caption(f"event {plain(event['name'], 60)} after {formatting.duration(event['offset_ns'])}")
                reading.structure(event["attributes"], event["name"])
            with st.expander("Attributes"):
                reading.body("\n".join(f"{name} = {value}" for name, value in sorted(span["attributes"].items())))
            with st.expander("Raw span"):
                reading.body(json.dumps(_without_blanks(span), indent=2, ensure_ascii=False))


def _without_blanks(span: Span) -> dict[str, Any]:
    return {name: value for name, value in span.items() if value not in (None, "", [], {})}


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
    for role in transcript.SPEAKERS:
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


def _section(context: Context, got: Mapping[str, Any], found: Sequence[Span], contents: transcript.Contents) -> None:
    section = choices.choice("Show", SECTIONS, param="show", context=context)
    if section == "tokens":
        _tokens(found)
    elif section == "graph":
        _graph(got, found)
    elif section == "verdicts":
        verdicts.show(context, got["run_id"])
    elif section == "conversation":
        _related(context, got)
    elif section == "raw":
        _raw(got, found)
    else:
        _reading(found, contents)


def _reading(found: Sequence[Span], contents: transcript.Contents) -> None:
    transcript.beginning(found, contents)
    loops = spans.iterations(found)
    for one in loops:
        transcript.iteration(one, contents)
    if not loops:
        st.caption("This run has no iterations: its spans are in the waterfall above.")
    elif not contents:
        st.caption("No content was captured; names, timings, tokens and outcomes always are.")


def _tokens(found: Sequence[Span]) -> None:
    loops = [one for one in spans.iterations(found) if one.input_tokens or one.output_tokens]
    if not loops:
        st.caption("No model call of this run reported its tokens.")
        return
    first, last = loops[0], loops[-1]
    with st.container(border=True, key="panel-tokens"):
        grown = formatting.change(last.input_tokens, first.input_tokens) or formatting.NOTHING
        st.markdown(
            f"**Context from {formatting.count(first.input_tokens)} to "
            f"{formatting.count(last.input_tokens)} tokens ({grown})**"
        )
        st.caption("Tokens of each iteration's model calls, by kind.")
        st.altair_chart(context_growth(loops), key="context-growth")


def _graph(got: Mapping[str, Any], found: Sequence[Span]) -> None:
    tools = spans.tool_calls(found)
    children = got.get("child_runs", ())
    if not tools and not children:
        st.caption("This run called no tool and no other agent.")
        return
    ink = "#E4E9EF" if st.context.theme.type == "dark" else "#1C2530"
    st.graphviz_chart(agent_graph(got, tools, children, ink), width="content")


def _related(context: Context, got: Mapping[str, Any]) -> None:
    if not got["conversation_id"]:
        st.caption("This run belongs to no conversation.")
        return
    everything = context.view.with_preset("all").window(context.window.end)
    answer = context.collector.runs(everything, {}, conversation=got["conversation_id"], limit=100).result()
    st.markdown(f"**Conversation {plain(got['conversation_id'])}: {formatting.plural(len(answer['runs']), 'run')}**")
    tables.show(
        context, answer["runs"], RELATED, key="related", opens=lambda row: links.open_run(context, row["run_id"])
    )


def _raw(got: Mapping[str, Any], found: Sequence[Span]) -> None:
    text = json.dumps({"run": got, "spans": found}, indent=1, ensure_ascii=False)
    st.download_button(
        "All spans as JSON",
        text,
        f"{got['run_id']}.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    reading.body(json.dumps([_without_blanks(span) for span in found], indent=1, ensure_ascii=False))
