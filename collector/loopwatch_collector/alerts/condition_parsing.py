"""A rule's condition from its TOML table."""

import math
from collections.abc import Callable
from typing import Any, Final

from loopwatch_collector.alerts.conditions import ABSENCE_DAYS
from loopwatch_collector.alerts.durations import parse_duration
from loopwatch_collector.alerts.rule import Absence, Baseline, Condition, Forecast, Rate, Threshold


def parse_condition(value: Any) -> Condition:
    """Reads a condition.

    Args:
        value: a table with `kind` and what that kind takes.

    Raises:
        ValueError: something is missing, unknown or out of range.
    """
    if not isinstance(value, dict):
        raise ValueError("must be a table, such as { kind = 'threshold', above = 50 }")  # noqa: TRY004 one class of fault
    table = _Table(value)  # pyright: ignore[reportUnknownArgumentType]  # of a TOML table
    kind = table.take("kind", str, "")
    if kind not in CONDITION_KINDS:
        raise ValueError(f"kind must be one of {', '.join(CONDITION_KINDS)}, not '{kind}'")
    condition = CONDITION_KINDS[kind](table)
    table.refuse_rest(kind)
    return condition


class _Table:
    def __init__(self, values: dict[str, Any]) -> None:
        self._values = dict(values)

    def take(self, key: str, kind: type, default: Any = ...) -> Any:
        if key not in self._values:
            if default is ...:
                raise ValueError(f"needs '{key}'")
            return default
        value = self._values.pop(key)
        if isinstance(value, bool) or not isinstance(value, kind):
            raise ValueError(f"{key} must be {_WORDS[kind]}, not {value!r}")  # noqa: TRY004 one class of fault
        return value

    def number(self, key: str, default: Any = ...) -> Any:
        if key in self._values and not isinstance(self._values[key], bool) and isinstance(self._values[key], int):
            self._values[key] = float(self._values[key])
        value = self.take(key, float, default)
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{key} must be a finite number, not {value}")
        return value

    def seconds(self, key: str, default: str) -> int:
        return parse_duration(self.take(key, str, default))

    def refuse_rest(self, kind: str) -> None:
        if self._values:
            raise ValueError(f"a {kind} has no '{next(iter(self._values))}'")


_WORDS: Final = {str: "a text", float: "a number", int: "a whole number", list: "a list"}


def _threshold(table: _Table) -> Threshold:
    above, below = table.number("above", None), table.number("below", None)
    if (above is None) == (below is None):
        raise ValueError("needs either 'above' or 'below'")
    clear = table.number("clear", above if above is not None else below)
    if (above is not None and clear > above) or (below is not None and clear < below):
        raise ValueError("clear must lie on the quiet side of the threshold")
    return Threshold(above, below, clear)


def _baseline(table: _Table) -> Baseline:
    baseline = Baseline(
        factor=table.number("factor", 2.0),
        floor=table.number("floor"),
        spread=table.number("spread", 4.0),
        days=table.take("days", int, 28),
        min_days=table.take("min_days", int, 3),
        sample=table.take("sample", str, ""),
        min_sample=table.take("min_sample", int, 1),
        noise=table.take("noise", str, ""),
    )
    if baseline.factor <= 1 or baseline.floor < 0 or baseline.spread < 0:
        raise ValueError("factor must exceed 1, floor and spread must not be negative")
    if baseline.min_sample < 1:
        raise ValueError("min_sample must be at least 1")
    if not 1 <= baseline.min_days <= baseline.days <= 60:
        raise ValueError("min_days must be at least 1, days at least min_days and at most 60")
    return baseline


def _rate(table: _Table) -> Rate:
    columns = table.take("of", list)
    above = table.number("above")
    rate = Rate(
        of=tuple(str(column) for column in columns),
        above=above,
        clear=table.number("clear", above),
        min_sample=table.take("min_sample", int, 20),
        confidence=table.number("confidence", 0.95),
    )
    if not rate.of or not 0 <= rate.above < 1 or not 0 <= rate.clear <= rate.above:
        raise ValueError("of must name columns, above lie in [0, 1) and clear in [0, above]")
    if rate.min_sample < 1 or not 0.5 <= rate.confidence < 1:
        raise ValueError("min_sample must be at least 1 and confidence lie in [0.5, 1)")
    return rate


def _absence(table: _Table) -> Absence:
    absence = Absence(
        table.seconds("seen_within", "1d"), table.take("min_days", int, 3), table.number("min_expected", 10.0)
    )
    if absence.seen_within_s < 1 or not 1 <= absence.min_days <= ABSENCE_DAYS or absence.min_expected <= 0:
        raise ValueError(
            f"seen_within must be at least 1s, min_days lie between 1 and {ABSENCE_DAYS}, min_expected exceed 0"
        )
    return absence


def _forecast(table: _Table) -> Forecast:
    forecast = Forecast(table.number("budget"), table.take("period", str), table.take("days", int, 7))
    if forecast.period not in {"day", "month"} or forecast.budget <= 0:
        raise ValueError("period must be day or month, and budget above 0")
    if not 3 <= forecast.days <= 28:
        raise ValueError("days must lie between 3 and 28")
    return forecast


CONDITION_KINDS: Final[dict[str, Callable[[_Table], Condition]]] = {
    "threshold": _threshold,
    "baseline": _baseline,
    "rate": _rate,
    "absence": _absence,
    "forecast": _forecast,
}
