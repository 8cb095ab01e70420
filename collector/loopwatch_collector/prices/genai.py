"""The one module that knows genai-prices: model, tier of service and time in, rates out.

Its bundled snapshot is used; its network update stays off.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from loopwatch_collector.prices.rates import ATTO, Rates, TokenRates, token_rates

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

# gen_ai.provider.name of the conventions -> provider of genai-prices, where they differ
_PROVIDERS: Final[Mapping[str, str]] = {
    "aws.bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "x_ai": "x-ai",
}
# What senders call the service -> the contexts genai-prices knows. It ignores unknown ones silently.
_CONTEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "batch": {"processing": "batch"},
    "fast": {"speed": "fast", "service_tier": "fast"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
_PRICE_FIELDS: Final[Mapping[str, str]] = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
}


def genai_rates(provider: str, model: str, service_tier: str, at_ns: int) -> Rates | None:
    """Looks a model's rates up.

    Args:
        provider: as in gen_ai.provider.name; empty if the sender did not say.
        model: the response's model, else the request's.
        service_tier: batch, fast, flex, priority, or anything else for the standard one.
        at_ns: when the call started, ns since the epoch.

    Returns:
        The rates, or None for a model that genai-prices does not know or does not price by token.
    """
    from genai_prices import Usage, __version__, calc_price

    try:
        found = calc_price(
            Usage(input_tokens=0, output_tokens=0),
            model,
            provider_id=_provider_id(provider),
            genai_request_timestamp=datetime.fromtimestamp(at_ns / 1e9, UTC),
            price_context=dict(_CONTEXTS.get(service_tier, {})) or None,
        )
    except LookupError:
        return None
    tiers = _tiers(found.model_price)
    if not tiers:
        return None
    searches = found.model_price.web_searches_kcount
    return Rates(
        tiers,
        web_search=int(searches * ATTO / 1000) if isinstance(searches, Decimal) else 0,
        source="genai-prices",
        version=__version__,
        by_time_of_day=_by_time_of_day(found.model),
    )


def _provider_id(provider: str) -> str | None:
    from genai_prices.data_snapshot import get_snapshot

    name = _PROVIDERS.get(provider, provider)
    known = any(entry.id == name for entry in get_snapshot().providers)
    return name if known else None


def _tiers(price: "ModelPrice") -> list[TokenRates]:
    from genai_prices.types import TieredPrices

    fields = {name: getattr(price, field) for name, field in _PRICE_FIELDS.items()}
    fields = {name: value for name, value in fields.items() if value is not None}
    if "input" not in fields:
        return []
    fields.setdefault("output", Decimal(0))  # an embedding has no output
    starts: set[int] = set()
    for value in fields.values():
        if isinstance(value, TieredPrices):
            starts.update(tier.start for tier in value.tiers)
    return [token_rates(start, _prices_above(fields, start)) for start in (-1, *sorted(starts))]


def _prices_above(fields: Mapping[str, object], start: int) -> dict[str, Decimal]:
    return {name: _price_above(value, start) for name, value in fields.items()}


def _price_above(value: object, start: int) -> Decimal:
    from genai_prices.types import TieredPrices

    if not isinstance(value, TieredPrices):
        return Decimal(str(value))
    return [value.base, *(tier.price for tier in value.tiers if tier.start <= start)][-1]


def _by_time_of_day(model: "ModelInfo") -> bool:
    from genai_prices.types import TimeOfDateConstraint

    entries = [*(model.prices if isinstance(model.prices, list) else []), *(model.price_variants or [])]
    return any(isinstance(entry.constraint, TimeOfDateConstraint) for entry in entries)
