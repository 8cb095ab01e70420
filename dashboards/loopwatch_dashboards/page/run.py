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
    navigation,
    panels,
    reading,
    spans,
    states,
    tables,
    tiles,
    transcript,
    verdicts,
)
from loopwatch_dashboards.charts import palette
from loopwatch_dashboards.charts.context_growth import context_growth
from loopwatch_dashboards.charts.graph import agent_graph
from loopwatch_dashboards.charts.waterfall import kinds_of, label, waterfall
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.one_span import one_span
from loopwatch_dashboards.spans import Span
from loopwatch_dashboards.story import story
from loopwatch_dashboards.text import plain

BADGES: Final[dict[str, palette.Badge]] = {
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
    "outcome": ("outcome", "outcome"),
    "iterations": ("iterations", "count"),
    "duration_ns": ("duration", "ns"),
    "cost_usd": ("cost", "usd"),
    "run_id": ("run", "id"),
}
FAILED: Final = {
    "offset_ns": ("after", "ns"),
    "iteration": ("iteration", "count"),
    "call": ("call", "text"),
    "error": ("error", "text"),
}
_SCROLLS_ABOVE: Final = 60
_MAX_CHILDREN: Final = 20


def run() -> None:
    """The Run page."""
    frame.single(_body)


def _body(context: Context) -> None:
    run_id = context.params.get("run", "")
    if not run_id:
        _ask_for_run(context)
        return
    summary, trace = context.collector.run(run_id), context.collector.spans(run_id)
    got = states.awaited(summary, hint="")
    _head(context, got)
    _tiles(context, got)
    answer = states.awaited(trace, 420, hint=states.LONG_RUN)
    found, contents = answer["spans"], answer["contents"]
    if answer.get("truncated"):
        st.warning(f"This run is longer than what is shown: its first {formatting.count(len(found))} spans.")
    _gave_up(found)
    _failures(context, found)
    shown, bodies = _with_children(context, got, found, contents)
    chosen = _chosen(context, shown)
    left, right = st.columns([3, 2])
    with left:
        _waterfall(context, got, shown, chosen)
    with right:
        one_span(shown, chosen, bodies)
    _section(context, got, found, contents)


def _ask_for_run(context: Context) -> None:
    st.header("Run", anchor=False)
    run_id = st.text_input("Run id", placeholder="32 hexadecimal digits")
    if run_id:
        links.open_run(context, run_id.strip())
    navigation.link(context, "runs", "Choose one from the list", ":material/list_alt:")


def _head(context: Context, got: Mapping[str, Any]) -> None:
    children = got.get("child_runs", ())[:5]
    with st.container(horizontal=True, vertical_alignment="center") if got["parent_run_id"] or children else st.empty():
        if got["parent_run_id"]:
            navigation.link(context, "run", "Parent run", ":material/arrow_upward:", run=got["parent_run_id"])
        for child in children:
            name = f"Nested: {plain(child['agent'] or 'run')}"
            navigation.link(context, "run", name, ":material/subdirectory_arrow_right:", run=child["run_id"])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(got["agent"] or "run"), anchor=False, width="content")
        st.badge(got["outcome"], color=BADGES.get(got["outcome"], "gray"))
    st.markdown(f"This run **{plain(story(got), 1_000)}.**")
    facts = {
        "started": f"{formatting.time(got['start_time'], context.zone)} {context.zone}",
        "version": got["version"],
        "environment": got["environment"],
        "customer": got["customer_id"],
        "user": got["user_id"],
        "models": ", ".join(got["models"] or ()),
        "tags": ", ".join(got["tags"] or ()),
        "prompt": " ".join(part for part in (got.get("prompt_name"), got.get("prompt_version")) if part),
        "run": got["run_id"],
    }
    st.caption(" · ".join(f"{name} {plain(str(value))}" for name, value in facts.items() if value))


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


def _gave_up(found: Sequence[Span]) -> None:
    """The moment the run was handed to a human, in a sentence."""
    event = spans.escalation(found)
    if event is None:
        return
    last = spans.gave_up(found)
    what = "calling" if last and last["kind"] == "tool_call" else "the answer of"
    after = f", after {what} {plain(label(last))} in iteration {last['iteration']}" if last else ""
    cost = formatting.usd(spans.cost_until(found, event["offset_ns"]))
    st.warning(
        f"**Gave up after {formatting.duration(event['offset_ns'])}**{after}, {plain(cost)} spent until then.",
        icon=":material/support_agent:",
    )


def _with_children(
    context: Context, got: Mapping[str, Any], found: Sequence[Span], contents: transcript.Contents
) -> tuple[list[Span], transcript.Contents]:
    """The run's spans and those of the runs it started, at the time they had in it; and all their contents."""
    shown, bodies = list(found), dict(contents)
    waiting = [(child, spans.offset_in(child, got)) for child in got.get("child_runs", ())]
    for _ in range(_MAX_CHILDREN):
        if not waiting:
            break
        child, offset_ns = waiting.pop(0)
        summary, trace = context.collector.run(child["run_id"]), context.collector.spans(child["run_id"])
        answer = states.awaited(trace, hint=states.LONG_RUN)
        shown += spans.shifted(answer["spans"], offset_ns)
        bodies |= answer["contents"]
        waiting += [(one, spans.offset_in(one, got)) for one in summary.result()["child_runs"]]
    if waiting:
        st.caption(f"The spans of {formatting.plural(len(waiting), 'more nested run')} are on their own pages.")
    return shown, bodies


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
        key = f"failed-{_in_address(context)}"
        tables.show(context, rows, FAILED, key=key, opens=lambda row: _choose(str(row["span_id"])))


