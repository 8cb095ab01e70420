"""Pricing stored calls again, and deriving runs again, against the real engine."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.prices.override import read_own_prices
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.prices.record import rate_history, record_rates
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.repricing.reprice import reprice_day, repriced_days
from loopwatch_collector.store.rebuild import rebuild_runs
from loopwatch_collector.store.store import Store

DAY = date(2026, 10, 1)


def _call(span: Callable[..., list[Any]], number: int, **values: Any) -> list[Any]:
    usage = {"provider": "anthropic", "model": "claude-opus-5-5", "input_tokens": 1000, "output_tokens": 100}
    return span(number, kind="model_call", response_id=f"k{number}", **{**usage, **values})


def _pricer(tmp_path: Path) -> Pricer:
    file = tmp_path / "prices.toml"
    file.write_text('[[price]]\nmodel = "claude-opus-5-5"\ninput = 2\noutput = 10\n')
    return Pricer(own=read_own_prices(file))


def test_reprice_says_what_changes_then_changes_it(
    store: Store,
    span: Callable[..., list[Any]],
    write: Callable[[Store, list[list[Any]]], None],
    tmp_path: Path,
) -> None:
    """Without apply nothing is written; with it the day's calls and their runs have the new cost; once is enough."""
    rows = [_call(span, 1, attributes={"kept": "yes"}, event_names=["e"], event_times=[7], event_attributes=[{}]),
            _call(span, 2, model="home-made"), _call(span, 3, at_s=86_400)]  # fmt: skip
    for row in rows:
        Pricer().price(row)
    write(store, rows)
    told = reprice_day(store, _pricer(tmp_path), "default", DAY, apply=False)
    assert (told.calls, told.changed_calls) == (2, 1)
    assert (told.before_usd, told.after_usd) == (Decimal("0.006"), Decimal("0.003"))
    assert _cost(store) == 0.012
    done = reprice_day(store, _pricer(tmp_path), "default", DAY, apply=True)
    assert done == told
    assert _cost(store) == 0.009
    assert reprice_day(store, _pricer(tmp_path), "default", DAY, apply=True).changed_calls == 0
    kept = store.connection().rows(
        "SELECT attributes, event_names, toUnixTimestamp64Nano(event_times[1]), price_source FROM spans FINAL "
        "WHERE span_id = unhex('0000000000000001')"
    )
    assert kept == [({"kept": "yes"}, ["e"], 7, "operator")]
    assert [(entry["day"], entry["is_under_way"]) for entry in repriced_days(store, "default")] == [(DAY, 0)]


def test_a_reprice_at_the_same_prices_changes_nothing(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Whatever a price depends on is read: a failed call keeps its $0, one of unknown usage its unknown cost."""
    nothing = {"input_tokens": 0, "output_tokens": 0}
    rows = [
        _call(span, 1, status="error", **nothing),
        _call(span, 2, **nothing),
        _call(span, 3, web_search_requests=3, **nothing),
        _call(span, 4, service_tier="batch", cache_read_tokens=300, cache_write_5m_tokens=200, reasoning_tokens=40),
    ]
    for row in rows:
        Pricer().price(row)
    write(store, rows)
    told = reprice_day(store, Pricer(), "default", DAY, apply=False)
    assert (told.calls, told.changed_calls) == (4, 0)
    assert told.before_usd == told.after_usd > 0


def test_a_reprice_is_seen_while_it_is_under_way(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None], tmp_path: Path
) -> None:
    """The day counts as under way until it is done, also where it was broken off; again, it is done as a whole."""
    write(store, [_call(span, 1)])

    class BrokenOff(Exception):
        pass

    class Breaking(Pricer):
        def price(self, row: list[Any]) -> None:
            assert [entry["is_under_way"] for entry in repriced_days(store, "default")] == [1]
            raise BrokenOff

    with pytest.raises(BrokenOff):
        reprice_day(store, Breaking(), "default", DAY, apply=True)
    assert [entry["is_under_way"] for entry in repriced_days(store, "default")] == [1]
    reprice_day(store, _pricer(tmp_path), "default", DAY, apply=True)
    assert [(entry["calls"], entry["is_under_way"]) for entry in repriced_days(store, "default")] == [(1, 0)]


def test_rates_that_were_charged_are_on_record(store: Store, tmp_path: Path) -> None:
    """Each model, tier of service and day that was priced has its rates in the table, once, with their list."""
    pricer, day = _pricer(tmp_path), date(2026, 11, 1)
    noon_ns = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()) * 10**9
    pricer.rates("anthropic", "claude-opus-5-5", "", noon_ns)
    pricer.rates("anthropic", "claude-sonnet-4-5", "batch", noon_ns)
    pricer.rates("anthropic", "home-made", "", noon_ns)
    for _ in range(2):
        record_rates(store.connection(), pricer)
    models = ["claude-opus-5-5", "claude-sonnet-4-5", "home-made"]
    found = rate_history(store.connection(), day, day, models)
    assert rate_history(store.connection(), date(2026, 11, 2), date(2026, 11, 9), models) == []
    charged = {(rate["model"], rate["tier"], rate["above_input_tokens"], rate["kind"]): rate for rate in found}
    assert len(charged) == len(found)
    opus = charged["claude-opus-5-5", "", 0, "output"]
    assert (opus["usd_per_token"], opus["source"]) == (Decimal("0.00001"), "operator")
    assert (opus["valid_from"], opus["valid_to"]) == (day, date(2026, 11, 2))
    # half of 3 and, above 200,000 tokens, of 6 USD a million
    batch = [charged["claude-sonnet-4-5", "batch", above, "input"]["usd_per_token"] for above in (0, 200_000)]
    assert batch == [Decimal("0.0000015"), Decimal("0.000003")]
    assert {model for model, *_ in charged} == {"claude-opus-5-5", "claude-sonnet-4-5"}


def test_rebuilt_runs_equal_those_written_live(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Deriving everything again, after writing span by span in reverse, gives the rows that live writing gave."""
    for row in reversed(fleet):
        write(store, [row])
    before = _runs(store)
    assert len(before) == 4
    assert rebuild_runs(store)._asdict() == {"days": 2, "runs": 5}  # one run has spans on both days
    assert _runs(store) == before


def test_a_rebuild_repairs_what_is_wrong(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """A run that was lost comes back, and one that has no spans goes away."""
    write(store, fleet)
    before = _runs(store)
    connection = store.connection()
    connection.run("ALTER TABLE runs DELETE WHERE run_id = 'run-failed' SETTINGS mutations_sync = 2")
    connection.run(
        "INSERT INTO runs (project, run_id, start_time, row_version) VALUES ('default', 'ghost', now64(9), 1)"
    )
    rebuild_runs(store)
    assert _runs(store) == before


def _cost(store: Store) -> float:
    to_ns = int(datetime(2026, 10, 3, tzinfo=UTC).timestamp()) * 10**9
    return round(ask(store.connection(), Question("runs_summary", "default", 0, to_ns)).rows[0][9], 9)


def _runs(store: Store) -> list[tuple[Any, ...]]:
    return store.connection().rows("SELECT * EXCEPT (row_version) FROM runs FINAL ORDER BY run_id")
