"""The waterfall of one run: every span as a bar from its start to its end."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from loopwatch_dashboards import formatting, typeface
from loopwatch_dashboards.charts import axes, palette, rows
from loopwatch_dashboards.charts.data import data
from loopwatch_dashboards.spans import Span, is_failed
from loopwatch_dashboards.text import one_line

ROW_HEIGHT = 20
_BAR_PX = 13
_NAMES_PX, _NAME_LINES = 240, 6
_MAX_DEPTH = 8
# A span too short to see still gets this share of the run's width.
_MIN_SHARE = 0.003
# A bar's text stands after it in the first half of the run, else before it, and on it where it lasts nearly throughout.
_MIDDLE = 0.5
_ROOM_BEFORE = 0.35
_PLACES = {"after": ("left", 4, palette.GREY), "before": ("right", -4, palette.GREY), "on": ("right", -4, palette.INK)}
# Vega trims labels; a space without width in front keeps the indentation.
_INDENT = "\u2003"
_KEEP = "\u200b"


def ordered(spans: Sequence[Span]) -> list[tuple[int, Span]]:
    """Spans in reading order with their depth: parents before children, children by start.

    A span whose parent is not among them stands at the top; a cycle of parents is cut where it is met.
    """
    known = {span["span_id"] for span in spans}
    children: dict[str | None, list[Span]] = {}
    for span in sorted(spans, key=lambda one: (one["offset_ns"], one["span_id"])):
        parent = span["parent_span_id"] if span["parent_span_id"] in known else None
        children.setdefault(parent, []).append(span)
    placed: list[tuple[int, Span]] = []
    seen: set[str] = set()
    waiting = [(0, span) for span in reversed(children.get(None, []))]
    while waiting:
        depth, span = waiting.pop()
        if span["span_id"] in seen:
            continue
        seen.add(span["span_id"])
        placed.append((depth, span))
        waiting += [(depth + 1, child) for child in reversed(children.get(span["span_id"], []))]
    return placed + [(0, span) for span in spans if span["span_id"] not in seen]


def label(span: Span) -> str:
    """What a span is called in the waterfall: the tool, the model, or its own name."""
    name = span["tool"] if span["kind"] == "tool_call" else span["model"] if span["kind"] == "model_call" else ""
    return one_line(name or span["name"])


def waterfall(
    spans: Sequence[Span],
    selection: alt.Parameter | None = None,
    chosen: str = "",
    gave_up_ns: int | None = None,
) -> Any:
    """Bars of all spans in reading order, coloured by kind; failed ones have a red edge and a cross.

    Args:
        spans: as the API gives them.
        selection: a click selection to attach.
        chosen: the span id to mark.
        gave_up_ns: when the run was handed to a human, drawn as a line; None where it was not.

    Returns:
        The chart.
    """
    placed = ordered(spans)
    total_s = max((span["offset_ns"] + span["duration_ns"] for _, span in placed), default=0) / 1e9
    places = rows.within([_name(depth, span) for depth, span in placed], _BAR_PX, least_px=ROW_HEIGHT)
    values = [{**_bar(span, total_s, chosen), **places.at(row)} for row, (_, span) in enumerate(placed)]
    kinds = list(kinds_of(spans))
    base = alt.Chart(data(values)).encode(
        tooltip=axes.hover(
            ("name", "span"),
            ("kind", "kind"),
            ("starts", "starts after"),
            ("lasts", "lasts"),
            ("tokens", "tokens"),
            ("cost", "cost"),
            ("state", "status"),
        ),
    )
    bars = base.mark_rect(cornerRadius=2).encode(
        y=places.y("bar", room_px=_NAMES_PX),
        y2=alt.Y2("bar_end"),
        x=axes.amount("start", "", "seconds", domain=[0, max(total_s, 1e-6) * 1.1], orient="top"),
        x2=alt.X2("end"),
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(domain=kinds, range=[palette.KINDS[kind] for kind in kinds]),
            legend=None,  # the panel has it: beside the names of spans there is no room for one
        ),
        stroke=alt.condition("datum.failed || datum.chosen", alt.value(palette.VERMILION), alt.value(None)),
        strokeWidth=alt.condition("datum.chosen", alt.value(3), alt.value(1.5)),
        # a bar that carries its text is drawn in full: paler, it would be too dark for the text on a dark page
        opacity=alt.condition("datum.wraps && datum.place != 'on'", alt.value(0.55), alt.value(1)),
    )
    spans_drawn = [bars, *(_written(base, place, places) for place in _PLACES)]
    if selection is not None:
        # Texts too: one that stands on its bar would swallow the bar's click.
        spans_drawn = [layer.add_params(selection) for layer in spans_drawn]
    layers = [*spans_drawn, *([_moment(gave_up_ns)] if gave_up_ns is not None else [])]
    return axes.framed(alt.layer(*layers), places.height)


def _written(base: alt.Chart, place: str, places: rows.Rows) -> Any:
    """How long the spans lasted, beside or on their bars."""
    align, shift, colour = _PLACES[place]
    texts = base.transform_filter(alt.datum.place == place).mark_text(align=align, dx=shift, fontSize=11, color=colour)
    x = alt.X("start:Q" if place == "before" else "end:Q")
    return texts.encode(x=x, y=places.y("middle", room_px=_NAMES_PX), text="written:N")


def _place(start: float, end: float, total_s: float) -> str:
    """Where there is room for a bar's text, in a narrow window too."""
    if end <= total_s * _MIDDLE:
        return "after"
    return "before" if start >= total_s * _ROOM_BEFORE else "on"


