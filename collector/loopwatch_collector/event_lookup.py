"""What the events route asks the store: runs it has not in memory, after a restart or a long pause."""

from loopwatch_collector.receive.events_traces import Lookup, ToolCall, Trace
from loopwatch_collector.store.statements import statement
from loopwatch_collector.store.store import Store


def event_lookup(store: Store) -> Lookup:
    """The look-up over one store.

    Args:
        store: where the runs are.
    """

    def look_up(project: str, run_ids: list[str]) -> dict[str, Trace]:
        connection = store.connection()
        runs = connection.rows(statement("event_runs"), {"project": project, "run_ids": run_ids})
        traces = {run_id: Trace(start_ns, bool(ended)) for run_id, start_ns, _, _, ended in runs}
        if not traces:
            return {}
        extent = {"first_ns": min(run[2] for run in runs), "last_ns": max(run[3] for run in runs)}
        calls = connection.rows(statement("event_tool_calls"), {"project": project, "run_ids": list(traces), **extent})
        for run_id, span_id, start_ns, tool, call_id, result_event, arguments in calls:
            result_of = bytes.fromhex(result_event)
            traces[run_id].calls.append(ToolCall(span_id, start_ns, tool, call_id, arguments or None, result_of))
        return traces

    return look_up
