"""The operator's prices: own models and negotiated rates, which win over genai-prices; see docs/prices.md.

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
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, cast

from loopwatch_collector.errors import CannotStart
from loopwatch_collector.prices.rates import ATTO, Rates, TokenRates, token_rates
from loopwatch_collector.toml_lines import Lines
from loopwatch_collector.toml_lines import Path as Place

_TOKEN_KEYS: Final = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning")
_ENTRY_KEYS: Final = {"model", "provider", "service_tier", "from", "to", "web_search", "tier", *_TOKEN_KEYS}
_MAX_USD: Final = 1_000_000
_NOTHING: Final = Decimal(0)  # in the place of what is wrong, so that the rest can be looked at
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
        CannotStart: it is not there, not TOML, or an entry is not a price; all that is wrong is named with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as fault:
        raise CannotStart(f"the price file {path} cannot be read: {fault}") from fault
    file = _File(document, Lines(text), hashlib.sha256(text.encode()).hexdigest()[:12])
    prices = file.own_prices()
    if file.faults:
        raise CannotStart(f"the price file {path}: {'; '.join(file.faults)}")
    return prices


class _File:
    """A file being read, and what is wrong with it so far."""

    def __init__(self, document: Mapping[str, Any], lines: Lines, version: str) -> None:
        self.faults: list[str] = []
        self._document = document
        self._lines = lines
        self._version = version

    def own_prices(self) -> OwnPrices:
        self._refuse_unknown((), "the file", self._document, {"price", "prefer_reported"})
        prefer_reported = self._document.get("prefer_reported", False)
        if not isinstance(prefer_reported, bool):
            self._fault(("prefer_reported",), f"prefer_reported must be true or false, not {prefer_reported!r}")
        entries = self._tables(("price",), self._document.get("price", []), "[[price]]")
        return OwnPrices([self._price(place, entry) for place, entry in enumerate(entries)], prefer_reported is True)

    def _price(self, place: int, entry: Mapping[str, Any]) -> OwnPrice:
        path, name = ("price", place), f"price {place + 1}"
        self._refuse_unknown(path, name, entry, _ENTRY_KEYS)
        if not entry.get("model"):
            self._fault(path, f"{name} needs a model, a name or a pattern such as 'northwind-*'")
        from_day, to_day = self._day(path, name, "from", entry), self._day(path, name, "to", entry)
        if from_day is not None and to_day is not None and to_day <= from_day:
            self._fault((*path, "to"), f"{name} never holds: to ({to_day}) must lie after from ({from_day})")
        web_search = self._usd((*path, "web_search"), name, "web_search", entry.get("web_search", 0))
        return OwnPrice(
            self._text(path, name, "model", entry),
            self._text(path, name, "provider", entry),
            self._text(path, name, "service_tier", entry),
            from_day,
            to_day,
            Rates(self._tiers(path, name, entry), int(web_search * ATTO / 1000), "operator", self._version),
        )

    def _tiers(self, path: Place, name: str, entry: Mapping[str, Any]) -> list[TokenRates]:
        found = [self._tier(path, name, -1, entry)]
        tiers = self._tables((*path, "tier"), entry.get("tier", []), "[[price.tier]]")
        for place, tier in enumerate(tiers):
            of_tier, its_name = (*path, "tier", place), f"tier {place + 1} of {name}"
            self._refuse_unknown(of_tier, its_name, tier, _TIER_KEYS)
            above = tier.get("above_input_tokens")
            if type(above) is not int or above < 0:
                self._fault(
                    (*of_tier, "above_input_tokens"),
                    f"{its_name} needs above_input_tokens, a whole number, not {above!r}",
                )
                continue
            if any(above == other.above_input_tokens for other in found):
                self._fault(
                    (*of_tier, "above_input_tokens"), f"{its_name} is for more than {above} input tokens, as another is"
                )
            found.append(self._tier(of_tier, its_name, above, {**_tokens_of(entry), **_tokens_of(tier)}))
        return sorted(found, key=lambda tier: tier.above_input_tokens)

    def _tier(self, path: Place, name: str, above: int, entry: Mapping[str, Any]) -> TokenRates:
        prices = {key: self._usd((*path, key), name, key, value) for key, value in _tokens_of(entry).items()}
        if "input" not in prices or "output" not in prices:
            self._fault(path, f"{name} needs input and output, USD per million tokens")
        return token_rates(above, {"input": _NOTHING, "output": _NOTHING, **prices})

    def _usd(self, path: Place, name: str, key: str, value: Any) -> Decimal:
        if type(value) in (int, Decimal):
            amount = Decimal(value)
            if amount.is_finite() and 0 <= amount <= _MAX_USD:
                return amount
        self._fault(path, f"{key} of {name} must be an amount in USD from 0 to {_MAX_USD:,}, not {_shown(value)}")
        return _NOTHING

    def _text(self, path: Place, name: str, key: str, entry: Mapping[str, Any]) -> str:
        value = entry.get(key, "")
        if isinstance(value, str):
            return value
        self._fault((*path, key), f"{key} of {name} must be a text, not {_shown(value)}")
        return ""

    def _day(self, path: Place, name: str, key: str, entry: Mapping[str, Any]) -> date | None:
        value = entry.get(key)
        if value is None or type(value) is date:
            return value
        self._fault(
            (*path, key), f"{key} of {name} must be a day such as 2026-07-01, without quotes, not {_shown(value)}"
        )
        return None

    def _tables(self, path: Place, given: Any, header: str) -> list[dict[str, Any]]:
        listed = cast(list[Any], given) if isinstance(given, list) else [None]
        if all(isinstance(entry, dict) for entry in listed):
            return cast(list[dict[str, Any]], listed)
        self._fault(path, f"{path[-1]} must be a list of tables: write {header} above each")
        return []

    def _refuse_unknown(self, path: Place, name: str, entry: Mapping[str, Any], known: set[str]) -> None:
        for key in sorted(set(entry) - known):
            close = get_close_matches(key, known, n=1)
            meant = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"
            self._fault((*path, key), f"{name} has '{key}', which means nothing here; {meant}")

    def _fault(self, path: Place, message: str) -> None:
        line = self._lines.of(path)
        self.faults.append(message if line is None else f"line {line}: {message}")


def _tokens_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in _TOKEN_KEYS if key in entry}


def _shown(value: Any) -> str:
    """As somebody wrote it, or nearly."""
    return str(value).lower() if isinstance(value, (Decimal, bool)) else f"{value!r:.60}"
