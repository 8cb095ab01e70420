"""Evaluations that a sender spells out over a span's attributes, as the events the convention has for them."""

from typing import Any, Final

from loopwatch import names
from loopwatch_collector.write import values
from loopwatch_collector.write.aliases import SLOTS

_FLAT: Final = SLOTS["flat"]
_START: Final = SLOTS["start_time"]
_DURATION: Final = SLOTS["duration_ns"]
_NAMES: Final = SLOTS["event_names"]
_TIMES: Final = SLOTS["event_times"]
_ATTRIBUTES: Final = SLOTS["event_attributes"]
_MAX_EVALUATIONS: Final = 64
_LISTS: Final = {"evaluations": "evaluation", "annotations": "annotation"}
_FIELDS: Final = {
    "name": names.EVALUATION_NAME,
    "score": names.EVALUATION_SCORE,
    "label": names.EVALUATION_LABEL,
    "explanation": names.EVALUATION_EXPLANATION,
}


def add_evaluations(row: list[Any]) -> None:
    """Adds OpenInference's `evaluations.N.evaluation.*` and `annotations.N.annotation.*` to a row's events."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for key, value in row[_FLAT].items():
        where, _, path = key.partition(".")
        number, _, path = path.partition(".")
        what, _, field = path.partition(".")
        if _LISTS.get(where) == what and field in _FIELDS and value is not None:
            found.setdefault((where, number), {})[_FIELDS[field]] = values.json_text(value)
    told = [evaluation for _, evaluation in sorted(found.items())][:_MAX_EVALUATIONS]
    if told:
        ended_ns = row[_START] + row[_DURATION]
        row[_NAMES] = [*row[_NAMES], *[names.EVALUATION_EVENT] * len(told)]
        row[_TIMES] = [*row[_TIMES], *[ended_ns] * len(told)]
        row[_ATTRIBUTES] = [*row[_ATTRIBUTES], *told]
