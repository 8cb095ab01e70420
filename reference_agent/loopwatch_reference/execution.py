"""One incident, worked on: builds the agent for it, runs it, and says how it went."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import loopwatch
from loopwatch_reference.incident_resolver import Resolution, incident_resolver
from loopwatch_reference.messages_api.service import FAULT_HEADER
from loopwatch_reference.production.system import ProductionSystem
from loopwatch_reference.scenarios import SCENARIOS
from loopwatch_reference.seeding import seeded
from loopwatch_reference.tools import Backends, Tools, operations_tools
from loopwatch_reference.workload import Incident

if TYPE_CHECKING:
    from anthropic import Anthropic


class Report(NamedTuple):
    """How one run went.

    Attributes:
        run_id: of the run, 32 hexadecimal digits, or "" when it never began.
        outcome: completed, escalated, failed, stopped.
        cost_usd: None when it is not known in this process.
        summary: the resolution, or the exception.
    """

    incident: Incident
    run_id: str
    outcome: str
    iterations: int
    cost_usd: float | None
    duration_s: float
    summary: str


def work_on(incident: Incident, client: "Anthropic", *, simulated: bool, seconds_per_tool_call: float) -> Report:
    """Runs the agent on one incident.

    Args:
        incident: the alert and whose it is.
        client: speaks to the Messages API.
        simulated: whether that is the simulated one, which takes faults by a header.
        seconds_per_tool_call: how long a tool takes, on average.

    Returns:
        The report; an exception of the run is in it, not raised.
    """
    scenario = SCENARIOS[incident.scenario]
    if simulated and scenario.api_fault:
        client = client.with_options(default_headers={FAULT_HEADER: scenario.api_fault}, max_retries=1)
    backends = Backends(
        seeded(incident.seed, incident.number, "backends"),
        seconds_per_call=seconds_per_tool_call,
        **scenario.backends,
    )
    system = ProductionSystem(incident.seed, datetime.now(UTC), scenario.fault)
    with loopwatch.context(
        conversation_id=incident.conversation_id,
        customer_id=incident.customer_id,
        user_id=incident.user_id,
        environment=incident.environment,
        prompt_name="incident-resolver",
        prompt_version=incident.version,
    ):
        return _run(incident, client, operations_tools(system, backends))


def _run(incident: Incident, client: "Anthropic", tools: Tools) -> Report:
    runs: list[loopwatch.Run] = []
    tags = [incident.scenario, incident.environment]
    resolve = incident_resolver(
        client, tools, version=incident.version, model=incident.model, tags=tags, on_start=runs.append
    )
    started = time.monotonic()
    try:
        summary = _sentence(resolve(incident.alert))
    except Exception as failure:  # noqa: BLE001 whatever ends a run is its outcome, and the next run goes on
        summary = f"{type(failure).__name__}: {failure}"
    run = runs[0] if runs else None
    return Report(
        incident,
        run.run_id if run else "",
        (run.outcome if run else None) or "failed",
        run.iterations if run else 0,
        run.cost_usd if run else None,
        time.monotonic() - started,
        summary,
    )


def _sentence(resolution: Resolution) -> str:
    return f"{resolution.ticket}: {resolution.summary}" if resolution.ticket else resolution.summary
