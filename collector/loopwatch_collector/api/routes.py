"""Routes of /api/v1. They read the request, ask the queries, and hold no `try`: errors know their status."""

from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from loopwatch_collector.api import upkeep, verdicts
from loopwatch_collector.api.prices import price_list
from loopwatch_collector.auth import Principal, require
from loopwatch_collector.prices.record import rate_history
from loopwatch_collector.queries import runs
from loopwatch_collector.queries.catalogue import FILTERS, NamedQuery, catalogue
from loopwatch_collector.queries.errors import InvalidParameter
from loopwatch_collector.queries.filter.fields import ANY_ATTRIBUTE, EVENTS, FIELDS, OUTCOMES
from loopwatch_collector.queries.runner import DEFAULT_LIMIT, MAX_LIMIT, Question, ask, ask_raw, plain
from loopwatch_collector.queries.times import format_time, parse_range
from loopwatch_collector.store.client import Connection

router: Final = APIRouter()
_api: Final = APIRouter(prefix="/api/v1")


def _anybody(request: Request) -> Principal:
    return request.app.state.keyring.authenticate(request.headers.get("authorization"))


Reader = Annotated[Principal, Depends(require("read"))]
# Agents hold keys of the role ingest, and their cost limits need prices.
Anybody = Annotated[Principal, Depends(_anybody)]
From = Annotated[str, Query(alias="from", description="start of the range: ISO 8601 or epoch ms, included")]
To = Annotated[str, Query(alias="to", description="end of the range: ISO 8601 or epoch ms, excluded")]
FilterText = Annotated[str, Query(alias="q", max_length=4000, description="a line of the filter language")]
NEXT_CURSOR: Final = "loopwatch-next-cursor"
"""The header of a page in CSV, Arrow or Parquet that is not the last: the cursor of the next."""
_RUN_PARAMS: Final = ("from", "to", "limit", "cursor", "q", "order_by", "order", *runs.LIST_FILTERS)
_RANGE_AND_PAGE: Final = {"from", "to", "limit", "cursor", "format", "q"}
_RAW_FORMATS: Final = {
    "csv": ("CSVWithNames", "text/csv; charset=utf-8"),
    "arrow": ("ArrowStream", "application/vnd.apache.arrow.stream"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
}


def _connection(request: Request) -> Connection:
    return request.app.state.store.connection()


Store = Annotated[Connection, Depends(_connection)]


@_api.get("/runs", tags=["runs"])
def list_runs(
    request: Request,
    reader: Reader,
    store: Store,
    from_: From,
    to: To,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: str = "",
    q: FilterText = "",
    order_by: runs.RunOrder = "start_time",
    order: Literal["asc", "desc"] = "desc",
) -> dict[str, Any]:
    """Lists the runs that started in a range, the latest first or in another order.

    Equal ones stand by their start, the latest first; runs without a cost come last in either direction.
    """
    from_ns, to_ns = parse_range(from_, to)
    _refuse_unknown(request, _RUN_PARAMS)
    filters = _repeated(request, runs.LIST_FILTERS)
    _refuse_unknown_outcomes(filters["outcome"])
    page = runs.list_runs(
        store, reader.project, from_ns, to_ns, filters, limit, cursor, q, order_by, descending=order == "desc"
    )
    return {"runs": page.runs, "next_cursor": page.next_cursor}


@_api.get("/runs/{run_id}", tags=["runs"])
def get_run(run_id: str, reader: Reader, store: Store) -> dict[str, Any]:
    """Returns one run and the runs it started."""
    return runs.get_run(store, reader.project, run_id)


@_api.get("/runs/{run_id}/spans", tags=["runs"])
def get_spans(run_id: str, reader: Reader, store: Store, content: bool = False) -> dict[str, Any]:
    """Returns the spans of one run, with the contents they refer to if asked for."""
    return runs.get_spans(store, reader.project, run_id, with_content=content)


@_api.get("/queries", tags=["queries"])
def list_queries(reader: Reader) -> dict[str, Any]:
    """Lists the named queries: what each answers, takes and returns."""
    return {"queries": [_described(query) for query in catalogue().values()]}


@_api.get("/queries/{name}", tags=["queries"], response_model=None)
def ask_query(
    name: str,
    request: Request,
    reader: Reader,
    store: Store,
    from_: From,
    to: To,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: str = "",
    q: FilterText = "",
    format_: Annotated[str, Query(alias="format", description="json, csv, arrow or parquet")] = "json",
) -> Response | dict[str, Any]:
    """Answers a named query over the runs that started in a range.

    CSV, Arrow and Parquet say in the header `loopwatch-next-cursor` that there are more rows, and where.
    """
    from_ns, to_ns = parse_range(from_, to)
    own = {key: value for key, value in request.query_params.items() if key not in {*_RANGE_AND_PAGE, *FILTERS}}
    question = Question(name, reader.project, from_ns, to_ns, own, _repeated(request, FILTERS), q, limit, cursor)
    if format_ != "json":
        return _raw(store, question, format_)
    answer = ask(store, question)
    return {
        "query": name,
        "from": format_time(from_ns),
        "to": format_time(to_ns),
        "columns": [{"name": column.name, "unit": column.unit} for column in answer.query.columns],
        "rows": answer.rows,
        "next_cursor": answer.next_cursor,
        "elapsed_ms": round(answer.elapsed_ms, 2),
    }


@_api.get("/fields", tags=["queries"])
def list_fields(reader: Reader) -> dict[str, Any]:
    """Lists what the filter language can name: fields of a run, and events in it."""
    return {
        "fields": [
            {
                "name": field.name,
                "type": field.type,
                "operators": [*field.operators, "in"],
                "description": field.description,
            }
            for field in (*FIELDS.values(), ANY_ATTRIBUTE)
        ],
        "events": [
            {"name": event.name, "of": event.of or None, "description": event.description} for event in EVENTS.values()
        ],
    }


@_api.get("/prices", tags=["prices"])
def get_prices(
    request: Request,
    asker: Anybody,
    store: Store,
    model: Annotated[list[str] | None, Query(description="models to price; without: those called lately")] = None,
    provider: str = "",
) -> dict[str, Any]:
    """Returns what the collector charges for models, in USD per million tokens."""
    return price_list(store, request.app.state.pricer, asker.project, model, provider)


@_api.get("/prices/history", tags=["prices"])
def get_price_history(
    reader: Reader,
    store: Store,
    from_: From,
    to: To,
    model: Annotated[list[str], Query(description="models, by the names they were called by")],
) -> dict[str, Any]:
    """Returns what was charged for a token on the days of a range, and by which list."""
    from_ns, to_ns = parse_range(from_, to)
    first, last = (datetime.fromtimestamp(at_ns // 10**9, UTC).date() for at_ns in (from_ns, to_ns - 1))
    records = rate_history(store, first, last, model)
    return {"rates": [{name: plain(value) for name, value in record.items()} for record in records]}


def _repeated(request: Request, names: tuple[str, ...]) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in names}


def _refuse_unknown(request: Request, known: tuple[str, ...]) -> None:
    for name in request.query_params:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"it takes {', '.join(known)}"
            raise InvalidParameter(f"there is no parameter '{name[:40]}': {hint}")


def _refuse_unknown_outcomes(outcomes: list[str]) -> None:
    for outcome in outcomes:
        if outcome not in OUTCOMES:
            near = get_close_matches(outcome, OUTCOMES, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"it is one of {', '.join(OUTCOMES)}"
            raise InvalidParameter(f"no run has the outcome '{outcome[:40]}': {hint}")


def _raw(store: Connection, question: Question, format_name: str) -> Response:
    if format_name not in _RAW_FORMATS:
        raise InvalidParameter(f"format must be json, {', '.join(_RAW_FORMATS)}, not '{format_name[:40]}'")
    engine_format, media_type = _RAW_FORMATS[format_name]
    answer = ask_raw(store, question, engine_format)
    headers = {NEXT_CURSOR: answer.next_cursor} if answer.next_cursor else {}
    return Response(answer.body, media_type=media_type, headers=headers)


def _described(query: NamedQuery) -> dict[str, Any]:
    return {
        "name": query.name,
        "title": query.title,
        "description": query.description,
        "params": [
            {
                "name": param.name,
                "type": param.type,
                "required": param.default is None,
                "default": param.default,
                "values": list(param.values) or None,
                "description": param.description,
            }
            for param in query.params
        ],
        "columns": [
            {"name": column.name, "unit": column.unit, "description": column.description} for column in query.columns
        ],
    }


router.include_router(_api)
router.include_router(verdicts.router)
router.include_router(upkeep.router)
