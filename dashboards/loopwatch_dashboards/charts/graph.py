"""The agent graph: which agent called which tool and which other agent, how often, and with what success."""

from collections.abc import Mapping, Sequence
from typing import Any

from loopwatch_dashboards import formatting, typeface
from loopwatch_dashboards.charts import palette

_NAME_EM, _NAME_LINES = 26.0, 6


def agent_graph(
    run: Mapping[str, Any], tools: Mapping[str, tuple[int, int]], children: Sequence[Mapping[str, Any]], ink: str
) -> str:
    """Draws one run's calls as a graph in Graphviz' language.

    Args:
        run: the run's summary.
        tools: calls and failed calls by tool.
        children: summaries of the runs it started.
        ink: the colour of text and lines, which the theme decides.

    Returns:
        The graph; every name from the trace is a quoted string in it.
    """
    lines = [
        "digraph run {",
        'rankdir=LR; bgcolor="transparent"; nodesep=0.18;',
        f'node [shape=box, style="rounded", fontname="sans-serif", fontsize=11, color="{ink}", fontcolor="{ink}"];',
        f'edge [fontname="sans-serif", fontsize=10, color="{ink}", fontcolor="{ink}"];',
        f"run [label={_quoted(run['agent'] or 'run')}, penwidth=2];",
    ]
    for number, (tool, (calls, failed)) in enumerate(tools.items()):
        colour = palette.VERMILION if failed else ink
        said = formatting.plural(calls, "call") + (f", {formatting.count(failed)} failed" if failed else "")
        lines.append(f'tool{number} [label={_quoted(tool)}, color="{palette.ORANGE}"];')
        lines.append(f'run -> tool{number} [label={_quoted(said)}, color="{colour}"];')
    for number, child in enumerate(children):
        colour = palette.OUTCOMES.get(child["outcome"], palette.GREY)
        lines.append(f'child{number} [label={_quoted(child["agent"] or "run")}, color="{colour}", penwidth=2];')
        lines.append(f"run -> child{number} [label={_quoted(child['outcome'])}];")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    """A text in as many lines as it needs, for a box is as wide as its longest line."""
    named = typeface.lines(text, _NAME_EM, _NAME_LINES)
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in named)
    return '"' + "\\n".join(escaped) + '"'
