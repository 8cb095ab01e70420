"""The table `rates`: what was charged for a token, written as prices are looked up."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final

from loopwatch_collector.prices.price import LookedUp, Pricer
from loopwatch_collector.prices.rates import ATTO, Rates
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.rows import Column

_COLUMNS: Final = (
    Column("provider", "LowCardinality(String)", ""),
    Column("model", "String", ""),
    Column("valid_from", "Date", None),
    Column("valid_to", "Date", None),
    Column("tier", "LowCardinality(String)", ""),
    Column("above_input_tokens", "UInt64", 0),
    Column("kind", "LowCardinality(String)", ""),
    Column("usd_per_token", "Decimal(38, 18)", 0),
    Column("source", "LowCardinality(String)", ""),
    Column("version", "LowCardinality(String)", ""),
    Column("row_version", "UInt64", 0),
)
_KINDS: Final = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning")
_USD: Final = Decimal(1) / ATTO


def record_rates(connection: Connection, pricer: Pricer) -> None:
    """Writes the rates the pricer looked up since the last time."""
    looked_up = pricer.unrecorded()
    rows = [row for key, rates in looked_up.items() for row in _rows(key, rates, time.time_ns())]
    if rows:
        connection.insert("rates", _COLUMNS, rows)
        pricer.recorded(looked_up)


def rate_history(connection: Connection, first: date, last: date, models: Sequence[str]) -> list[dict[str, Any]]:
    """Returns what was charged for calls of some days.

    Args:
        connection: this thread's.
        first: the first day, UTC.
        last: the last day, UTC.
        models: their names.

    Returns:
        A record per provider, model, day, tier of service, long-context tier and kind of token.
    """
    return connection.records(_statement(), {"first": first, "last": last, "models": models})


def _rows(key: LookedUp, rates: Rates, row_version: int) -> Iterator[list[Any]]:
    day = datetime.fromtimestamp(key.day * 86_400, UTC).date()
    head = [key.provider, key.model, day, day + timedelta(days=1), key.service_tier]
    tail = [rates.source, rates.version, row_version]
    for tier in rates.tiers:
        above = max(tier.above_input_tokens, 0)
        for kind in _KINDS:
            yield [*head, above, kind, getattr(tier, kind) * _USD, *tail]
    yield [*head, 0, "web_search", rates.web_search * _USD, *tail]


@cache
def _statement() -> str:
    folder = resources.files("loopwatch_collector.prices") / "sql"
    return (folder / "rate_history.sql").read_text(encoding="utf-8")