def _in_address(context: Context) -> str:
    """The span the address names: what leads to another forgets its click with it, else two would take turns."""
    return context.params.get("span", "")


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


def _waterfall(context: Context, got: Mapping[str, Any], found: Sequence[Span], chosen: str) -> None:
    nested = len({span["run_id"] for span in found}) - 1
    event = spans.escalation([span for span in found if span["run_id"] == got["run_id"]])
    failed = sum(spans.is_failed(span) for span in found)
    line = " The dashed line is where it gave up." if event else ""

    def opens(point: Mapping[str, Any]) -> None:
        if point["span_id"] != chosen:
            _choose(str(point["span_id"]))

    panels.chart_panel(
        context,
        panels.Behind(spans.as_answer(got["run_id"], found)),
        key="waterfall",
        title=lambda _: f"{formatting.plural(len(found), 'span')}, {formatting.count(failed)} failed",
        runs=lambda _: 1 + nested,
        note=f"Each span from its start to its end. Click a bar for its details; ✕ marks a failure.{line}",
        chart=lambda _: waterfall(found, panels.click("span_id"), chosen, event["offset_ns"] if event else None),
        opens=opens,
        scrolls=len(found) > _SCROLLS_ABOVE,
        legend=kinds_of(found),
        state=_in_address(context),
    )


def _section(context: Context, got: Mapping[str, Any], found: Sequence[Span], contents: transcript.Contents) -> None:
    section = choices.choice("Show", SECTIONS, param="show", context=context)
    if section == "tokens":
        _tokens(context, got, found)
    elif section == "graph":
        _graph(context, got, found)
    elif section == "verdicts":
        verdicts.show(context, got["run_id"])
    elif section == "conversation":
        _related(context, got)
    elif section == "raw":
        _raw(got, found)
    else:
        _reading(found, contents, at_end=context.params.get("at") == "escalation")


def _reading(found: Sequence[Span], contents: transcript.Contents, *, at_end: bool) -> None:
    """The run to read, from its beginning; or first of all the iteration in which it gave up."""
    loops = spans.iterations(found)
    last = spans.gave_up(found) if at_end else None
    where = next((one for one in loops if last and one.number == last["iteration"]), None)
    if where:
        st.markdown("**Where it gave up**")
        transcript.iteration(where, contents)
        st.markdown("**From the beginning**")
    transcript.beginning(found, contents)
    for one in loops:
        if one is not where:
            transcript.iteration(one, contents)
    if not loops:
        st.caption("This run has no iterations: its spans are in the waterfall above.")
    elif not contents:
        st.caption("No content was captured; names, timings, tokens and outcomes always are.")


def _tokens(context: Context, got: Mapping[str, Any], found: Sequence[Span]) -> None:
    loops = [one for one in spans.iterations(found) if one.input_tokens or one.output_tokens]
    if not loops:
        st.caption("No model call of this run reported its tokens.")
        return
    first, last = loops[0], loops[-1]
    grown = formatting.change(last.input_tokens, first.input_tokens) or formatting.NOTHING

    def opens(point: Mapping[str, Any]) -> None:
        calls = [span for span in found if span["iteration"] == point["number"] and span["kind"] == "model_call"]
        if calls:
            _choose(str(calls[0]["span_id"]))

    panels.chart_panel(
        context,
        panels.Behind(spans.as_answer(got["run_id"], found)),
        key="context-growth",
        title=lambda _: (
            f"Context from {formatting.count(first.input_tokens)} to {formatting.count(last.input_tokens)} tokens "
            f"({grown})"
        ),
        runs=lambda _: 1,
        note="Tokens of each iteration's model calls, by kind. Click a bar for its model call.",
        chart=lambda _: context_growth(loops, panels.click("number")),
        opens=opens,
        state=_in_address(context),
    )


def _graph(context: Context, got: Mapping[str, Any], found: Sequence[Span]) -> None:
    tools = spans.tool_calls(found)
    children = got.get("child_runs", ())
    if not tools and not children:
        st.caption("This run called no tool and no other agent.")
        return
    calls, failed = (sum(counts[which] for counts in tools.values()) for which in (0, 1))
    called = f"{formatting.plural(len(tools), 'tool')} called {formatting.plural(calls, 'time')}"
    started = f", {formatting.plural(len(children), 'nested run')}" if children else ""
    ink = "#E4E9EF" if st.context.theme.type == "dark" else "#1C2530"
    panels.drawn_panel(
        context,
        panels.Behind(spans.as_answer(got["run_id"], found)),
        key="agent-graph",
        title=lambda _: f"{called}, {formatting.count(failed)} failed{started}",
        runs=lambda _: 1 + len(children),
        note="Who called what, and how often; an arrow in red has failed calls.",
        draw=lambda _: _drawn_graph(agent_graph(got, tools, children, ink)),
    )


def _drawn_graph(graph: str) -> None:
    st.graphviz_chart(graph, width="content")


def _related(context: Context, got: Mapping[str, Any]) -> None:
    if not got["conversation_id"]:
        st.caption("This run belongs to no conversation.")
        return
    everything = context.view.with_preset("all").window(context.window.end)
    asked = context.collector.runs(everything, {}, conversation=got["conversation_id"], limit=100)
    answer = states.awaited(asked, hint="")
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
    reading.body(json.dumps([spans.without_blanks(span) for span in found], indent=1, ensure_ascii=False))
