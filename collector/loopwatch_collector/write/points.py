"""Metrics of agents as points: tokens, cost, durations, and what SDKs dropped."""

import math
from collections.abc import Iterator
from typing import Any, Final

from loopwatch_collector.write import values
from loopwatch_collector.write.contents import identity_hash
from loopwatch_collector.write.normalise import Origin

_CUMULATIVE: Final = 2
_AGENT: Final = ("gen_ai.agent.name", "agent.name")
_PROVIDER: Final = ("gen_ai.provider.name", "gen_ai.system")
_MODEL: Final = ("gen_ai.response.model", "gen_ai.request.model", "model")
_TOKEN_KIND: Final = ("gen_ai.token.type", "type")
_TOKEN_KINDS: Final = {
    "input": "input",
    "output": "output",
    "completion": "output",
    "cacheRead": "cache_read",
    "cacheCreation": "cache_write",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
    "reasoning": "reasoning",
}
# Newer conventions put the kind into the metric's name.
_KIND_BY_NAME: Final = (
    ("cache_read.input_tokens", "cache_read"),
    ("cache_write.input_tokens", "cache_write"),
    ("reasoning.output_tokens", "reasoning"),
    ("input_tokens", "input"),
    ("output_tokens", "output"),
)


def point_rows(metric: Any, origin: Origin) -> Iterator[list[Any]]:
    """The rows of one metric.

    Args:
        metric: an OTLP Metric that is kept.
        origin: what its resource says.

    Yields:
        Values in the order of METRIC_POINT_COLUMNS, one for each data point that holds a number.
    """
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    is_cumulative = getattr(data, "aggregation_temporality", 0) == _CUMULATIVE or kind == "summary"
    shape = _kind_of(kind, data, is_cumulative)
    for point in data.data_points:
        value, count = _value(kind, point)
        if math.isfinite(value) and 0 < point.time_unix_nano <= values.MAX_NS:
            yield _row(metric, point, origin, value, count, (int(is_cumulative), shape))


def _value(kind: str, point: Any) -> tuple[float, int]:
    if kind in {"gauge", "sum"}:
        which = point.WhichOneof("value")
        return (float(getattr(point, which)), 1) if which else (math.nan, 0)
    return point.sum, point.count


def _kind_of(kind: str, data: Any, is_cumulative: bool) -> str:
    """What the values of a metric are; a running total that may fall says how much there is, as a gauge does."""
    if kind == "gauge" or (kind == "sum" and is_cumulative and not data.is_monotonic):
        return "gauge"
    return "counter" if kind == "sum" else "distribution"


def _row(metric: Any, point: Any, origin: Origin, value: float, count: int, counted: tuple[int, str]) -> list[Any]:
    found = {pair.key[:256]: values.attribute_text(pair.value)[: values.MAX_TEXT_CHARS] for pair in point.attributes}
    identity = "\x00".join(
        (metric.name, origin.service, origin.process_id, *sorted(f"{k}\x01{v}" for k, v in found.items()))
    )
    return [
        origin.project,
        metric.name[: values.MAX_TEXT_CHARS],
        point.time_unix_nano,
        identity_hash(identity.encode()),
        origin.row_version,
        min(point.start_time_unix_nano, values.MAX_NS),
        *counted,
        metric.unit[:64],
        value,
        count,
        origin.service,
        origin.environment,
        origin.process_id,
        _first(found, _AGENT),
        _first(found, _PROVIDER),
        _first(found, _MODEL),
        _token_kind(metric.name, found),
        found,
    ]


def _first(found: dict[str, str], names: tuple[str, ...]) -> str:
    return next((found[name] for name in names if found.get(name)), "")


def _token_kind(name: str, found: dict[str, str]) -> str:
    said = _TOKEN_KINDS.get(_first(found, _TOKEN_KIND), "")
    return said or next((kind for suffix, kind in _KIND_BY_NAME if name.endswith(suffix)), "")
