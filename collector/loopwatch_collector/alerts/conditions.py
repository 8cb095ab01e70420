"""Conditions judged: pure functions from readings to a verdict per group.

A condition asks for the ranges it needs through `read` and nothing else, so an evaluation now, a replay over
history and a test with made-up numbers are the same code.
"""

import math
from collections.abc import Callable, Collection, Mapping
from functools import cache
from itertools import pairwise
from statistics import NormalDist, mean, median
from typing import Final, Literal, NamedTuple

from loopwatch_collector.alerts.amounts import format_value
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.ranges import (
    Range,
    aligned,
    day_of,
    days_earlier,
    is_weekend,
    midnights,
    month_of,
    past_windows,
    window_ending,
)
from loopwatch_collector.alerts.rule import Absence, Baseline, Forecast, Rate, Rule, Threshold

Group = str
"""The value of the rule's `group_by` dimension; "" for a rule without one."""

Values = Mapping[str, float | None]
Read = Callable[[Range], Mapping[Group, Values]]
"""Answers the rule's query for a range: the numeric columns of each group that has rows."""

# Past ranges end on this grid, so that their answers can be kept from one evaluation to the next.
PAST_STEP_S: Final = 900
_MAD_TO_SIGMA: Final = 1.4826
_RECENT_DAYS: Final = 7
_TAIL_FACTOR: Final = 1.25
_NOISE_FACTOR: Final = 2.0
ABSENCE_DAYS: Final = 28
_FORETOLD_FROM_DAYS: Final = 3
_DAY_NS: Final = 86_400 * NS


class Verdict(NamedTuple):
    """What one group's readings say.

    Attributes:
        state: breach; clear; hold (between threshold and clear, or too little to tell: nothing changes).
        value: what was judged; None when there was nothing.
        threshold: what it was held against; None when there is none yet.
        detail: the reason, where value and threshold do not say it.
    """

    state: Literal["breach", "hold", "clear"]
    value: float | None
    threshold: float | None
    detail: str = ""


def judge(rule: Rule, now_ns: int, read: Read, active: Collection[Group] = ()) -> dict[Group, Verdict]:
    """Judges every group of a rule.

    Args:
        rule: the rule.
        now_ns: the moment, ns since the epoch.
        read: answers the rule's query.
        active: groups with a pending or firing alert: they get a verdict even when they have no rows any more.

    Returns:
        A verdict by group.
    """
    condition = rule.condition
    if isinstance(condition, Absence):
        return _judge_absence(rule, condition, now_ns, read, active)
    if isinstance(condition, Forecast):
        return _judge_forecast(rule, condition, now_ns, read, active)
    current = read(window_ending(now_ns, rule.window_s))
    groups = {*current, *active}
    if isinstance(condition, Threshold):
        return {group: _judge_threshold(condition, _value(current, group, rule)) for group in groups}
    if isinstance(condition, Rate):
        return {group: _judge_rate(condition, rule, current.get(group, {})) for group in groups}
    return _judge_baseline(rule, condition, now_ns, current, groups, read)


def _value(readings: Mapping[Group, Values], group: Group, rule: Rule) -> float | None:
    return readings.get(group, {}).get(rule.value)


def _judge_threshold(condition: Threshold, value: float | None) -> Verdict:
    above = condition.above is not None
    threshold = condition.above if condition.above is not None else condition.below
    if value is None or threshold is None:
        return Verdict("clear" if above else "hold", value, threshold, "no data in the window")
    if (value > threshold) if above else (value < threshold):
        return Verdict("breach", value, threshold)
    beyond = (value <= condition.clear) if above else (value >= condition.clear)
    return Verdict("clear" if beyond else "hold", value, threshold)


def _judge_rate(condition: Rate, rule: Rule, values: Values) -> Verdict:
    total = sum(values.get(column) or 0 for column in condition.of)
    hits = values.get(rule.value) or 0
    if total <= 0:
        return Verdict("clear", None, condition.above, "nothing in the window")
    share = hits / total
    detail = f"{hits:.0f} of {total:.0f}"
    if total < condition.min_sample:
        state = "clear" if share <= condition.clear else "hold"
        return Verdict(
            state, share, condition.above, f"{detail}: fewer than {condition.min_sample} are too few to tell"
        )
    if wilson_low(hits, total, condition.confidence) > condition.above:
        return Verdict("breach", share, condition.above, detail)
    return Verdict("clear" if share <= condition.clear else "hold", share, condition.above, detail)