def kinds_of(spans: Sequence[Span]) -> dict[str, str]:
    """The kinds of span there are, with the colour of each."""
    present = {_kind(span) for span in spans}
    return {kind: colour for kind, colour in palette.KINDS.items() if kind in present}


def _kind(span: Span) -> str:
    return span["kind"] if span["kind"] in palette.KINDS else "other"


def _moment(gave_up_ns: int) -> Any:
    values = [{"at": gave_up_ns / 1e9, "said": formatting.duration(gave_up_ns)}]
    line = alt.Chart(data(values)).mark_rule(color=palette.VERMILION, strokeDash=[4, 3], strokeWidth=1.5)
    return line.encode(x=alt.X("at:Q"), tooltip=axes.hover(("said", "gave up after")))


def _name(depth: int, span: Span) -> list[str]:
    """The lines of a span's name, set in by its depth; a failed one has a cross, for colour alone does not tell."""
    indent = _KEEP + _INDENT * min(depth, _MAX_DEPTH)
    room_em = _NAMES_PX / rows.LETTER_PX - min(depth, _MAX_DEPTH)
    name = ("✕ " if is_failed(span) else "") + label(span)
    return [indent + line for line in typeface.lines(name, room_em, _NAME_LINES)]


def _bar(span: Span, total_s: float, chosen: str) -> dict[str, Any]:
    start = span["offset_ns"] / 1e9
    end = start + max(span["duration_ns"] / 1e9, total_s * _MIN_SHARE)
    failed = is_failed(span)
    tokens = (span["input_tokens"] or 0) + (span["output_tokens"] or 0)
    return {
        "span_id": span["span_id"],
        "name": label(span),
        "kind": _kind(span),
        "start": start,
        "end": end,
        "failed": failed,
        "chosen": span["span_id"] == chosen,
        "wraps": span["kind"] in {"run", "iteration", "step"},
        "starts": formatting.duration(span["offset_ns"]),
        "lasts": formatting.duration(span["duration_ns"]),
        "place": _place(start, end, total_s),
        "written": formatting.duration(span["duration_ns"]),
        "tokens": formatting.count(tokens) if tokens else formatting.NOTHING,
        "cost": formatting.usd(span["cost_usd"]),
        "state": one_line(span["error_type"] or span["tool_outcome"] or span["status"] or "", 60),
    }
