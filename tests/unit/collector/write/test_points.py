"""Metrics of agents as points."""

import math
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from loopwatch_collector.store.rows import METRIC_POINT_COLUMNS
from loopwatch_collector.write.normalise import Origin
from loopwatch_collector.write.points import point_rows

ORIGIN = Origin("shop", 9, "till", "1", "production", "p1", {})


def _rows(metric: Metric) -> list[dict[str, Any]]:
    names = [column.name for column in METRIC_POINT_COLUMNS]
    return [dict(zip(names, row, strict=True)) for row in point_rows(metric, ORIGIN)]


def _pairs(**attributes: str) -> list[KeyValue]:
    return [KeyValue(key=key.replace("__", "."), value=AnyValue(string_value=text)) for key, text in attributes.items()]


def test_histogram_is_its_sum_and_count() -> None:
    """The token histogram of the conventions gives tokens as its sum, by kind, model and agent."""
    metric = Metric(name="gen_ai.client.token.usage", unit="{token}")
    metric.histogram.aggregation_temporality = 2
    metric.histogram.data_points.add(
        sum=120, count=3, time_unix_nano=5, start_time_unix_nano=2,
        attributes=_pairs(gen_ai__token__type="input", gen_ai__request__model="claude-opus-5-5",
                          gen_ai__agent__name="a"),
    )  # fmt: skip
    (row,) = _rows(metric)
    assert (row["value"], row["points"], row["is_cumulative"], row["token_kind"]) == (120, 3, 1, "input")
    assert (row["model"], row["agent"], row["service"], row["process_id"]) == ("claude-opus-5-5", "a", "till", "p1")


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        ("claude_code.token.usage", {"type": "cacheCreation"}, "cache_write"),
        ("gen_ai.client.inference.usage.cache_read.input_tokens", {}, "cache_read"),
        ("gen_ai.client.inference.usage.output_tokens", {}, "output"),
        ("gen_ai.client.operation.duration", {"type": "chat"}, ""),
    ],
)
def test_token_kind_comes_from_attribute_or_name(name: str, attributes: dict[str, str], expected: str) -> None:
    """Older conventions say the kind in an attribute, newer ones in the metric's name."""
    metric = Metric(name=name)
    metric.sum.data_points.add(as_int=1, time_unix_nano=5, attributes=_pairs(**attributes))
    assert [row["token_kind"] for row in _rows(metric)] == [expected]


def test_series_are_told_apart_by_all_that_names_them() -> None:
    """Points of one series share its hash at any time; another attribute, in whatever order, is another series."""
    metric = Metric(name="gen_ai.x")
    for attributes in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}, {"a": "1", "b": "3"}):
        metric.sum.data_points.add(as_int=1, time_unix_nano=5, attributes=_pairs(**attributes))
    one, same, other = [row["series"] for row in _rows(metric)]
    assert one == same != other


def test_points_without_a_number_or_a_time_are_left_out() -> None:
    """NaN, infinity, no value and no time give no row."""
    metric = Metric(name="gen_ai.x")
    for value, time_ns in ((math.nan, 5), (math.inf, 5), (1.0, 0), (1.0, 2**63)):
        metric.gauge.data_points.add(as_double=value, time_unix_nano=time_ns)
    metric.gauge.data_points.add(time_unix_nano=5)
    assert _rows(metric) == []
    assert _rows(Metric(name="gen_ai.empty")) == []


@pytest.mark.parametrize(
    ("form", "temporality", "is_monotonic", "expected"),
    [
        ("gauge", 0, False, ("gauge", 0)),
        ("sum", 1, True, ("counter", 0)),
        ("sum", 2, True, ("counter", 1)),
        ("sum", 1, False, ("counter", 0)),
        ("sum", 2, False, ("gauge", 1)),
        ("histogram", 2, False, ("distribution", 1)),
    ],
)
def test_kind_says_how_values_add_up(
    form: str, temporality: int, is_monotonic: bool, expected: tuple[str, int]
) -> None:
    """A gauge, and a running total that may fall, are how much there is; counters and histograms are what came."""
    metric = Metric(name="gen_ai.x")
    data = getattr(metric, form)
    data.data_points.add(time_unix_nano=5)
    if form != "histogram":
        data.data_points[0].as_int = 1
    if temporality:
        data.aggregation_temporality = temporality
    if is_monotonic:
        data.is_monotonic = True
    assert [(row["kind"], row["is_cumulative"]) for row in _rows(metric)] == [expected]
