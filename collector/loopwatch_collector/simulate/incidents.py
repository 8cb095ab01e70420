"""What goes wrong in a simulated fleet, when and for whom: the part of the truth that alerts should find."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from loopwatch_collector.simulate.rhythm import DAY_NS, HOUR_NS

Kind = Literal[
    "tool_slow",
    "tool_outage",
    "cost_spike",
    "release",
    "cache_break",
    "model_overload",
    "escalation_surge",
    "loop_wave",
    "silence",
]


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that was put into the data.

    Attributes:
        kind: what it is.
        from_ns: when it began, ns since the epoch.
        to_ns: when it ended; for a release the end of the data.
        agent: the agent it concerns.
        tool: the tool it concerns, if one.
        model: the model it concerns, if one.
        customer: the customer it concerns, if one.
        version: the version a release brings.
        strength: how much; see `effect`.
        effect: what it does, in a sentence.
    """

    kind: Kind
    from_ns: int
    to_ns: int
    agent: str = ""
    tool: str = ""
    model: str = ""
    customer: str = ""
    version: str = ""
    strength: float = 0.0
    effect: str = ""


@dataclass(frozen=True, slots=True)
class _Delivered:
    kind: Kind
    position: float  # of the days, 0..1
    hour: float
    hours: float  # 0: until the end
    strength: float
    effect: str
    agent: str = ""
    tool: str = ""
    model: str = ""
    customer: str = ""
    version: str = ""


_DELIVERED: Final = (
    _Delivered("tool_slow", 0.20, 9, 4, 6.0, "calls of run_sql take 6 times as long", "data-analyst", "run_sql"),
    _Delivered(
        "tool_outage",
        0.30,
        13,
        2.5,
        0.9,
        "90 % of the calls of search_logs time out",
        "incident-resolver",
        "search_logs",
    ),
    _Delivered(
        "cost_spike",
        0.42,
        14,
        4,
        4.0,
        "one customer sends a day's worth of long runs, each with about 4 times the iterations",
        "data-analyst",
        customer="customer-009",
    ),
    _Delivered(
        "release",
        0.50,
        10,
        0,
        1.45,
        "45 % more iterations and twice the escalations from version 8 on; it reaches every run within 6 hours",
        "code-reviewer",
        version="8",
    ),
    _Delivered(
        "cache_break",
        0.60,
        8,
        24,
        1.0,
        "nothing is read from the prompt cache, so input costs several times as much",
        "support-triage",
    ),
    _Delivered(
        "model_overload",
        0.68,
        15,
        2,
        0.3,
        "30 % of the requests end in overloaded_error, the others take 3 times as long",
        model="claude-sonnet-5-5",
    ),
    _Delivered("escalation_surge", 0.76, 9, 6, 0.45, "45 % of the runs are handed to a human", "support-triage"),
    _Delivered(
        "loop_wave",
        0.84,
        11,
        5,
        0.35,
        "35 % of the runs call the same tool with the same arguments again and again",
        "research-assistant",
        "fetch_page",
    ),
    _Delivered("silence", 0.92, 10, 3, 1.0, "no run starts", "invoice-extractor"),
)
KINDS: Final = tuple(delivered.kind for delivered in _DELIVERED)


def plan(first_day_ns: int, days: int, kinds: Iterable[str]) -> tuple[Incident, ...]:
    """Puts incidents on the calendar: each at its share of the days, at its hour.

    Args:
        first_day_ns: the first day's midnight, ns since the epoch.
        days: how many days there are.
        kinds: which incidents to put in, of `KINDS`.

    Returns:
        The incidents, by their beginning.
    """
    chosen = frozenset(kinds)
    end_ns = first_day_ns + days * DAY_NS
    return tuple(_dated(delivered, first_day_ns, days, end_ns) for delivered in _DELIVERED if delivered.kind in chosen)


def _dated(delivered: _Delivered, first_day_ns: int, days: int, end_ns: int) -> Incident:
    from_ns = first_day_ns + int(delivered.position * days) * DAY_NS + round(delivered.hour * HOUR_NS)
    to_ns = min(end_ns, from_ns + round(delivered.hours * HOUR_NS)) if delivered.hours else end_ns
    return Incident(
        delivered.kind,
        from_ns,
        to_ns,
        agent=delivered.agent,
        tool=delivered.tool,
        model=delivered.model,
        customer=delivered.customer,
        version=delivered.version,
        strength=delivered.strength,
        effect=delivered.effect,
    )
