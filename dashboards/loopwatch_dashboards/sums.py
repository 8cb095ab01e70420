"""Sums of rows by a key."""

from collections.abc import Mapping, Sequence
from typing import Any

from loopwatch_dashboards.charts import palette


def by_key(rows: Sequence[Mapping[str, Any]], key: str, value: str) -> dict[str, float]:
    """The sum of a column for each key, the largest first; a key of which no value is known is left out."""
    summed: dict[str, float] = {}
    for row in rows:
        if row[value] is not None:
            summed[str(row[key])] = summed.get(str(row[key]), 0) + row[value]
    return dict(sorted(summed.items(), key=lambda item: -item[1]))


def ranked(rows: Sequence[Mapping[str, Any]], key: str, value: str) -> list[str]:
    """The keys of rows, the one with the largest sum first."""
    return list(by_key(rows, key, value))


def folded(rows: Sequence[Mapping[str, Any]], key: str, value: str) -> list[dict[str, Any]]:
    """Rows per bucket with all keys beyond the palette folded into one."""
    kept = set(ranked(rows, key, value)[: len(palette.SERIES)])
    summed: dict[tuple[Any, str], float] = {}
    for row in rows:
        if row[value] is None:
            continue
        place = (row["bucket"], str(row[key]) if str(row[key]) in kept else palette.OTHERS)
        summed[place] = summed.get(place, 0) + row[value]
    return [{"bucket": bucket, key: name, value: amount} for (bucket, name), amount in summed.items()]