def wilson_low(hits: float, total: float, confidence: float) -> float:
    """The lower end of Wilson's interval of a share.

    Args:
        hits: 0 to total.
        total: at least 1.
        confidence: two-sided, such as 0.95.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    z = _normal_quantile(0.5 + confidence / 2)
    share = hits / total
    centre = share + z * z / (2 * total)
    margin = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, (centre - margin) / (1 + z * z / total))


@cache
def _normal_quantile(probability: float) -> float:
    return NormalDist().inv_cdf(probability)


def _judge_baseline(
    rule: Rule,
    condition: Baseline,
    now_ns: int,
    current: Mapping[Group, Values],
    groups: Collection[Group],
    read: Read,
) -> dict[Group, Verdict]:
    verdicts: dict[Group, Verdict] = {}
    over_floor: list[Group] = []
    for group in groups:
        value = _value(current, group, rule)
        if value is None or value <= condition.floor:
            verdicts[group] = Verdict("clear", value, condition.floor, "within the floor")
        elif not _is_large_enough(condition, current[group]):
            verdicts[group] = Verdict("hold", value, None, f"fewer than {condition.min_sample} are too few to tell")
        else:
            over_floor.append(group)
    if over_floor:  # the past is read only when there is something to hold against it
        past = _past_values(rule, condition, now_ns, read)
        for group in over_floor:
            noise = current[group].get(condition.noise) or 0.0
            verdicts[group] = _against_past(
                condition, rule.unit, _value(current, group, rule) or 0.0, noise, past, group
            )
    return verdicts


PastDays = list[tuple[int, bool, Mapping[Group, float]]]
"""(days ago, whether it was like today: weekend or not, values by group) for each past day, the latest first."""


def _is_large_enough(condition: Baseline, values: Values) -> bool:
    return not condition.sample or (values.get(condition.sample) or 0) >= condition.min_sample


def _past_values(rule: Rule, condition: Baseline, now_ns: int, read: Read) -> PastDays:
    end_ns = aligned(now_ns, PAST_STEP_S)
    today = is_weekend(end_ns, rule.timezone)
    past: PastDays = []
    for ago, window in past_windows(end_ns, rule.window_s, condition.days, rule.timezone):
        readings = read(window)
        values = {
            group: row.get(rule.value) or 0.0 for group, row in readings.items() if _is_large_enough(condition, row)
        }
        past.append((ago, is_weekend(window.to_ns, rule.timezone) == today, values))
    return past


def _against_past(condition: Baseline, unit: str, value: float, noise: float, past: PastDays, group: Group) -> Verdict:
    expected, deviation, days = expected_value(past, group, is_sum=not condition.sample)
    if days < condition.min_days:
        detail = f"no baseline yet: seen on {days} of the {condition.min_days} days that are needed"
        return Verdict("hold", value, None, detail)
    bounds = (condition.factor * expected, expected + condition.spread * deviation, _TAIL_FACTOR * _tail(past, group))
    threshold = max(condition.floor, *bounds)
    detail = f"usually {format_value(expected, unit)} at this hour"
    if threshold < value <= threshold + _NOISE_FACTOR * noise:
        return Verdict("hold", value, threshold, f"{detail}; what is over may be chance")
    return Verdict("breach" if value > threshold else "clear", value, threshold, detail)


def _tail(past: PastDays, group: Group) -> float:
    """The second-highest value of past days like today: what happens by chance, one bad day left out."""
    values = sorted(values.get(group, 0.0) for _, is_alike, values in past if is_alike)
    return values[-2] if len(values) >= 2 else 0.0


def expected_value(past: PastDays, group: Group, *, is_sum: bool = True) -> tuple[float, float, int]:
    """What a group usually has at this hour.

    Days like today (weekend or not) speak; all days where there are too few of them. Growth is minded by taking
    the larger of the median over all of them and over those of the last week.

    Args:
        past: values of past days.
        group: whose.
        is_sum: a day without a value counts as zero; otherwise it says nothing.

    Returns:
        The expected value, the scaled median absolute deviation, and on how many days the group was seen.
    """
    seen = [ago for ago, _, values in past if values.get(group)]
    if not seen:
        return 0.0, 0.0, 0
    known = [entry for entry in past if entry[0] <= max(seen)]  # before that the group did not exist
    if not is_sum:
        known = [entry for entry in known if group in entry[2]]
    alike = [entry for entry in known if entry[1]]
    days = alike if len(alike) >= 3 else known
    values = [values.get(group, 0.0) for _, _, values in days]
    recent = [values.get(group, 0.0) for ago, _, values in days if ago <= _RECENT_DAYS]
    centre = median(values)
    deviation = _MAD_TO_SIGMA * median(abs(value - centre) for value in values)
    return max(centre, median(recent)) if recent else centre, deviation, len(seen)


def _judge_absence(
    rule: Rule, condition: Absence, now_ns: int, read: Read, active: Collection[Group]
) -> dict[Group, Verdict]:
    window = window_ending(now_ns, rule.window_s)
    current = read(window)
    before = read(Range(aligned(window.from_ns - condition.seen_within_s * NS, PAST_STEP_S), window.from_ns))
    verdicts = {group: Verdict("clear", _value(current, group, rule), 1.0) for group in current}
    for group in {*before, *active}:
        if _value(current, group, rule):
            continue
        if not _value(before, group, rule):
            verdicts[group] = Verdict("hold", 0.0, 1.0, "gone for longer than it is missed")
        else:
            expected = _least_count(rule, condition, now_ns, read, group)
            state = "breach" if expected >= condition.min_expected else "clear"
            verdicts[group] = Verdict(state, 0.0, 1.0, f"at least {expected:.4g} at this hour of past days")
    return verdicts


def _least_count(rule: Rule, condition: Absence, now_ns: int, read: Read, group: Group) -> float:
    """The fewest a window of this hour had on past days like today on which the group was there at all."""
    end_ns = aligned(now_ns, PAST_STEP_S)
    today = is_weekend(end_ns, rule.timezone)
    counts: list[float] = []
    for _, window in past_windows(end_ns, rule.window_s, ABSENCE_DAYS, rule.timezone):
        is_alike = is_weekend(window.to_ns, rule.timezone) == today
        if is_alike and _value(read(Range(window.to_ns - _DAY_NS, window.to_ns)), group, rule):
            counts.append(_value(read(window), group, rule) or 0.0)
    return min(counts) if len(counts) >= condition.min_days else 0.0


def _judge_forecast(
    rule: Rule, condition: Forecast, now_ns: int, read: Read, active: Collection[Group]
) -> dict[Group, Verdict]:
    period = (day_of if condition.period == "day" else month_of)(now_ns, rule.timezone)
    spent = _sum_over(_pieces(period.from_ns, now_ns, rule.timezone), rule, read)
    rest = _rest_of_period(rule, condition, now_ns, period, read)
    return {
        group: _against_budget(condition, rule.unit, spent.get(group, 0.0), rest.get(group, 0.0))
        for group in {*spent, *active}
    }


def _against_budget(condition: Forecast, unit: str, spent: float, rest: float) -> Verdict:
    so_far, to_come = format_value(spent, unit), format_value(rest, unit)
    detail = f"{so_far} so far, {to_come} to come by the end of the {condition.period}"
    state = "breach" if spent + rest > condition.budget else "clear"
    return Verdict(state, spent + rest, condition.budget, detail)


def _rest_of_period(rule: Rule, condition: Forecast, now_ns: int, period: Range, read: Read) -> dict[Group, float]:
    """Foretells what is still to come: the rest of today as the same rest of past days, then whole days as those."""
    start_ns = aligned(now_ns, PAST_STEP_S)
    today = day_of(start_ns, rule.timezone)
    rests: list[dict[Group, float]] = []
    days: list[dict[Group, float]] = []
    for ago in range(1, condition.days + 1):
        begin, middle, end = (days_earlier(at, ago, rule.timezone) for at in (today.from_ns, start_ns, today.to_ns))
        rests.append(_sum_over([Range(middle, end)], rule, read))
        days.append(_sum_over([Range(begin, end)], rule, read))
    whole_days = max(0, round((period.to_ns - today.to_ns) / (86_400 * NS)))
    groups = {group for day in days for group in day}
    foretold: dict[Group, float] = {}
    for group in groups:
        known = 1 + max((index for index, day in enumerate(days) if day.get(group)), default=-1)
        if known >= _FORETOLD_FROM_DAYS:
            rest = median(one.get(group, 0.0) for one in rests[:known])
            # the mean, for a week has quiet days too
            foretold[group] = rest + whole_days * mean(one.get(group, 0.0) for one in days[:known])
    return foretold


def _pieces(from_ns: int, now_ns: int, timezone: str) -> list[Range]:
    """Cuts a stretch so that all but its end are ranges that stay the same and need not be read again.

    Days are apart, so that what comes late for one of them leaves the others as they are.
    """
    cuts = {*midnights(Range(from_ns, now_ns), timezone), aligned(now_ns, 3_600), aligned(now_ns, PAST_STEP_S)}
    points = [from_ns, *sorted(cut for cut in cuts if from_ns < cut < now_ns), now_ns]
    return [Range(start, end) for start, end in pairwise(points) if start < end]


def _sum_over(ranges: list[Range], rule: Rule, read: Read) -> dict[Group, float]:
    totals: dict[Group, float] = {}
    for stretch in ranges:
        if stretch.from_ns < stretch.to_ns:
            for group, values in read(stretch).items():
                totals[group] = totals.get(group, 0.0) + (values.get(rule.value) or 0.0)
    return totals
