"""What a page looks at: time range, filters and clock, all of it in the URL, so that a shared link shows the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

FILTERS: Final = ("environment", "agent", "version", "model", "customer")
PRESETS: Final[dict[str, tuple[str, timedelta | None]]] = {
    "15m": ("Last 15 minutes", timedelta(minutes=15)),
    "1h": ("Last hour", timedelta(hours=1)),
    "6h": ("Last 6 hours", timedelta(hours=6)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
    "all": ("All time", None),
}
CUSTOM: Final = "custom"
DEFAULT_PRESET: Final = "24h"
LIVE_SECONDS: Final = (0, 5, 15, 60)
# Answers of the last seconds are shared between reruns: a range that ends "now" ends at the last multiple of this.
NOW_STEP_SECONDS: Final = 10
_STEPS_SECONDS: Final = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400)
_MAX_BUCKETS: Final = 72
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Window(NamedTuple):
    """A stretch of time, start included, end excluded."""

    start: datetime
    end: datetime

    @property
    def step_seconds(self) -> int:
        """The bucket width that shows this window in at most 72 buckets."""
        seconds = (self.end - self.start).total_seconds()
        return next((step for step in _STEPS_SECONDS if seconds / step <= _MAX_BUCKETS), _STEPS_SECONDS[-1])

    @property
    def buckets(self) -> "Window":
        """This window widened to full buckets, so that the first and the last are drawn as wide as the others."""
        return self.rounded(self.step_seconds)

    def rounded(self, step_seconds: int) -> "Window":
        """This window widened to full steps."""
        start = self.start.timestamp() // step_seconds * step_seconds
        end = -(-self.end.timestamp() // step_seconds) * step_seconds
        return Window(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))

    @property
    def before(self) -> "Window":
        """The period of the same length that ended where this one starts."""
        return Window(self.start - (self.end - self.start), self.start)


@dataclass(frozen=True, slots=True)
class View:
    """Time range, filters, clock and refresh of a page.

    Attributes:
        preset: a key of PRESETS, or "custom".
        start: the start of a custom range.
        end: the end of a custom range.
        filters: the chosen values by dimension; a dimension that is missing is not filtered.
        where: a condition of the filter language on runs; empty for none.
        local: whether times are shown in the reader's zone; else UTC.
        live_seconds: how often the page refreshes by itself; 0 for never.
    """

    preset: str = DEFAULT_PRESET
    start: datetime | None = None
    end: datetime | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: str = ""
    local: bool = False
    live_seconds: int = 0

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "View":
        """Reads the view from a URL's parameters; what makes no sense there falls back to the default.

        Args:
            query: every parameter with all its values.

        Returns:
            The view that `to_query` would write back.
        """
        start, end = _moment(query.get("from")), _moment(query.get("to"))
        preset = _first(query.get("range"))
        if start and end and start < end:
            preset = CUSTOM
        elif preset not in PRESETS:
            preset, start, end = DEFAULT_PRESET, None, None
        else:
            start = end = None
        live = _first(query.get("live"))
        return cls(
            preset=preset,
            start=start,
            end=end,
            filters={name: tuple(dict.fromkeys(query[name])) for name in FILTERS if any(query.get(name, ()))},
            where=_first(query.get("q")).strip(),
            local=_first(query.get("tz")) == "local",
            live_seconds=int(live) if live.isdecimal() and int(live) in LIVE_SECONDS else 0,
        )

    def to_query(self) -> dict[str, str | list[str]]:
        """The URL parameters of this view; defaults are left out."""
        query: dict[str, str | list[str]] = {name: list(values) for name, values in self.filters.items()}
        if self.start and self.end:
            query |= {"from": _text(self.start), "to": _text(self.end)}
        elif self.preset != DEFAULT_PRESET:
            query["range"] = self.preset
        if self.where:
            query["q"] = self.where
        if self.local:
            query["tz"] = "local"
        if self.live_seconds:
            query["live"] = str(self.live_seconds)
        return query

    def window(self, now: datetime) -> Window:
        """The stretch of time this view covers at `now`; "all" reaches from 2000 to the end of tomorrow."""
        if self.start and self.end:
            return Window(self.start, self.end)
        end = datetime.fromtimestamp((now.timestamp() // NOW_STEP_SECONDS + 1) * NOW_STEP_SECONDS, UTC)
        span = PRESETS[self.preset][1]
        if span:
            return Window(end - span, end)
        today = end.replace(hour=0, minute=0, second=0, microsecond=0)
        return Window(BEGINNING, today + timedelta(days=2))

    @property
    def range_label(self) -> str:
        """The time range in words."""
        return "Custom range" if self.preset == CUSTOM else PRESETS[self.preset][0]

    @property
    def words(self) -> str:
        """The time range and the filters in words, for a link to the runs they leave."""
        chosen = (f"{name} {', '.join(values)}" for name, values in self.filters.items())
        return ", ".join([f"Runs: {self.range_label.lower()}", *chosen, *([self.where] if self.where else [])])

    def with_preset(self, preset: str) -> "View":
        """This view over another preset."""
        return replace(self, preset=preset, start=None, end=None)

    def with_range(self, start: datetime, end: datetime) -> "View":
        """This view over a custom range."""
        return replace(self, preset=CUSTOM, start=start, end=end)

    def with_filter(self, name: str, *values: str) -> "View":
        """This view with one dimension narrowed to `values`; without values the dimension is free again."""
        others = {key: kept for key, kept in self.filters.items() if key != name}
        return replace(self, filters={**others, name: values} if values else others)

    def with_where(self, condition: str) -> "View":
        """This view with a condition beside the one it has."""
        if not self.where or not condition:
            return replace(self, where=condition or self.where)
        return replace(self, where=f"({self.where}) and {condition}")


def _first(values: Sequence[str] | None) -> str:
    return values[0] if values else ""


def _text(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z").replace(".000Z", "Z")


def _moment(values: Sequence[str] | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_first(values))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
