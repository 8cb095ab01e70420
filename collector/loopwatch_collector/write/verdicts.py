"""Evaluation results that senders attach to spans, as verdicts."""

import math
from collections.abc import Iterator
from typing import Any, Final

from loopwatch import names
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.write.kinds import RUN

_EVENT_NAMES: Final = SPAN_INDEX["event_names"]
_EVENT_TIMES: Final = SPAN_INDEX["event_times"]
_EVENT_ATTRIBUTES: Final = SPAN_INDEX["event_attributes"]
_PROJECT: Final = SPAN_INDEX["project"]
_RUN_ID: Final = SPAN_INDEX["run_id"]
_SPAN_ID: Final = SPAN_INDEX["span_id"]
_KIND: Final = SPAN_INDEX["kind"]
_SERVICE: Final = SPAN_INDEX["service"]
_MAX_CHARS: Final = 10_000


def verdict_rows(row: list[Any]) -> Iterator[list[Any]]:
    """The verdicts among a span's events.

    Args:
        row: values in the order of SPAN_COLUMNS.

    Yields:
        Values in the order of VERDICT_COLUMNS. On the run's own span they judge the run.
    """
    for name, time_ns, found in zip(row[_EVENT_NAMES], row[_EVENT_TIMES], row[_EVENT_ATTRIBUTES], strict=True):
        if name == names.EVALUATION_EVENT:
            span_id = "" if row[_KIND] == RUN else row[_SPAN_ID].hex()
            yield verdict_row(row[_PROJECT], row[_RUN_ID], span_id, row[_SERVICE], time_ns, found)


def verdict_row(project: str, run_id: str, span_id: str, author: str, time_ns: int, found: dict[str, str]) -> list[Any]:
    """One verdict.

    Args:
        project: whose it is.
        run_id: the run that is judged.
        span_id: the span that is judged, hex; "" for the run.
        author: who judges, unless the event says.
        time_ns: when, ns since the epoch; the last verdict of an author counts.
        found: the event's attributes.
    """
    return [
        project,
        run_id,
        span_id,
        found.get(names.EVALUATION_NAME, "") or "evaluation",
        author,
        _score(found.get(names.EVALUATION_SCORE, "")),
        found.get(names.EVALUATION_LABEL, ""),
        found.get(names.EVALUATION_EXPLANATION, "")[:_MAX_CHARS],
        time_ns,
        time_ns,  # the version: an evaluation that is sent again must not replace a later one
    ]


def _score(text: str) -> float | None:
    try:
        score = float(text)
    except ValueError:
        return None
    return score if math.isfinite(score) else None
