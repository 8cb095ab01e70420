"""Prices model calls: one look-up of rates per model, tier of service and day, then whole-number arithmetic."""

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final, NamedTuple

from loopwatch_collector.prices.genai import genai_rates
from loopwatch_collector.prices.override import OwnPrices
from loopwatch_collector.prices.rates import Rates
from loopwatch_collector.store.rows import SPAN_DEFAULTS, SPAN_INDEX

_MINUTE_NS: Final = 60_000_000_000
_DAY_NS: Final = 1440 * _MINUTE_NS
_ATTO_PER_PICO: Final = 10**6
# A sender may claim 1e15 tokens; costs beyond the column's range would turn negative without an error.
_MAX_PICO: Final = 10**18 - 1
_PICO_EXPONENT: Final = Decimal(1).scaleb(-12)

RateLookup = Callable[[str, str, str, int], Rates | None]

_KIND: Final = SPAN_INDEX["kind"]
_START: Final = SPAN_INDEX["start_time"]
_PROVIDER: Final = SPAN_INDEX["provider"]
_MODEL: Final = SPAN_INDEX["model"]
_TIER: Final = SPAN_INDEX["service_tier"]
_INPUT: Final = SPAN_INDEX["input_tokens"]
_OUTPUT: Final = SPAN_INDEX["output_tokens"]
_CACHE_READ: Final = SPAN_INDEX["cache_read_tokens"]
_WRITE_5M: Final = SPAN_INDEX["cache_write_5m_tokens"]
_WRITE_1H: Final = SPAN_INDEX["cache_write_1h_tokens"]
_REASONING: Final = SPAN_INDEX["reasoning_tokens"]
_SEARCHES: Final = SPAN_INDEX["web_search_requests"]
_COST: Final = SPAN_INDEX["cost_usd"]
_INPUT_COST: Final = SPAN_INDEX["input_cost_usd"]
_OUTPUT_COST: Final = SPAN_INDEX["output_cost_usd"]
_READ_COST: Final = SPAN_INDEX["cache_read_cost_usd"]
_WRITE_COST: Final = SPAN_INDEX["cache_write_cost_usd"]
_UNCACHED_COST: Final = SPAN_INDEX["uncached_cost_usd"]
_REPORTED: Final = SPAN_INDEX["reported_cost_usd"]
_STATUS: Final = SPAN_INDEX["status"]
_SOURCE: Final = SPAN_INDEX["price_source"]
_VERSION: Final = SPAN_INDEX["price_version"]
_PARTS: Final = (_INPUT_COST, _OUTPUT_COST, _READ_COST, _WRITE_COST)
_PRICED: Final = (_COST, *_PARTS, _UNCACHED_COST, _SOURCE, _VERSION)
_MAX_REMEMBERED: Final = 50_000


class LookedUp(NamedTuple):
    """What rates were looked up for; `day` is counted since the epoch."""

    provider: str
    model: str
    service_tier: str
    day: int


