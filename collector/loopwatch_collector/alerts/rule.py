"""What a rule is: a named query, a condition on one of its columns, and who is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

SEVERITIES: Final = ("critical", "warning", "info")
Source = Literal["delivered", "file", "stored"]


class Threshold(NamedTuple):
    """The value lies above, or below, a fixed number.

    Attributes:
        above: breached when the value is greater; None for a rule that looks below.
        below: breached when the value is less.
        clear: a firing alert ends only beyond this; between it and the threshold nothing changes.
    """

    above: float | None
    below: float | None
    clear: float


class Baseline(NamedTuple):
    """The value lies above what the same hour of past days makes us expect.

    Attributes:
        factor: how many times the expected value is too much.
        floor: a value up to this is never too much, however little was expected.
        spread: the value must also exceed the expected one by so many (scaled) median absolute deviations, and by a
            quarter the second-highest of the past days.
        days: how far back to look.
        min_days: with fewer past days on which the group had a value there is no baseline, and no alert.
        sample: a column that says on how many things the value rests; "" when the value is a sum.
        min_sample: with a smaller sample, now or on a past day, that reading says nothing.
        noise: a column that says how far chance alone moves the value; twice that is subtracted before the value is
            held against the threshold, so that one dear thing among few is no spike. "" subtracts nothing.
    """

    factor: float
    floor: float
    spread: float
    days: int
    min_days: int
    sample: str = ""
    min_sample: int = 1
    noise: str = ""


class Rate(NamedTuple):
    """The share of the value in a total lies above a threshold, with confidence.

    Attributes:
        of: columns whose sum is the total.
        above: the threshold; the lower end of Wilson's interval must exceed it.
        clear: a firing alert ends when the share itself is no greater than this.
        min_sample: with a smaller total there is no verdict.
        confidence: of the interval, two-sided.
    """

    of: tuple[str, ...]
    above: float
    clear: float
    min_sample: int
    confidence: float


class Absence(NamedTuple):
    """Nothing comes, although something should.

    Attributes:
        seen_within_s: only what was seen within this time before the window can be missed.
        min_days: so many past days like today (weekend or not) are needed to say what is usual at this hour.
        min_expected: each of them had at least so many in the window: with fewer, none may be chance.
    """

    seen_within_s: int
    min_days: int
    min_expected: float


class Forecast(NamedTuple):
    """The value will exceed a budget before the day or the month ends.

    Attributes:
        budget: of one period.
        period: day or month, by the rule's time zone.
        days: past days from which the rest of the period is foretold.
    """

    budget: float
    period: Literal["day", "month"]
    days: int


Condition = Threshold | Baseline | Rate | Absence | Forecast


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: unique within a project.
        title: what a message begins with.
        description: why it exists and what to do.
        query: a named query, or `collector` for the collector's own health.
        params: of the query.
        filters: values by dimension; any of them matches.
        value: the column that is judged.
        unit: of that column.
        group_by: the dimension that tells alerts apart; "" for one alert in all.
        group_column: the query's column that holds the group.
        condition: when it is breached.
        window_s: the stretch of time that is judged, ending now.
        every_s: how often it is evaluated while data comes.
        for_s: how long it must be breached before it fires.
        resolve_after_s: how long it must be clear before it is resolved.
        renotify_after_s: a firing alert nobody acknowledged is said again after so long; 0 for never.
        timezone: whose days and hours are meant.
        severity: critical, warning or info.
        labels: sent along with every message.
        notify: names of channels.
        evidence: the named query whose run ids a message links to.
        source: where it comes from.
        toml: its text.
    """

    name: str
    title: str
    query: str
    value: str
    unit: str
    condition: Condition
    window_s: int
    description: str = ""
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    group_by: str = ""
    group_column: str = ""
    every_s: int = 15
    for_s: int = 0
    resolve_after_s: int = 300
    renotify_after_s: int = 14_400
    timezone: str = "UTC"
    severity: str = "warning"
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    notify: tuple[str, ...] = ()
    evidence: str = "cost_top_runs"
    enabled: bool = True
    source: Source = "delivered"
    toml: str = ""


def kind_of(condition: Condition) -> str:
    """The word for a condition in TOML and in the API."""
    return type(condition).__name__.lower()
