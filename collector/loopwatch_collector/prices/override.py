"""The operator's prices: own models and negotiated rates, which win over genai-prices.

A TOML file:

    prefer_reported = false        # true: what the sender says a call cost is what it cost

    [[price]]
    model = "northwind-*"          # a pattern; the first entry that fits is used
    provider = "anthropic"         # optional: any
    service_tier = "batch"         # optional: any
    from = 2026-01-01              # optional: always
    to = 2026-07-01                # optional, excluded
    input = 3.0                    # USD per million tokens; output likewise. Optional: cache_read, cache_write_5m,
    output = 15.0                  # cache_write_1h, reasoning; web_search is USD per 1000 searches

    [[price.tier]]                 # optional: other prices for calls with more input
    above_input_tokens = 200000
    input = 6.0
    output = 22.5
"""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from loopwatch_collector.errors import CannotStart
from loopwatch_collector.prices.rates import ATTO, Rates, TokenRates, token_rates

_TOKEN_KEYS: Final = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning")
_ENTRY_KEYS: Final = {"model", "provider", "service_tier", "from", "to", "web_search", "tier", *_TOKEN_KEYS}
_TIER_KEYS: Final = {"above_input_tokens", *_TOKEN_KEYS}


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """One entry of the file.

    Attributes:
        model: pattern of model names.
        provider: the provider it is for; empty for any.
        service_tier: the tier of service it is for; empty for any.
        from_day: first day it holds; None for always.
        to_day: first day it holds no more; None for always.
        rates: what a token costs.
    """

    model: str
    provider: str
    service_tier: str
    from_day: date | None
    to_day: date | None
    rates: Rates

    def fits(self, provider: str, model: str, service_tier: str, day: date) -> bool:
        """Whether it is the price of such a call on such a day (UTC)."""
        return (
            fnmatchcase(model, self.model)
            and self.provider in {"", provider}
            and self.service_tier in {"", service_tier}
            and (self.from_day is None or self.from_day <= day)
            and (self.to_day is None or day < self.to_day)
        )


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """The operator's file: its prices in order, and whether a sender's own figure is preferred to ours."""

    prices: Sequence[OwnPrice] = ()
    prefer_reported: bool = False

    def rates(self, provider: str, model: str, service_tier: str, at_ns: int) -> Rates | None:
        """Returns the operator's rates of a model at a time, or None where the file has none."""
        day = datetime.fromtimestamp(at_ns / 1e9, UTC).date()
        fitting = (price.rates for price in self.prices if price.fits(provider, model, service_tier, day))
        return next(fitting, None)


def read_own_prices(path: Path) -> OwnPrices:
    """Reads the operator's file.

    Raises:
        CannotStart: it is not there, not TOML, or an entry is not a price; the entry is named.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as fault:
        raise CannotStart(f"the price file {path} cannot be read: {fault}") from fault
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    try:
        return _own_prices(document, version)
    except ValueError as fault:
        raise CannotStart(f"the price file {path}: {fault}") from fault


def _own_prices(document: Mapping[str, Any], version: str) -> OwnPrices:
    _refuse_unknown("the file", document, {"price", "prefer_reported"})
    prefer_reported = document.get("prefer_reported", False)
    if not isinstance(prefer_reported, bool):
        raise ValueError("prefer_reported must be true or false")  # noqa: TRY004  # a fault of the file, not of the caller
    entries = document.get("price", [])
    return OwnPrices(
        [_price(f"price {place}", entry, version) for place, entry in enumerate(entries, 1)], prefer_reported
    )


def _price(name: str, entry: Mapping[str, Any], version: str) -> OwnPrice:
    _refuse_unknown(name, entry, _ENTRY_KEYS)
    if not isinstance(entry.get("model"), str) or not entry["model"]:
        raise ValueError(f"{name} needs a model, a name or a pattern such as 'northwind-*'")
    tiers = [_tier(name, -1, entry)]
    for tier in sorted(entry.get("tier", []), key=lambda tier: tier.get("above_input_tokens", 0)):
        _refuse_unknown(f"a tier of {name}", tier, _TIER_KEYS)
        tiers.append(_tier(f"a tier of {name}", _whole(name, tier), {**_tokens_of(entry), **_tokens_of(tier)}))
    web_search = _usd(name, "web_search", entry.get("web_search", 0))
    return OwnPrice(
        entry["model"],
        str(entry.get("provider", "")),
        str(entry.get("service_tier", "")),
        _day(name, "from", entry),
        _day(name, "to", entry),
        Rates(tiers, int(web_search * ATTO / 1000), "operator", version),
    )


def _tier(name: str, above: int, entry: Mapping[str, Any]) -> TokenRates:
    prices = {key: _usd(name, key, value) for key, value in _tokens_of(entry).items()}
    if "input" not in prices or "output" not in prices:
        raise ValueError(f"{name} needs input and output, USD per million tokens")
    return token_rates(above, prices)


def _tokens_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in _TOKEN_KEYS if key in entry}


def _usd(name: str, key: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 1_000_000:
        raise ValueError(f"{key} of {name} must be an amount in USD from 0 on, not {value!r}")
    return Decimal(value)


def _whole(name: str, tier: Mapping[str, Any]) -> int:
    above = tier.get("above_input_tokens")
    if isinstance(above, bool) or not isinstance(above, int) or above < 0:
        raise ValueError(f"a tier of {name} needs above_input_tokens, a whole number")
    return above


def _day(name: str, key: str, entry: Mapping[str, Any]) -> date | None:
    value = entry.get(key)
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise ValueError(f"{key} of {name} must be a day such as 2026-07-01, not {value!r}")


def _refuse_unknown(name: str, entry: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(entry) - known)
    if unknown:
        raise ValueError(f"{name} has '{unknown[0]}', which means nothing here; known are {', '.join(sorted(known))}")