class Pricer:
    """Fills the cost columns of model calls.

    Args:
        lookup: (provider, model, service tier, ns since the epoch) to rates, or None for a model without a price.
        own: the operator's prices, which win; and whether a sender's own figure does.
    """

    def __init__(self, lookup: RateLookup = genai_rates, own: OwnPrices | None = None) -> None:
        self._lookup = lookup
        self._own = own or OwnPrices()
        self._memo: dict[tuple[str, str, str, int], Rates | None] = {}
        self._unrecorded: dict[LookedUp, Rates] = {}

    def price(self, row: list[Any]) -> None:
        """Prices one row in place: what it cost and how that splits.

        None where the model has no price, and where the call's usage was not recorded: it did not fail, and no token
        is told.

        Args:
            row: values in the order of SPAN_COLUMNS; rows of other kinds than model_call are left alone.
        """
        if row[_KIND] != "model_call":
            return
        rates = self.rates(row[_PROVIDER], row[_MODEL], row[_TIER], row[_START])
        if rates is None or not _is_usage_recorded(row):
            for column in _PRICED:
                row[column] = SPAN_DEFAULTS[column]
        else:
            _charge(row, rates)
        if self._own.prefer_reported and row[_REPORTED] is not None:
            _take_reported(row)

    def rates(self, provider: str, model: str, service_tier: str, at_ns: int) -> Rates | None:
        """Returns the rates of a model at a time, from memory when this day's were looked up before."""
        if not model:
            return None
        key = (provider, model, service_tier, at_ns // _DAY_NS)  # equal to the LookedUp of these, and sooner made
        if key not in self._memo:
            if len(self._memo) >= _MAX_REMEMBERED:  # a sender may invent models without end
                self._memo.clear()
            self._remember(LookedUp(*key), self._found(provider, model, service_tier, at_ns))
        rates = self._memo[key]
        if rates is not None and rates.by_time_of_day:
            return self._found(provider, model, service_tier, at_ns - at_ns % _MINUTE_NS)
        return rates

    def unrecorded(self) -> Mapping[LookedUp, Rates]:
        """Returns the rates looked up that nobody has called `recorded` yet."""
        return self._unrecorded.copy()

    def recorded(self, looked_up: Iterable[LookedUp]) -> None:
        """Takes note that rates were recorded."""
        for key in looked_up:
            self._unrecorded.pop(key, None)

    def _remember(self, key: LookedUp, rates: Rates | None) -> None:
        self._memo[key] = rates
        if rates is not None:
            self._unrecorded[key] = rates

    def _found(self, provider: str, model: str, service_tier: str, at_ns: int) -> Rates | None:
        own = self._own.rates(provider, model, service_tier, at_ns)
        return own or self._lookup(provider, model, service_tier, at_ns)


def _is_usage_recorded(row: list[Any]) -> bool:
    return bool(row[_INPUT] or row[_OUTPUT] or row[_SEARCHES]) or row[_STATUS] == "error"


def _charge(row: list[Any], rates: Rates) -> None:
    total_input: int = row[_INPUT]
    cached_read, written_5m, written_1h = row[_CACHE_READ], row[_WRITE_5M], row[_WRITE_1H]
    tier = rates.for_input(total_input)
    cached = cached_read + written_5m + written_1h
    reasoning = min(row[_REASONING], row[_OUTPUT])
    fresh = max(total_input - cached, 0) * tier.input
    read = cached_read * tier.cache_read
    written = written_5m * tier.cache_write_5m + written_1h * tier.cache_write_1h
    output = (row[_OUTPUT] - reasoning) * tier.output + reasoning * tier.reasoning
    searches = row[_SEARCHES] * rates.web_search
    row[_COST] = _usd(fresh + read + written + output + searches)
    row[_INPUT_COST], row[_OUTPUT_COST] = _usd(fresh), _usd(output)
    row[_READ_COST], row[_WRITE_COST] = _usd(read), _usd(written)
    row[_UNCACHED_COST] = _usd(max(total_input, cached) * tier.input)
    row[_SOURCE], row[_VERSION] = rates.source, rates.version


def _take_reported(row: list[Any]) -> None:
    """Makes the sender's figure the cost; our parts keep their proportions, so that they still add up to it.

    Without a price of ours there are no proportions, and no parts: the cost is not split.
    """
    ours: Decimal | None = row[_COST]
    reported = min(Decimal(row[_REPORTED]), _usd(_MAX_PICO * _ATTO_PER_PICO)).quantize(_PICO_EXPONENT)
    if ours:
        rest = ours - sum(row[column] for column in _PARTS)  # what was paid for searches
        for column in _PARTS:
            row[column] = (row[column] * reported / ours).quantize(_PICO_EXPONENT, ROUND_DOWN)
        if not rest:
            largest = max(_PARTS, key=lambda column: row[column])
            row[largest] += reported - sum(row[column] for column in _PARTS)
    else:
        for column in _PARTS:
            row[column] = None
    row[_COST], row[_SOURCE], row[_VERSION] = reported, "reported", ""


_NOTHING: Final = 0 * _PICO_EXPONENT


def _usd(atto: int) -> Decimal:
    if not atto:
        return _NOTHING
    pico = (atto + _ATTO_PER_PICO // 2) // _ATTO_PER_PICO
    return min(pico, _MAX_PICO) * _PICO_EXPONENT
