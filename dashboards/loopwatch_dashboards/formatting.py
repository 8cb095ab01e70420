"""Numbers as a reader wants them: three significant digits, a unit, never a false precision."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeGuard

NOTHING = "–"
_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BINARY_SCALES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _trimmed(value: float, digits: int = 3) -> str:
    """The value with at most `digits` significant digits and no zeros at the end."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: Any) -> str:
    """A whole number as 950, 9,950 or 12.3k; a mean as 12.3."""
    if not _is_number(value):
        return NOTHING
    if abs(value) < 10_000:
        return f"{value:,}" if float(value).is_integer() and isinstance(value, int) else _small(value)
    for position, (scale, letter) in enumerate(_SCALES):
        if abs(value) >= scale:
            text = _trimmed(value / scale)
            # 999,950 rounds to 1000k: say 1M.
            return f"1{_SCALES[position - 1][1]}" if text == "1000" and position else f"{text}{letter}"
    return _trimmed(value)


def _small(value: float) -> str:
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else _trimmed(value)


def usd(value: Any) -> str:
    """A cost: $0.0042, $1.23, $1,234; an unknown one is a dash, never $0."""
    if not _is_number(value):
        return NOTHING
    sign, size = ("-" if value < 0 else ""), abs(value)
    if size == 0:
        return "$0"
    if size < 0.000_001:
        return f"{sign}<$0.000001"
    if size < 0.1:
        return f"{sign}${size:.{1 - math.floor(math.log10(size))}f}"
    return f"{sign}${size:,.2f}" if size < 1000 else f"{sign}${size:,.0f}"


def duration(value_ns: Any) -> str:
    """A duration in nanoseconds as 850 µs, 12 ms, 3.2 s, 1 m 20 s, 2 h 5 m or 3 d 4 h."""
    if not _is_number(value_ns):
        return NOTHING
    if value_ns == 0:
        return "0 s"
    sign, size = ("-" if value_ns < 0 else ""), abs(value_ns)
    if size < 1e3:
        return f"{sign}{_trimmed(size)} ns"
    if size < 999.5e3:
        return f"{sign}{_trimmed(size / 1e3)} µs"
    if size < 999.5e6:
        return f"{sign}{_trimmed(size / 1e6)} ms"
    if size < 59.95e9:
        return f"{sign}{_trimmed(size / 1e9)} s"
    return sign + _long_duration(round(size / 1e9))


def _long_duration(seconds: int) -> str:
    for larger, smaller, size, part in (("d", "h", 86_400, 3_600), ("h", "m", 3_600, 60), ("m", "s", 60, 1)):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size} {larger}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"


def ratio(value: Any) -> str:
    """A share of 0..1 as 6.3 %."""
    if not _is_number(value):
        return NOTHING
    percent = value * 100
    if 0 < abs(percent) < 0.05:
        return "<0.1 %"
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %"


def size(value_bytes: Any) -> str:
    """A size in bytes as 812 B, 1.2 KiB."""
    if not _is_number(value_bytes):
        return NOTHING
    for scale, unit in _BINARY_SCALES:
        if value_bytes >= scale:
            return f"{_trimmed(value_bytes / scale)} {unit}"
    return f"{_trimmed(value_bytes)} B"


def parse_time(value: Any) -> datetime | None:
    """A time of the API (ISO 8601 in UTC, or epoch milliseconds) as an aware datetime."""
    if isinstance(value, str) and value:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if _is_number(value):
        return datetime.fromtimestamp(value / 1000, UTC)
    return None


def time(value: Any, zone: tzinfo = UTC) -> str:
    """A time of the API as 2026-11-21 03:08:41 in `zone`."""
    moment = parse_time(value)
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment else NOTHING


def plural(number: Any, noun: str, nouns: str | None = None) -> str:
    """1 run, 2 runs, 12.3k runs."""
    return f"{count(number)} {noun if number == 1 else nouns or noun + 's'}"


def times(value: Any) -> str:
    """A factor as 13.1 ×."""
    return f"{_trimmed(value) if value < 1000 else count(value)} ×" if _is_number(value) else NOTHING


FORMATS: dict[str, Callable[[Any], str]] = {
    "runs": count,
    "calls": count,
    "tokens": count,
    "count": count,
    "usd": usd,
    "ns": duration,
    "ratio": ratio,
    "bytes": size,
    "times": times,
    "time": time,
}


def of_unit(value: Any, unit: str) -> str:
    """Formats a value of a query's column by the unit the column has."""
    if value is None:
        return NOTHING
    return FORMATS.get(unit, str)(value)


def told_apart(value: Any, other: Any, unit: str) -> tuple[str, str]:
    """Two values of a unit, with more digits where they differ and would read the same."""
    said = of_unit(value, unit), of_unit(other, unit)
    if said[0] != said[1] or value == other or not _is_number(value) or not _is_number(other):
        return said
    scale, before, after = _EXACT.get(unit, (1, "", ""))
    pairs = ((_exact(value / scale, digits), _exact(other / scale, digits)) for digits in range(3, 16))
    left, right = next((pair for pair in pairs if pair[0] != pair[1]), (repr(value / scale), repr(other / scale)))
    return f"{before}{left}{after}", f"{before}{right}{after}"


def _exact(value: float, digits: int) -> str:
    return f"{value:,.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}" if value else "0"


# How a value of a unit is written with all its digits: what it is divided by, and what stands before and after it.
_EXACT: dict[str, tuple[float, str, str]] = {"usd": (1, "$", ""), "ratio": (0.01, "", " %"), "ns": (1e9, "", " s")}


def change(now: Any, before: Any) -> str | None:
    """The relative change against the period before: +12 %; None where there is nothing to compare with."""
    if not _is_number(now) or not _is_number(before) or before == 0:
        return None
    relative = (now - before) / abs(before)
    if abs(relative) < 0.0005:
        return "0 %"
    if relative >= 9.995:
        return f"+{times(round(relative))}"
    return f"{relative * 100:+.0f} %" if abs(relative) >= 0.0995 else f"{relative * 100:+.1f} %"


def points(now: Any, before: Any) -> str | None:
    """The change of a share in percentage points: +1.2 pp."""
    if not _is_number(now) or not _is_number(before):
        return None
    difference = (now - before) * 100
    return "0 pp" if abs(difference) < 0.05 else f"{difference:+.1f} pp"
