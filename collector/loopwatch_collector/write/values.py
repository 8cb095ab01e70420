"""OTLP attribute values as Python values, defensively: senders write numbers as text and text as JSON."""

import base64
import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

# The column types hold more; sums over many rows must too (10^15 tokens overflow a sum of Decimal costs).
MAX_COUNT: Final = 10**12
MAX_TEXT_CHARS: Final = 1_024
MAX_NS: Final = 2**63 - 1
_MAX_COST: Final = Decimal(100_000)
_COST_STEP: Final = Decimal("0.000000000001")
_MAX_DEPTH: Final = 32

Reader = Callable[[Any], Any]
"""From an AnyValue to a field's value; None when there is nothing of that type in it."""


def plain(value: Any, depth: int = 0) -> Any:
    """The Python value of an AnyValue; bytes as base64, as OTLP/JSON has them."""
    which = value.WhichOneof("value")
    if which is None or depth > _MAX_DEPTH:
        return None
    if which == "array_value":
        return [plain(item, depth + 1) for item in value.array_value.values]
    if which == "kvlist_value":
        return {item.key: plain(item.value, depth + 1) for item in value.kvlist_value.values}
    if which == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if which == "string_value_strindex":
        return None  # an index into a table that only profiles have
    return getattr(value, which)


def json_text(value: Any) -> str:
    """A JSON value as compact text; a text stays as it is."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # integers beyond 64 bits
        return str(value)


def content(value: Any) -> bytes | None:
    """Text or structure of any size, as text in UTF-8; None when empty."""
    text = value.string_value
    if text:
        return text.encode()
    found = plain(value)
    return None if found is None or found == "" else json_text(found).encode()


def attribute_text(value: Any) -> str:
    """Any value as the text an attribute map holds."""
    text = value.string_value
    if text:
        return text
    found = plain(value)
    if isinstance(found, bool):
        return "true" if found else "false"
    if found is None:
        return ""
    return found if isinstance(found, str) else json_text(found) if isinstance(found, list | dict) else str(found)


def text(value: Any) -> str | None:
    """A short text; numbers become text, structures are refused."""
    found = value.string_value
    if not found:
        found = plain(value)
        if found is None or found == "" or isinstance(found, list | dict):
            return None
        found = str(found)
    return found if len(found) <= MAX_TEXT_CHARS else found[:MAX_TEXT_CHARS]


def count(value: Any) -> int | None:
    """A whole number from 0 up; numbers written as text or as a float are read too."""
    found = value.int_value or plain(value)
    return count_of(found)


def count_of(found: Any) -> int | None:
    """The same for a value out of JSON."""
    if isinstance(found, bool) or found is None:
        return None
    if isinstance(found, str):
        try:
            found = float(found)
        except ValueError:
            return None
    if isinstance(found, float):
        if not math.isfinite(found):
            return None
        found = int(found)
    return found if isinstance(found, int) and 0 <= found <= MAX_COUNT else None


def seconds_as_ns(value: Any) -> int | None:
    """A duration in seconds, as ns."""
    return _scaled(value, 10**9)


def milliseconds_as_ns(value: Any) -> int | None:
    """A duration in milliseconds, as ns."""
    return _scaled(value, 10**6)


def _scaled(value: Any, factor: int) -> int | None:
    found = plain(value)
    try:
        number = float(found) * factor
    except (TypeError, ValueError):
        return None
    return int(number) if 0 <= number <= MAX_NS else None


def time_ns_of(text: str) -> int | None:
    """A time written in ISO 8601, as ns since the epoch; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000


def flag(value: Any) -> int | None:
    """A truth value as 0 or 1."""
    found = plain(value)
    if isinstance(found, str):
        found = {"true": True, "false": False}.get(found.lower())
    return int(found) if isinstance(found, bool) else None


def usd(value: Any) -> Decimal | None:
    """An amount in USD, to the picodollar."""
    return usd_of(plain(value))


def usd_of(found: Any) -> Decimal | None:
    """The same for a value out of JSON."""
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        amount = Decimal(str(found))
    except ArithmeticError:
        return None
    if not amount.is_finite() or not 0 <= amount < _MAX_COST:
        return None
    return amount.quantize(_COST_STEP)


def texts(value: Any) -> tuple[str, ...] | None:
    """Texts: an array, a JSON array written as text, or one text."""
    found = plain(value)
    if isinstance(found, str) and found.startswith("["):
        try:
            found = orjson.loads(found)
        except orjson.JSONDecodeError:
            return (found[:MAX_TEXT_CHARS],)
    if isinstance(found, str):
        return (found[:MAX_TEXT_CHARS],) if found else None
    if not isinstance(found, list):
        return None
    return tuple(str(item)[:MAX_TEXT_CHARS] for item in found[:64] if item is not None)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON of any shape


def first_text(value: Any) -> str | None:
    """The first of some texts; Logfire writes finish reasons as a JSON array in a text."""
    found = texts(value)
    return found[0] if found else None


def json_object(value: Any) -> dict[str, Any] | None:
    """A map, or a JSON object written as text."""
    found = plain(value)
    if isinstance(found, str):
        try:
            found = orjson.loads(found)
        except orjson.JSONDecodeError:
            return None
    return found if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType]  # JSON of any shape


def literal_object(value: Any) -> dict[str, Any] | None:
    """A JSON object, or one written as Python writes it, as LangSmith's details of tokens are."""
    found = json_object(value)
    text = value.string_value
    if found is None and text.startswith("{'"):
        try:
            found = orjson.loads(text.replace("'", '"').replace("None", "null"))
        except orjson.JSONDecodeError:
            return None
    return found


def unquoted(value: Any) -> str | None:
    """A short text that may be a JSON string within the text, as MLflow's values are."""
    found = text(value)
    if found is not None and found.startswith('"'):
        try:
            found = str(orjson.loads(found))
        except orjson.JSONDecodeError:
            return found
    return found
