"""Quality: do runs end well, is stated confidence worth anything, what do people say, is the new version better?"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import choices, formatting, frame, links, panels, states, sums, tiles
from loopwatch_dashboards.api import NO_ANSWER, Answer
from loopwatch_dashboards.charts import histograms, palette, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.outcome_shares import DIMENSIONS, shares_panel

SECTIONS = {"completion": "Completion", "verdicts": "Confidence and verdicts", "versions": "Versions compared"}
VERDICTS = {
    "name": ("verdict", "text"),
    "verdicts": ("verdicts", "count"),
    "runs": ("runs", "runs"),
    "run_rate": ("of all runs", "ratio"),
    "mean_score": ("mean score", "count"),
    "interval": ("95 % interval", "figure"),
    "labels": ("labels", "text"),
}
ERRORS = {
    "category": ("category", "text"),
    "runs": ("runs", "runs"),
    "run_rate": ("of all runs", "ratio"),
    "errors": ("errors", "count"),
}
COMPARED = {
    "measure": ("measure", "text"),
    "a": ("A", "figure"),
    "b": ("B", "figure"),
    "change": ("change", "figure"),
    "p": ("chance", "figure"),
    "verdict": ("", "text"),
}
MAX_RUNS: Final = 100  # what an address has room for
SIGNIFICANT: Final = 0.05


def quality() -> None:
    """The Quality page."""
    frame.page("Quality", _body)


def _body(context: Context) -> None:
    summary, before = context.ask("runs_summary"), context.ask_before("runs_summary")
    section = choices.asked(SECTIONS, param="show", context=context)
    draw = {"verdicts": _ask_verdicts, "versions": _ask_versions}.get(section, _ask_completion)(context)
    _tiles(context, states.awaited(summary).first, states.spared(before, NO_ANSWER).first)
    choices.choice("Show", SECTIONS, param="show", context=context)
    draw()


def _ask_completion(context: Context) -> Callable[[], None]:
    dimension = choices.asked(DIMENSIONS, param="by", context=context)
    by = context.ask("outcomes_by", dimension=dimension)
    errors = context.after(by).ask("error_categories")

    def draw() -> None:
        choices.choice("Completion by", DIMENSIONS, param="by", context=context)
        panels.rows_of_two(
            lambda: shares_panel(context, by, dimension, "completed", fact="completes least", lowest_first=True),
            lambda: _errors(context, errors),
        )

    return draw


def _ask_verdicts(context: Context) -> Callable[[], None]:
    confidence, calibration = context.ask("confidence_distribution"), context.ask("confidence_calibration")
    verdicts = context.ask("verdict_summary")

    def draw() -> None:
        panels.rows_of_two(
            lambda: _confidence(context, confidence),
            lambda: _calibration(context, calibration),
            lambda: _verdicts(context, verdicts),
            lambda: _satisfaction(context, verdicts),
        )

    return draw


def _ask_versions(context: Context) -> Callable[[], None]:
    return lambda: _versions(context)


def _tiles(context: Context, now: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    def delta(column: str) -> str | None:
        return formatting.points(now.get(column), before.get(column)) if before.get("runs") else None

    tiles.show(
        context,
        tiles.Tile(
            "Completed",
            formatting.ratio(now.get("completion_rate")),
            "Completed runs, of those that ended.",
            delta("completion_rate"),
            "up",
        ),
        tiles.Tile(
            "Escalated",
            formatting.ratio(now.get("escalation_rate")),
            "Handed to a human, of those that ended.",
            delta("escalation_rate"),
            "down",
            "escalations",
        ),
        tiles.Tile(
            "Failed",
            formatting.ratio(now.get("failure_rate")),
            "Ended by an exception, of those that ended.",
            delta("failure_rate"),
            "down",
            "runs",
            {"outcome": "failed"},
        ),
        tiles.Tile(
            "Stopped",
            formatting.count(now.get("stopped")),
            "Ended by a limit or a breaker.",
            formatting.change(now.get("stopped"), before.get("stopped")),
            "down",
            "runs",
            {"outcome": "stopped"},
        ),
    )


def _errors(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        ERRORS,
        key="error-categories",
        title=lambda got: (
            f"Errors of kind {got.rows[0]['category']} hit most runs: {formatting.ratio(got.rows[0]['run_rate'])}"
        ),
        runs=panels.in_view(context),
        note="A run counts once per category. Click a row for an example run.",
        nothing="No run had an error.",
        rows=lambda got: [{**row, "category": row["category"].replace("_", " ")} for row in got.rows],
        opens=lambda row: links.open_run(context, row["example_run_id"]),
    )


def _confidence(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="confidence",
        title=lambda got: f"{formatting.plural(got.total('decisions'), 'decision')} stated a confidence",
        runs=panels.in_view(context),
        note="By the confidence the agent stated, in tenths. Click a bar for the runs that decided so.",
        chart=lambda got: histograms.tenths(
            got.rows,
            weight="decisions",
            title="stated confidence",
            weight_title="decisions",
            selection=panels.click("tenth"),
        ),
        opens=lambda point: links.open_runs(context, links.decided_with(point["tenth"])),
        nothing="No agent stated a confidence; decide(confidence=...) records one.",
    )


def _open_judged(context: Context, row: Mapping[str, Any]) -> None:
    """Opens the runs with a verdict of this name, the hundred judged last; a verdict comes within a week of its run."""
    given = {"from": context.window.start.isoformat(), "to": (context.window.end + timedelta(days=7)).isoformat()}
    asked = context.collector.ask("/api/v1/verdicts", name=row["name"], limit=MAX_RUNS, **given)
    links.open_runs(context, links.any_of("run", [str(one["run_id"]) for one in asked.result()["verdicts"]]))


def _calibration(context: Context, answer: Any) -> None:
    def known(got: Answer) -> list[Mapping[str, Any]]:
        return [row for row in got.rows if row["mean_verdict"] is not None]

    panels.chart_panel(
        context,
        answer,
        key="calibration",
        title=lambda got: _calibration_fact(known(got)),
        runs=panels.in_view(context),
        note="Each point: decisions of a tenth of confidence beside the mean verdict on their runs. On the line, "
        "confidence means what it says; below it, agents are too sure.",
        chart=lambda got: histograms.calibration(known(got), selection=panels.click("tenth")),
        opens=lambda point: links.open_runs(context, links.decided_with(point["tenth"])),
        is_empty=lambda got: not known(got),
        nothing="Calibration needs decisions with a confidence and verdicts with a score on the same runs.",
    )


def _calibration_fact(rows: list[Mapping[str, Any]]) -> str:
    decisions = sum(row["decisions"] for row in rows)
    gap = sum(abs(row["mean_confidence"] - row["mean_verdict"]) * row["decisions"] for row in rows) / decisions
    return f"Confidence is off by {formatting.ratio(gap)} on average, over {formatting.plural(decisions, 'decision')}"


def _verdicts(context: Context, answer: Any) -> None:
    def rows(got: Answer) -> list[dict[str, Any]]:
        return [
            {**row, "interval": f"{formatting.count(row['score_low'])} to {formatting.count(row['score_high'])}"}
            for row in got.rows
        ]

    panels.table_panel(
        context,
        answer,
        VERDICTS,
        key="verdicts",
        title=lambda got: f"{formatting.plural(got.total('verdicts'), 'verdict')} on runs",
        runs=panels.in_view(context),
        note="Scores as given; a thumb up is 1, a thumb down 0. Click a row for the runs.",
        opens=lambda row: _open_judged(context, row),
        nothing="Nobody gave a verdict. Give one on a run's page, with feedback() or by POST /api/v1/verdicts.",
        rows=rows,
    )


def _satisfaction(context: Context, verdicts: "Future[Answer]") -> None:
    """The mean score of the verdict that most runs have."""
    names = [str(row["name"]) for row in states.awaited(verdicts).rows if row["mean_score"] is not None]
    if not names:
        return
    name = names[0]
    answer = context.ask_over_time("satisfaction_over_time", verdict_name=name)
    panels.chart_panel(
        context,
        answer,
        key="satisfaction",
        title=lambda got: satisfaction_fact(got, name),
        runs=panels.in_view(context),
        note="Mean score by the start of the runs; a time without verdicts is a gap. Click a point for its runs.",
        chart=lambda got: timeline.lines(
            got.rows,
            series={"mean_score": name},
            unit="score",
            title="mean score",
            colours=(palette.BLUE,),
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket"),
        ),
        opens=lambda point: links.open_bucket(context, point),
    )


def satisfaction_fact(answer: Answer, name: str) -> str:
    """The mean of all verdicts of a name, from their means by bucket."""
    scored = [row for row in answer.rows if row["mean_score"] is not None]
    verdicts = sum(row["verdicts"] for row in scored)
    mean = sum(row["mean_score"] * row["verdicts"] for row in scored) / verdicts if verdicts else None
    return f"{name}: {formatting.count(mean)} on average, over {formatting.plural(verdicts, 'verdict')}"


def _versions(context: Context) -> None:
    known = _versions_by_agent(states.awaited(context.ask("iteration_distribution")))
    if not known:
        st.caption("No agent ran in two versions in this time range.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        agent = choices.pick("Agent", list(known), param="compare", context=context)
        versions = known[agent]
        a = choices.pick("Version A", versions, param="a", context=context, default=versions[-2])
        b = choices.pick("Version B", versions, param="b", context=context, default=versions[-1])
    only = {**context.view.filters, "agent": (agent,)}
    answer = context.collector.query("versions_compared", context.window, only, version_a=a, version_b=b)
    panels.table_panel(
        context,
        answer,
        COMPARED,
        key="versions",
        title=lambda got: _versions_fact(got, a, b),
        runs=lambda got: max((row["runs_a"] + row["runs_b"] for row in got.rows), default=0),
        note=f"Of {agent}: A is version {a}, B is version {b}. "
        "Chance: how likely so large a difference is without a real one.",
        opens=lambda _: links.open_runs(context, links.any_of("version", [a, b]), agent=agent),
        rows=lambda got: [_compared(row) for row in got.rows],
    )


def _versions_by_agent(answer: Answer) -> dict[str, list[str]]:
    """The versions of each agent that ran in two or more, agents with most runs first."""
    known: dict[str, list[str]] = {}
    for agent in sums.ranked(answer.rows, "agent", "runs"):
        versions = {str(row["version"]) for row in answer.rows if row["agent"] == agent and row["version"]}
        if len(versions) > 1:
            known[agent] = sorted(versions, key=_version_key)
    return known


def _version_key(version: str) -> tuple[list[int], str]:
    """Orders 9 before 10, and what has no numbers by its letters."""
    return [int(part) for part in version.replace("-", ".").split(".") if part.isdecimal()], version


def _versions_fact(answer: Answer, a: str, b: str) -> str:
    differing = [row for row in answer.rows if row["p_value"] is not None and row["p_value"] < SIGNIFICANT]
    if not differing:
        return f"No significant difference between {a} and {b}"
    strongest = min(differing, key=lambda row: row["p_value"])
    change = formatting.change(strongest["b"], strongest["a"]) or formatting.NOTHING
    return f"Version {b} differs from {a}: {_measure(strongest)} {change}"


def _compared(row: Mapping[str, Any]) -> dict[str, str]:
    unit = _unit(str(row["measure"]))
    p = row["p_value"]
    return {
        "measure": _measure(row),
        "a": f"{formatting.of_unit(row['a'], unit)}  (n={formatting.count(row['runs_a'])})",
        "b": f"{formatting.of_unit(row['b'], unit)}  (n={formatting.count(row['runs_b'])})",
        "change": (formatting.points if unit == "ratio" else formatting.change)(row["b"], row["a"])
        or formatting.NOTHING,
        "p": formatting.NOTHING if p is None else ("<0.1 %" if p < 0.001 else formatting.ratio(p)),
        "verdict": "" if p is None else ("significant" if p < SIGNIFICANT else "may be chance"),
    }


def _measure(row: Mapping[str, Any]) -> str:
    return str(row["measure"]).removesuffix("_usd").removesuffix("_ns").replace("_", " ")


def _unit(measure: str) -> str:
    """A measure's unit, told by its name."""
    if measure.endswith("_rate") or measure.endswith("_share"):
        return "ratio"
    return "usd" if measure.endswith("_usd") else "ns" if measure.endswith("_ns") else "count"
