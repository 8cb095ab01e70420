"""Routes for the operator: what is derived is derived again, and calls are priced again."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from loopwatch_collector.auth import Principal, require, require_to_change
from loopwatch_collector.queries.runner import plain
from loopwatch_collector.repricing.reprice import Difference, reprice_day, repriced_days
from loopwatch_collector.store.rebuild import rebuild_runs

router: Final = APIRouter(prefix="/api/v1", tags=["operations"])
_FIRST_DAY: Final = date(1970, 1, 1)
_LAST_DAY: Final = date(2149, 6, 6)  # what a Date column can hold
Changer = Annotated[Principal, Depends(require_to_change("admin"))]


class RepriceRequest(BaseModel):
    """Which day's calls are to be priced again."""

    model_config = ConfigDict(extra="forbid")
    day: date = Field(description="the UTC day on which the calls started", ge=_FIRST_DAY, le=_LAST_DAY)
    apply: bool = Field(default=False, description="false only says what would change")


@router.post("/rebuild/runs")
def rebuild(request: Request, admin: Changer) -> dict[str, Any]:
    """Derives the rows of all runs of all projects again from their spans."""
    return rebuild_runs(request.app.state.store)._asdict()


@router.post("/reprice")
def reprice(request: Request, admin: Changer, wanted: RepriceRequest) -> dict[str, Any]:
    """Prices the model calls of one day again, or says what that would change."""
    state = request.app.state
    difference = reprice_day(state.store, state.pricer, admin.project, wanted.day, apply=wanted.apply)
    models = [
        {"provider": provider, "model": model, **_shown(each)}
        for (provider, model), each in sorted(difference.by_model.items())
        if each.changed_calls
    ]
    return {"day": wanted.day.isoformat(), "applied": wanted.apply, **_shown(difference), "models": models}


@router.get("/reprice")
def list_repriced(request: Request, reader: Annotated[Principal, Depends(require("read"))]) -> dict[str, Any]:
    """Lists the days that were priced again, the latest first, and whether one is under way (or was broken off)."""
    days = [
        {**{name: plain(value) for name, value in day.items()}, "is_under_way": bool(day["is_under_way"])}
        for day in repriced_days(request.app.state.store, reader.project)
    ]
    return {"under_way": any(day["is_under_way"] for day in days), "days": days}


def _shown(difference: Difference) -> dict[str, Any]:
    return {name: plain(value) for name, value in asdict(difference).items() if name != "by_model"}
