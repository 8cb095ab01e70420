"""Times at the edge: ISO 8601 or epoch milliseconds in, ns since the epoch inside, ISO 8601 in UTC out."""

from datetime import UTC, datetime
from typing import Final

from loopwatch_collector.queries.errors import InvalidParameter

_EARLIEST_NS: Final = 0
LATEST_NS: Final = 9_000_000_000_000_000_000  # in the year 2255; the engine's nanoseconds end in 2262


def parse_time(name: str, text: str) -> int:
    """Reads a time.

    Args:
        name: of the parameter, for the error.
        text: ISO 8601 (without an offset it is UTC), or milliseconds since the epoch.

    Returns:
        ns since the epoch.

    Raises:
        InvalidParameter: it is neither, or lies before 1970 or after 2255.
    """
    try:
        ns = int(text) * 1_000_000 if text.lstrip("-").isdecimal() else _iso_ns(text)
    except (ValueError, OverflowError):
        raise InvalidParameter(
            f"{name} must be a time like 2026-11-21T14:00:00Z or milliseconds since the epoch, not '{text[:40]}'"
        ) from None
    if not _EARLIEST_NS <= ns <= LATEST_NS:
        raise InvalidParameter(f"{name} must lie between 1970 and 2255, not '{text[:40]}'")
    return ns


def parse_range(from_: str, to: str) -> tuple[int, int]:
    """Reads a range of times.

    Args:
        from_: its start, included; see `parse_time`.
        to: its end, excluded.

    Returns:
        Both in ns since the epoch.

    Raises:
        InvalidParameter: one of them is no time, or the range is empty.
    """
    from_ns, to_ns = parse_time("from", from_), parse_time("to", to)
    if from_ns >= to_ns:
        raise InvalidParameter(
            f"from must lie before to: {format_time(from_ns)} does not lie before {format_time(to_ns)}"
        )
    return from_ns, to_ns


def format_time(ns: int) -> str:
    """Writes a time as ISO 8601 in UTC with microseconds.

    Args:
        ns: since the epoch.
    """
    seconds, rest = divmod(ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.isoformat().replace("+00:00", "Z")


def _iso_ns(text: str) -> int:
    # A '+' that was not percent-encoded arrives as a blank.
    moment = datetime.fromisoformat(text.strip().replace(" 0", "+0") if "T" in text else text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
