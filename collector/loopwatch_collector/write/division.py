"""A record halved, to find the one item that cannot be stored."""

from typing import Any, Final

from loopwatch_collector.journal.record import Record

# The lists that lead from a request to its items, by kind of record.
_PATHS: Final = {
    "traces": ("resource_spans", "scope_spans", "spans"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics"),
}


def halves(record: Record, message: Any) -> list[Record]:
    """Splits a record by its items.

    Args:
        record: the record.
        message: its parsed body.

    Returns:
        Two records that hold its items between them; none when it has fewer than two.
    """
    items = _items(message, record.kind)
    if len(items) < 2:
        return []
    middle = len(items) // 2
    return [_with(record, message, items[:middle]), _with(record, message, items[middle:])]


def _items(message: Any, kind: str) -> list[tuple[int, int, int]]:
    resources, scopes, leaves = _PATHS[kind]
    return [
        (i, j, k)
        for i, resource in enumerate(getattr(message, resources))
        for j, scope in enumerate(getattr(resource, scopes))
        for k in range(len(getattr(scope, leaves)))
    ]


def _with(record: Record, message: Any, items: list[tuple[int, int, int]]) -> Record:
    resources, scopes, leaves = _PATHS[record.kind]
    kept = set(items)
    part: Any = type(message)()
    part.CopyFrom(message)
    for i, resource in enumerate(getattr(part, resources)):
        for j, scope in enumerate(getattr(resource, scopes)):
            leaf = getattr(scope, leaves)
            for k in reversed(range(len(leaf))):
                if (i, j, k) not in kept:
                    del leaf[k]
    body = part.SerializeToString()
    return record._replace(items=len(items), encoding="", body=body, raw=body)
