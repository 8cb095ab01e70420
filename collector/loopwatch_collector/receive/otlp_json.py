"""OTLP/JSON as the protobuf message it stands for.

OTLP deviates from protobuf's JSON mapping: ids are hex, and unknown fields are ignored. The parser of the
protobuf library would take a hex id for base64 and make 24 wrong bytes of it without a word, so ids are
rewritten before it sees them (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding").
"""

import base64
import binascii
from typing import Any, Final, TypeVar, cast

import orjson
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from loopwatch_collector.errors import RequestRefused, TooLarge
from loopwatch_collector.receive import json_text

_IDS: Final = ("traceId", "spanId", "parentSpanId")
# Where ids occur: the lists that lead from a request to spans, links, log records, data points and exemplars.
_LISTS: Final = frozenset(
    {
        "resourceSpans", "scopeSpans", "spans", "links",
        "resourceLogs", "scopeLogs", "logRecords",
        "resourceMetrics", "scopeMetrics", "metrics", "dataPoints", "exemplars",
    }
)  # fmt: skip
_POINTS: Final = frozenset({"gauge", "sum", "histogram", "exponentialHistogram", "summary"})

# The protobuf library takes 14 µs for each, which a small body of nothing but braces would multiply.
_MAX_OBJECTS: Final = 300_000

M = TypeVar("M", bound=Message)


def parse(body: bytes, message: M) -> M:
    """Reads OTLP/JSON.

    Args:
        body: the JSON text.
        message: the empty export request to fill.

    Returns:
        The message.

    Raises:
        RequestRefused: it is not JSON, or not of that message's shape.
        TooLarge: it holds more objects than a request of any use.
    """
    if body.count(b"{") > _MAX_OBJECTS:
        raise TooLarge(f"the body holds over {_MAX_OBJECTS} JSON objects; send smaller batches, or protobuf")
    try:
        value = json_text.loads(body)
    except orjson.JSONDecodeError as fault:
        raise RequestRefused(f"the body is not JSON: {fault}") from fault
    if not isinstance(value, dict):
        raise RequestRefused("the body is not a JSON object")
    try:
        request = cast("dict[str, Any]", value)
        _rewrite_ids(request)
        return ParseDict(request, message, ignore_unknown_fields=True, max_recursion_depth=64)
    except (ParseError, ValueError, TypeError, RecursionError, AttributeError, KeyError) as fault:
        # The library lets Python's own errors through for shapes it does not expect.
        raise RequestRefused(f"the body is not OTLP/JSON: {str(fault)[:300]}") from fault


def _rewrite_ids(node: dict[str, Any]) -> None:
    for key, value in node.items():
        if key in _IDS and isinstance(value, str):
            node[key] = _base64_of_hex(value)
        elif key in _LISTS and isinstance(value, list):
            for item in cast("list[Any]", value):
                if isinstance(item, dict):
                    _rewrite_ids(cast("dict[str, Any]", item))
        elif key in _POINTS and isinstance(value, dict):
            _rewrite_ids(cast("dict[str, Any]", value))


def _base64_of_hex(text: str) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(text)).decode()
    except (binascii.Error, ValueError):
        return ""  # no id of the right length: the span is rejected, the rest is kept
