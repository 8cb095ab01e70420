"""Rates: what one token of each kind costs, for one model, tier of service and moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

ATTO: Final = 10**18  # rates are whole atto-dollars, so that sums are exact before the one rounding at the end


@dataclass(frozen=True, slots=True)
class TokenRates:
    """Atto-dollars per token, from a number of input tokens on.

    Attributes:
        above_input_tokens: these rates hold for calls with more input tokens than this (long-context tiers).
        input: uncached input.
        output: output without reasoning.
        cache_read: input read from the provider's cache.
        cache_write_5m: input written to the cache for five minutes, or for the provider's only lifetime.
        cache_write_1h: input written to the cache for an hour.
        reasoning: output spent on reasoning.
    """

    above_input_tokens: int
    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    reasoning: int


@dataclass(frozen=True, slots=True)
class Rates:
    """All rates of one model.

    Attributes:
        tiers: by ascending `above_input_tokens`, the first from -1 on; the last that fits is the one that counts.
        web_search: atto-dollars per web search.
        source: where the price is from.
        version: the source's version.
        by_time_of_day: whether the price depends on the hour, so that a look-up holds for its minute only.
    """

    tiers: Sequence[TokenRates]
    web_search: int
    source: str
    version: str
    by_time_of_day: bool = False

    def for_input(self, input_tokens: int) -> TokenRates:
        """Returns the tier for a call with this many input tokens, cached ones included."""
        chosen = self.tiers[0]
        for tier in self.tiers[1:]:
            if input_tokens > tier.above_input_tokens:
                chosen = tier
        return chosen


def atto_per_token(usd_per_million: Decimal) -> int:
    """Converts USD per million tokens to whole atto-dollars per token."""
    return int((usd_per_million * (ATTO // 1_000_000)).to_integral_value())


def token_rates(above_input_tokens: int, usd_per_million: Mapping[str, Decimal]) -> TokenRates:
    """Fills the kinds of token that have no price of their own: cached input costs what input costs.

    Args:
        above_input_tokens: where the tier starts.
        usd_per_million: prices by the names of TokenRates; `input` and `output` at least.

    Returns:
        The rates of the tier.
    """
    price = {name: atto_per_token(value) for name, value in usd_per_million.items()}
    write_5m = price.get("cache_write_5m", price["input"])
    return TokenRates(
        above_input_tokens,
        input=price["input"],
        output=price["output"],
        cache_read=price.get("cache_read", price["input"]),
        cache_write_5m=write_5m,
        cache_write_1h=price.get("cache_write_1h", write_5m),
        reasoning=price.get("reasoning", price["output"]),
    )
