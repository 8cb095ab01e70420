"""What model calls cost: the collector's prices, or genai-prices where it is installed and the collector has none.

Prices are fetched in the background, from the moment a call to a model begins; nobody waits for them.
"""

import json
import threading
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from loopwatch.faults import logger, swallow
from loopwatch.usage import Usage

Cost = Callable[[Usage], float]
_TOKENS_PER_RATE: Final = 1_000_000


class PriceBook:
    """Prices of the models this process calls.

    Args:
        fetch: asks the collector: given a path with its query, returns the body of a 200; None without a collector.
    """

    def __init__(self, fetch: Callable[[str], bytes] | None) -> None:
        self._fetch = fetch
        self._costs: dict[tuple[str, str], Cost | None] = {}
        self._asked: set[tuple[str, str, bool]] = set()
        self._lock = threading.Lock()

    def want(self, provider: str, model: str, needed: bool = True) -> None:
        """Begins to look a model up, once, in the background.

        Args:
            provider: the convention's name of who serves it, such as "anthropic".
            model: the model's name.
            needed: whether a cap depends on it: only then is genai-prices asked too, whose import is not cheap.
        """
        if (provider, model, needed) in self._asked:
            return
        with self._lock:
            self._asked |= {(provider, model, needed), (provider, model, False)}
        if self._fetch is None:
            self._look_up(provider, model, needed)
        else:
            work = (provider, model, needed)
            threading.Thread(target=self._look_up, args=work, name="loopwatch-prices", daemon=True).start()

    def _look_up(self, provider: str, model: str, needed: bool) -> None:
        cost: Cost | None = None
        try:
            cost = self._from_collector(provider, model)
            if cost is None and (needed or self._fetch is None):
                cost = _from_genai_prices(provider, model)
        except Exception as fault:  # noqa: BLE001 - a price that cannot be had must not stop anything
            swallow("prices", fault)
        if cost is None:
            logger.info("loopwatch: model %r has no price here; what it costs is not known", model)
        self._costs[provider, model] = cost

    def _from_collector(self, provider: str, model: str) -> Cost | None:
        if self._fetch is None:
            return None
        query = urlencode({"model": model, **({"provider": provider} if provider else {})})
        try:
            listed = json.loads(self._fetch(f"/api/v1/prices?{query}"))["prices"]
        except (OSError, ValueError, KeyError) as fault:
            logger.debug("loopwatch: the collector gave no price for %r: %s", model, fault)
            return None
        return _by_tiers(listed[0]["tiers"]) if listed else None

    def is_known(self, provider: str, model: str) -> bool:
        """Whether the look-up has ended."""
        return (provider, model) in self._costs

    def cost_usd(self, used: Usage) -> float | None:
        """Returns what a call cost, or None if its model has no price, or none yet."""
        cost = self._costs.get((used.provider, used.model))
        return None if cost is None else cost(used)


def _by_tiers(tiers: list[dict[str, Any]]) -> Cost:
    """USD per million tokens; the last tier that the input exceeds holds for the whole call."""

    def cost(used: Usage) -> float:
        above = [tier for tier in tiers if used.input_tokens > tier["above_input_tokens"]]
        rates = above[-1] if above else tiers[0]
        output = float(rates["output"] or 0)
        reasoning = rates.get("reasoning")
        hour = min(used.cache_write_1h_tokens, used.cache_write_tokens)
        parts = (
            (max(used.input_tokens - used.cache_read_tokens - used.cache_write_tokens, 0), rates["input"]),
            (used.cache_read_tokens, rates.get("cache_read") or rates["input"]),
            (used.cache_write_tokens - hour, rates.get("cache_write_5m") or rates["input"]),
            (hour, rates.get("cache_write_1h") or rates["input"]),
            (used.output_tokens - used.reasoning_tokens, output),
            (used.reasoning_tokens, output if reasoning is None else reasoning),
        )
        return sum(tokens * float(rate) for tokens, rate in parts) / _TOKENS_PER_RATE

    return cost


def _from_genai_prices(provider: str, model: str) -> Cost | None:
    try:
        import genai_prices  # optional, and slow to import
    except ImportError:
        return None

    def cost(used: Usage) -> float:
        counted = genai_prices.Usage(
            input_tokens=used.input_tokens,
            cache_read_tokens=used.cache_read_tokens,
            cache_write_tokens=used.cache_write_tokens,
            output_tokens=used.output_tokens,
        )
        return float(genai_prices.calc_price(counted, model_ref=model, provider_id=provider or None).total_price)

    try:
        cost(Usage("", provider, model, 1, 1, 0, 0, 0, 0))
    except LookupError:
        return None
    return cost
