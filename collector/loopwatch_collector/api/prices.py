"""The price list: rates of models as an SDK needs them to keep a run under a cost."""

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.prices.rates import ATTO, Rates, TokenRates
from loopwatch_collector.queries.runs import recent_models
from loopwatch_collector.store.client import Connection

_RECENT_NS: Final = 30 * 86_400_000_000_000
_PER_MILLION: Final = Decimal(1_000_000) / ATTO


def price_list(
    connection: Connection, pricer: Pricer, project: str, models: Sequence[str] | None, provider: str
) -> dict[str, Any]:
    """Prices models as of now.

    Args:
        connection: this thread's.
        pricer: the collector's.
        project: whose recent models are meant where none are named.
        models: names; None for those called in the last 30 days.
        provider: of the named models; empty when it is not known.

    Returns:
        `prices`: one entry per model with a price, rates in USD per million tokens; `unpriced`: names without one.
    """
    now_ns = time.time_ns()
    wanted = (
        [(provider, model) for model in models] if models else recent_models(connection, project, now_ns - _RECENT_NS)
    )
    prices: list[dict[str, Any]] = []
    unpriced: list[str] = []
    for named_provider, model in wanted:
        rates = pricer.rates(named_provider, model, "", now_ns)
        if rates is None:
            unpriced.append(model)
        else:
            prices.append({"provider": named_provider, "model": model, **_priced(rates)})
    return {"prices": prices, "unpriced": unpriced}


def _priced(rates: Rates) -> dict[str, Any]:
    return {
        "tiers": [_tier(tier) for tier in rates.tiers],
        "web_search_usd": float(Decimal(rates.web_search) / ATTO),
        "source": rates.source,
        "source_version": rates.version,
    }


def _tier(tier: TokenRates) -> dict[str, Any]:
    return {
        "above_input_tokens": max(tier.above_input_tokens, 0),
        "input": _usd_per_million(tier.input),
        "output": _usd_per_million(tier.output),
        "cache_read": _usd_per_million(tier.cache_read),
        "cache_write_5m": _usd_per_million(tier.cache_write_5m),
        "cache_write_1h": _usd_per_million(tier.cache_write_1h),
        "reasoning": _usd_per_million(tier.reasoning),
    }


def _usd_per_million(atto_per_token: int) -> float:
    return float(atto_per_token * _PER_MILLION)
