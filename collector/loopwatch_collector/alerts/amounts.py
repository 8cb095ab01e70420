"""Numbers with their units, as people read them."""

from typing import Final

from loopwatch_collector.alerts.durations import NS, format_duration

_MOST_EXTRA_DIGITS: Final = 9


def told_apart(value: float | None, threshold: float | None, unit: str) -> tuple[str, str]:
    """Writes a value and its threshold, with more digits where they differ and would read the same.

    Args:
        value: of the alert; None where there is none.
        threshold: what it is held against; None where there is none.
        unit: of both.

    Returns:
        "nothing" for no value, and an empty text for no threshold.
    """
    if value is None or threshold is None:
        said = "nothing" if value is None else format_value(value, unit)
        return said, "" if threshold is None else format_value(threshold, unit)
    for extra in range(_MOST_EXTRA_DIGITS + 1):
        both = format_value(value, unit, extra), format_value(threshold, unit, extra)
        if both[0] != both[1] or value == threshold:
            return both
    return repr(value), repr(threshold)


def format_value(value: float, unit: str, extra_digits: int = 0) -> str:
    """Writes a number with its unit, as people read it.

    Args:
        value: the number.
        unit: as queries name it: "usd", "ratio", "ns", "count" or another.
        extra_digits: how many more digits than usual; a duration is then in seconds.
    """
    if unit == "usd":
        return f"${value:,.{(2 if abs(value) >= 0.01 or value == 0 else 6) + extra_digits}f}"
    if unit == "ratio":
        return f"{value * 100:.{1 + extra_digits}f} %"
    if unit == "ns" and extra_digits:
        return f"{value / NS:.{2 + extra_digits}f} s"
    if unit == "ns":
        return format_duration(value / NS) if value >= NS else f"{value / 1e6:.0f} ms"
    return f"{value:,.{6 + extra_digits}g}" + ("" if unit in {"count", ""} else f" {unit}")
