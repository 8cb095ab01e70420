"""Verdicts: what people and evaluators say of a run, while it runs or long after."""

import re
import time
from typing import Annotated, Any, Final, Literal, Self

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from loopwatch_collector.auth import Principal, require, require_to_change
from loopwatch_collector.queries.reading import reading
from loopwatch_collector.queries.runner import READ_SETTINGS
from loopwatch_collector.queries.times import LATEST_NS, format_time, parse_time
from loopwatch_collector.store.store import Store

router: Final = APIRouter(prefix="/api/v1", tags=["verdicts"])

_TRACE_ID: Final = re.compile("[0-9A-Fa-f]{32}")
_THUMBS: Final = {"up": 1.0, "down": 0.0}


class Verdict(BaseModel):
    """One verdict on a run, or on a span of it: a thumb, a score, a label, a comment, or several of these."""

    model_config = ConfigDict(extra="forbid")

    run_id: Annotated[str, Field(min_length=1, max_length=200)]
    span_id: Annotated[str, Field(pattern="^([0-9a-f]{16})?$")] = ""
    name: Annotated[str, Field(min_length=1, max_length=100, description="what is judged, such as user_feedback")]
    author: Annotated[str, Field(max_length=200, description="who judges: a person's id, or an evaluator's name")] = ""
    thumb: Annotated[Literal["up", "down"] | None, Field(description="short for the score 1 or 0")] = None
    score: Annotated[float | None, Field(allow_inf_nan=False)] = None
    label: Annotated[str, Field(max_length=200)] = ""
    comment: Annotated[str, Field(max_length=10_000)] = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.thumb is not None and self.score is not None:
            raise ValueError("give a thumb or a score, not both")
        if self.thumb is None and self.score is None and not self.label and not self.comment:
            raise ValueError("a verdict needs a thumb, a score, a label or a comment")
        return self


@router.post("/verdicts", status_code=201)
def give_verdict(
    verdict: Verdict, request: Request, author: Annotated[Principal, Depends(require_to_change("ingest"))]
) -> dict[str, Any]:
    """Keeps a verdict; it replaces the one of equal run, span, name and author.

    A run id of 32 hexadecimal digits may be in upper case. `run_known` is false where no span of the run is stored:
    the verdict counts when one is, which may be at once, later, or never if the id is wrong.
    """
    now_ns = time.time_ns()
    score = verdict.score if verdict.thumb is None else _THUMBS[verdict.thumb]
    label = verdict.label or (verdict.thumb or "")
    store: Store = request.app.state.store
    run_id, is_known = _run_meant(store, author.project, verdict.run_id)
    row = [author.project, run_id, verdict.span_id, verdict.name, verdict.author, score, label,
           verdict.comment, now_ns, store.next_row_version()]  # fmt: skip
    store.insert_verdicts([row])
    shown = _shown(run_id, verdict.span_id, verdict.name, verdict.author, score, label, verdict.comment, now_ns)
    return {**shown, "run_known": is_known}


@router.get("/verdicts")
def list_verdicts(
    request: Request,
    reader: Annotated[Principal, Depends(require("read"))],
    run_id: Annotated[list[str] | None, Query()] = None,
    name: Annotated[list[str] | None, Query()] = None,
    from_: Annotated[str, Query(alias="from", description="given from then on: ISO 8601 or epoch ms")] = "0",
    to: Annotated[str | None, Query(description="given before then: ISO 8601 or epoch ms")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> dict[str, Any]:
    """Lists the verdicts that count, on some runs or given in a range, the latest first."""
    rows = request.app.state.store.connection().rows(
        reading("verdicts"),
        {
            "project": reader.project,
            "run_ids": sorted({form for one in run_id or [] for form in (one, _lower(one))}),
            "names": name or [],
            "from_ns": parse_time("from", from_),
            "to_ns": parse_time("to", to) if to else LATEST_NS,
            "page_limit": limit,
        },
        READ_SETTINGS,
    )
    return {"verdicts": [_shown(*row) for row in rows]}


def _run_meant(store: Store, project: str, run_id: str) -> tuple[str, bool]:
    """The id of the run that is meant, and whether it is stored."""
    forms = [run_id, _lower(run_id)]
    rows = store.connection().rows(reading("known_run"), {"project": project, "run_ids": forms}, READ_SETTINGS)
    known = {found for (found,) in rows}
    return next(((form, True) for form in forms if form in known), (forms[-1], False))


def _lower(run_id: str) -> str:
    """Trace ids are hexadecimal and stored in lower case; other ids are what the sender made of them."""
    return run_id.lower() if _TRACE_ID.fullmatch(run_id) else run_id


def _shown(
    run_id: str, span_id: str, name: str, author: str, score: float | None, label: str, comment: str, time_ns: int
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "span_id": span_id or None,
        "name": name,
        "author": author,
        "score": score,
        "label": label,
        "comment": comment,
        "time": format_time(time_ns),
    }
