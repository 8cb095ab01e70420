"""One day's model calls at today's prices: what would change, and the change itself.

Each hour is read, priced and written as a whole; doing one again changes nothing, so a reprice that was broken off
is done again from any day before.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final

from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.prices.record import record_rates
from loopwatch_collector.store.rows import SPAN_COLUMNS, SPAN_DEFAULTS, SPAN_INDEX, Column
from loopwatch_collector.store.store import Store

_HOUR_NS: Final = 3_600_000_000_000
_PRICED: Final = (
    "cost_usd",
    "input_cost_usd",
    "output_cost_usd",
    "cache_read_cost_usd",
    "cache_write_cost_usd",
    "uncached_cost_usd",
)
_COPIED: Final = (*_PRICED, "price_source", "price_version")
_ROW_COLUMNS: Final = (
    Column("project", "LowCardinality(String)", ""),
    Column("job", "UInt64", 0),
    *(SPAN_COLUMNS[SPAN_INDEX[name]] for name in ("trace_id", "span_id", *_COPIED)),
)
_DAY_COLUMNS: Final = (
    Column("project", "LowCardinality(String)", ""),
    Column("day", "Date", None),
    Column("repriced_at", "DateTime64(3, 'UTC')", None),
    Column("calls", "UInt64", 0),
    Column("changed_calls", "UInt64", 0),
    Column("before_usd", "Decimal(38, 12)", 0),
    Column("after_usd", "Decimal(38, 12)", 0),
    Column("is_under_way", "UInt8", 0),
)


@dataclass(slots=True)
class Difference:
    """What new prices change: calls, those whose cost changes, and their cost before and after; unpriced is 0."""

    calls: int = 0
    changed_calls: int = 0
    before_usd: Decimal = Decimal(0)
    after_usd: Decimal = Decimal(0)

    def add(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
        """Counts one call and returns whether it changes."""
        changed = any(before[name] != after[name] for name in _PRICED)
        self.calls += 1
        self.changed_calls += changed
        self.before_usd += before["cost_usd"] or 0
        self.after_usd += after["cost_usd"] or 0
        return changed


@dataclass(slots=True)
class DayDifference(Difference):
    """The difference of a day, and of each of its models (provider, model)."""

    by_model: dict[tuple[str, str], Difference] = field(default_factory=dict[tuple[str, str], Difference])


def reprice_day(store: Store, pricer: Pricer, project: str, day: date, *, apply: bool) -> DayDifference:
    """Prices the model calls that started on a day (UTC) again.

    Args:
        store: the store to work on.
        pricer: with the prices that are to hold.
        project: whose calls.
        day: the day.
        apply: False only says what would change.

    Returns:
        What changed, or would.
    """
    difference = DayDifference()
    if apply:
        _note(store, project, day, difference, is_under_way=True)
    midnight_ns = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9
    for hour in range(24):
        _reprice_hour(store, pricer, project, midnight_ns + hour * _HOUR_NS, difference, apply=apply)
    if apply:
        record_rates(store.connection(), pricer)
        _note(store, project, day, difference, is_under_way=False)
    return difference


def repriced_days(store: Store, project: str) -> list[dict[str, Any]]:
    """Returns the days repriced last, the latest first; of those under way the counts are still to come."""
    return store.connection().records(_statement("repriced_days"), {"project": project})


def _note(store: Store, project: str, day: date, so_far: Difference, *, is_under_way: bool) -> None:
    totals = (so_far.calls, so_far.changed_calls, so_far.before_usd, so_far.after_usd)
    row = [project, day, datetime.now(UTC), *totals, is_under_way]
    store.connection().insert("repriced_days", _DAY_COLUMNS, [row])


def _reprice_hour(
    store: Store, pricer: Pricer, project: str, from_ns: int, difference: DayDifference, *, apply: bool
) -> None:
    connection = store.connection()
    extent = {"project": project, "from_ns": from_ns, "to_ns": from_ns + _HOUR_NS}
    job, changed, touched = time.time_ns(), list[list[Any]](), set[tuple[str, str, int, int]]()
    for call in connection.records(_statement("calls_of_hour"), extent):
        priced = _priced(pricer, call)
        model = difference.by_model.setdefault((call["provider"], call["model"]), Difference())
        model.add(call, priced)
        if difference.add(call, priced):
            changed.append([project, job, call["trace_id"], call["span_id"], *(priced[name] for name in _COPIED)])
            touched.add((project, call["run_id"], call["start_ns"], call["start_ns"]))
    if apply and changed:
        connection.insert("repriced_calls", _ROW_COLUMNS, changed)
        connection.run(_statement("rewrite_calls"), {**extent, "job": job})
        store.refresh_runs(touched)


def _priced(pricer: Pricer, call: Mapping[str, Any]) -> dict[str, Any]:
    row = list(SPAN_DEFAULTS)
    for name, value in call.items():
        if name in SPAN_INDEX and name not in _PRICED:
            row[SPAN_INDEX[name]] = value
    row[SPAN_INDEX["kind"]] = "model_call"
    row[SPAN_INDEX["start_time"]] = call["start_ns"]
    pricer.price(row)
    return {name: row[SPAN_INDEX[name]] for name in _COPIED}


@cache
def _statement(name: str) -> str:
    folder = resources.files("loopwatch_collector.repricing") / "sql"
    return (folder / f"{name}.sql").read_text(encoding="utf-8")
