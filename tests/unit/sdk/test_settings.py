"""Settings from an environment: where spans, prices and breakers go."""

from typing import Any

import pytest

from loopwatch import settings
from loopwatch.errors import ConfigurationError

OTLP = "OTEL_EXPORTER_OTLP_"


@pytest.mark.parametrize(
    ("environ", "traces_url", "metrics_url", "api_url"),
    [
        ({}, "http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/metrics", "http://127.0.0.1:4318"),
        ({"LOOPWATCH_ENDPOINT": "https://c/"}, "https://c/v1/traces", "https://c/v1/metrics", "https://c"),
        ({f"{OTLP}ENDPOINT": "http://o:1"}, "http://o:1/v1/traces", "http://o:1/v1/metrics", "http://o:1"),
        (
            {f"{OTLP}ENDPOINT": "http://o:1", f"{OTLP}TRACES_ENDPOINT": "http://t:2/in"},
            "http://t:2/in",
            "http://o:1/v1/metrics",
            "http://t:2/in",
        ),
        (
            {"LOOPWATCH_ENDPOINT": "http://c:1", f"{OTLP}ENDPOINT": "http://o:1"},
            "http://c:1/v1/traces",
            "http://c:1/v1/metrics",
            "http://c:1",
        ),
        ({f"{OTLP}PROTOCOL": "grpc"}, "http://127.0.0.1:4317", "http://127.0.0.1:4317", "http://127.0.0.1:4318"),
        (
            {f"{OTLP}PROTOCOL": "grpc", "LOOPWATCH_ENDPOINT": "http://c:9"},
            "http://c:4317",
            "http://c:4317",
            "http://c:9",
        ),
        (
            {f"{OTLP}TRACES_PROTOCOL": "grpc", f"{OTLP}ENDPOINT": "o:7", f"{OTLP}INSECURE": "true"},
            "http://o:7",
            "http://o:7",
            "http://o:4318",
        ),
        ({f"{OTLP}PROTOCOL": "grpc", f"{OTLP}ENDPOINT": "o:7"}, "https://o:7", "https://o:7", "https://o:4318"),
    ],
)
def test_addresses_follow_the_variables(
    environ: dict[str, str], traces_url: str, metrics_url: str, api_url: str
) -> None:
    """Ours before OTEL's; a signal's own before the general one; over gRPC what is missing is the other's host."""
    loaded = settings.load(environ)
    assert (loaded.traces_url, loaded.metrics_url, loaded.api_url) == (traces_url, metrics_url, api_url)


def test_variables_for_traces_go_before_the_general_ones() -> None:
    """Compression, timeout and headers of traces are taken where there are any."""
    environ = {
        f"{OTLP}COMPRESSION": "gzip",
        f"{OTLP}TRACES_COMPRESSION": "none",
        f"{OTLP}TIMEOUT": "1",
        f"{OTLP}TRACES_TIMEOUT": "2.5",
        f"{OTLP}HEADERS": "a=1",
        f"{OTLP}TRACES_HEADERS": "b=2",
    }
    loaded = settings.load(environ)
    assert (loaded.compression, loaded.timeout_s, loaded.headers) == ("none", 2.5, {"b": "2"})


def test_protocol_that_is_not_spoken_is_named() -> None:
    """OTLP/JSON is not: the message says what is."""
    with pytest.raises(ConfigurationError, match="'http/json': choose from http/protobuf, grpc"):
        settings.load({f"{OTLP}PROTOCOL": "http/json"})


def test_one_pattern_is_not_taken_apart() -> None:
    """Lists of patterns and prefixes are lists: one text is refused with how to write it."""
    wrong: Any = "ticket"
    with pytest.raises(ConfigurationError, match=r"redact_patterns=\['ticket'\].*keep_attributes=\['ticket'\]"):
        settings.load({}, redact_patterns=wrong, keep_attributes=wrong)


@pytest.mark.parametrize("name", ["LOOPWATCH_ENDPOINT", f"{OTLP}ENDPOINT"])
@pytest.mark.parametrize("path", ["/v1/traces", "/v1/traces/", "/v1/metrics"])
def test_path_of_a_signal_is_not_doubled(name: str, path: str) -> None:
    """Somebody who gives the whole URL where the base is wanted is understood."""
    read = settings.load({name: f"http://c:1{path}"})
    assert (read.traces_url, read.metrics_url) == ("http://c:1/v1/traces", "http://c:1/v1/metrics")
    assert read.api_url == "http://c:1"
