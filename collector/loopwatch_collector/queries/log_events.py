"""Events that senders put into logs, joined to the spans they belong to when a run is read."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from loopwatch_collector.queries.reading import reading
from loopwatch_collector.queries.runner import ONE_THREAD
from loopwatch_collector.store.client import Connection

MAX_EVENTS: Final = 20_000


def join(connection: Connection, extent: Mapping[str, Any], records: Sequence[dict[str, Any]]) -> None:
    """Adds log events to span records, in place.

    Content goes to the span where the span has none of that role itself: senders that write both write the same.

    Args:
        connection: this thread's.
        extent: project, first_ns and last_ns of where to look.
        records: rows of run_spans.sql.
    """
    traces = sorted({record["trace_id"].hex() for record in records})
    found = connection.records(
        reading("run_log_events"), {**extent, "trace_ids": traces, "page_limit": MAX_EVENTS}, ONE_THREAD
    )
    by_span: dict[bytes, list[dict[str, Any]]] = {}
    for event in found:
        by_span.setdefault(event["span_id"], []).append(event)
    for record in records:
        if record["span_id"] in by_span:
            _add(record, by_span[record["span_id"]])


def _add(record: dict[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
    own = set(record["content_roles"])
    roles, hashes = list(record["content_roles"]), list(record["content_hashes"])
    for event in events:
        for role, content_hash in zip(event["content_roles"], event["content_hashes"], strict=True):
            if role not in own:
                roles.append(role)
                hashes.append(content_hash)
    record["content_roles"], record["content_hashes"] = roles, hashes
    for column, values in (
        ("event_names", [event["name"] for event in events]),
        ("event_times_ns", [event["at_ns"] for event in events]),
        ("event_attributes", [event["attributes"] for event in events]),
    ):
        record[column] = [*record[column], *values]
