"""The tools of the incident resolver: what the model is told about them, and what they do."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import loopwatch
from loopwatch_reference.errors import BackendUnavailable
from loopwatch_reference.production.metrics import METRICS
from loopwatch_reference.production.system import SEVERITIES, ProductionSystem

Tools = dict[str, Callable[..., Any]]

TOOL_DEFINITIONS: Final[list[dict[str, Any]]] = [
    {
        "name": "search_logs",
        "description": "Finds the newest log lines in which every word of the query occurs, at most 15.",
        "input_schema": {
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "words that must all occur, e.g. 'checkout-api error'"},
                "minutes": {"type": "integer", "minimum": 1, "maximum": 240, "description": "how far back to search"},
            },
            "required": ["query", "minutes"],
        },
    },
    {
        "name": "get_metrics",
        "description": "Reads one metric of one service over the last two hours, with its usual value.",
        "input_schema": {
            "type": "object",
            "properties": {"service": {"type": "string"}, "metric": {"type": "string", "enum": list(METRICS)}},
            "required": ["service", "metric"],
        },
    },
    {
        "name": "list_recent_deployments",
        "description": "Lists the releases of the last day, newest first.",
        "input_schema": {"type": "object", "properties": {}},
    },
    {
        "name": "create_incident_ticket",
        "description": "Opens one incident ticket, once the cause is confirmed.",
        "input_schema": {
            "type": "object",
            "properties": {"title": {"type": "string"}, "severity": {"type": "string", "enum": list(SEVERITIES)}},
            "required": ["title", "severity"],
        },
    },
]


@dataclass
class Backends:
    """How well the systems behind the tools work today.

    Attributes:
        failing_share: by tool, the share of calls that time out.
        rejecting: by tool, the sentence with which every call is refused.
        index_behind_minutes: how far the log index lags; while it does, searches find nothing.
        seconds_per_call: how long a call takes, on average.
        rng: decides which calls fail and how long each takes.
    """

    rng: Random
    failing_share: dict[str, float] = field(default_factory=dict)
    rejecting: dict[str, str] = field(default_factory=dict)
    index_behind_minutes: int = 0
    seconds_per_call: float = 0.0

    def reach(self, tool: str) -> None:
        """Waits as long as a call takes, then fails if this one does."""
        time.sleep(self.rng.expovariate(1.0) * self.seconds_per_call)
        if tool in self.rejecting:
            raise PermissionError(self.rejecting[tool])
        if self.rng.random() < self.failing_share.get(tool, 0.0):
            raise BackendUnavailable(f"{tool} timed out after 10 s; try again")


def operations_tools(system: ProductionSystem, backends: Backends) -> Tools:
    """Makes the tools of one run.

    Args:
        system: the production system they look at.
        backends: how well they reach it.

    Returns:
        The functions by the names the model knows them by.
    """

    @loopwatch.tool(not_found=[[]])
    def search_logs(query: str, minutes: int = 30) -> Any:
        backends.reach("search_logs")
        if backends.index_behind_minutes:
            note = (
                f"the log index is {backends.index_behind_minutes} minutes behind; this search may return lines later"
            )
            return {"lines": [], "note": note}
        return [line._asdict() for line in system.search_logs(query, minutes)]

    @loopwatch.tool
    def get_metrics(service: str, metric: str) -> dict[str, Any]:
        backends.reach("get_metrics")
        return system.read_metric(service, metric)._asdict()

    @loopwatch.tool(not_found=[[]])
    def list_recent_deployments() -> list[dict[str, str]]:
        backends.reach("list_recent_deployments")
        return system.deployments()

    @loopwatch.tool
    def create_incident_ticket(title: str, severity: str) -> dict[str, Any]:
        backends.reach("create_incident_ticket")
        return system.create_ticket(title, severity)

    return {
        "search_logs": search_logs,
        "get_metrics": get_metrics,
        "list_recent_deployments": list_recent_deployments,
        "create_incident_ticket": create_incident_ticket,
    }
