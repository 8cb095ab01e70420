"""Runs of senders that are long of speech: names and reasons of 60 to 400 characters, and one that never ends."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

AGENTS: Final = (
    "incident-resolver-for-the-payments-platform-in-the-european-region-of-the-company",
    "Support triage, second level, for enterprise customers with a contract of their own",
    "documentation_question_answering_agent_with_retrieval_and_reranking_v2_experimental",
)
TOOLS: Final = (
    "mcp__observability_platform__search_logs_by_service_and_time_window_with_context",
    "mcp__ticketing__create_or_update_ticket_and_notify_the_people_on_call_of_the_team",
    "look up the customer, the contract and the open invoices of the last twelve months",
    "WWWWMMMM_ALL_IN_CAPITALS_AND_WIDE_LETTERS_MMMMWWWW_%%%%_@@@@",
)
CUSTOMERS: Final = (
    "Vereinigte Süddeutsche Wasserwerke und Abwasserentsorgungsgesellschaft mbH & Co. KG",
    "株式会社日本総合研究所システム開発本部クラウド推進部第二グループ東京オフィス",
)
MODEL: Final = "bedrock/eu-central-1/anthropic.claude-sonnet-4-5-20250929-v1:0/application-inference-profile/team-a"
VERSION: Final = "2026.11.30-release-candidate-7+build.4711.commit.0123456789abcdef.branch.main"
ENVIRONMENT: Final = "production-europe-west-4-kubernetes-cluster-number-seven-tenant-isolated"
REASONS: Final = (
    "The connection pool of the payments database is exhausted, every restart only helps for two minutes, and raising "
    "the limit needs an approval that this agent cannot give",
    "The customer asks for a refund above the limit of 500 euros, the policy of June 2026 wants two people to agree "
    "to it, the first of them has declined, and the second has not answered for three working days; a human who "
    "knows the contract should speak with the customer before the end of the week, for they have said that they "
    "will leave otherwise",
    "No runbook matches: /srv/agents/incident/runbooks/payments/eu/database/connection-pool-exhausted.md is missing",
    "short",
)
ERROR: Final = (
    "psycopg.OperationalError: connection to server at the address given by the configuration failed: FATAL: remaining "
    "connection slots are reserved for roles with the SUPERUSER attribute, and the pool has waited as long as it may"
)
ENDLESS: Final = "It cannot say why. " * 1_500
CONVERSATION: Final = "conversation/2026/11/30/customer-4711/thread-with-a-title-that-somebody-typed/part-0001"
VERDICT: Final = "was the answer of the agent helpful to the customer who asked for it, on the whole"


def request(runs: int = 24) -> bytes:
    """The runs, of the last hours, as an OTLP JSON body."""
    now_ns = time.time_ns()
    spans = [span for number in range(runs) for span in _run(number, now_ns - (number + 1) * 240_000_000_000)]
    resource = {"attributes": _attributes({"service.name": AGENTS[0]})}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).encode()


def verdict(run_id: str) -> dict[str, Any]:
    """A verdict on a run, with a long name and a long comment."""
    return {"run_id": run_id, "name": VERDICT, "score": 0.5, "author": "ana", "comment": REASONS[1]}


def run_id(number: int) -> str:
    """The id of a run."""
    return f"{number + 1:032x}"


def _run(number: int, start_ns: int) -> Iterator[dict[str, Any]]:
    agent, customer = AGENTS[number % len(AGENTS)], CUSTOMERS[number % len(CUSTOMERS)]
    shared = {
        "loopwatch.run.id": run_id(number),
        "gen_ai.agent.name": agent,
        "gen_ai.agent.version": VERSION if number % 2 else "1",
        "gen_ai.conversation.id": CONVERSATION,
        "loopwatch.customer.id": customer,
        "user.id": f"the person with the long address number {number} at the company {customer}",
        "deployment.environment.name": ENVIRONMENT,
    }
    trace = f"{number + 1:032x}"

    def span(place: int, parent: int, name: str, milliseconds: tuple[int, int], **values: Any) -> dict[str, Any]:
        start, end = (start_ns + at * 1_000_000 for at in milliseconds)
        return {
            "traceId": trace,
            "spanId": f"{number * 100 + place:016x}",
            "parentSpanId": f"{number * 100 + parent:016x}" if parent else "",
            "name": name,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(end),
            "attributes": _attributes({**shared, **values}),
            "status": {"code": 2, "message": ERROR} if "error.type" in values else {},
        }

    outcome = "completed" if number % 6 == 5 else "escalated"
    root = span(1, 0, f"invoke_agent {agent}", (0, 60_000), **{
        "gen_ai.operation.name": "invoke_agent", "loopwatch.outcome": outcome,
    })  # fmt: skip
    if outcome == "escalated":
        reason = ENDLESS if number == 4 else REASONS[number % len(REASONS)]
        root["events"] = [{
            "name": "loopwatch.escalation", "timeUnixNano": str(start_ns + 59_000_000_000),
            "attributes": _attributes({"loopwatch.escalation.reason": reason, "loopwatch.escalation.priority": "high"}),
        }]  # fmt: skip
    yield root
    for loop in range(2 + number % 3):
        at = loop * 15_000
        iteration = {"loopwatch.iteration": loop + 1}
        tool = TOOLS[(number + loop) % len(TOOLS)]
        failed = {"error.type": "psycopg.OperationalError"} if loop else {}
        yield span(10 + loop * 10, 1, f"iteration {loop + 1}", (at, at + 14_000), **iteration, **{
            "loopwatch.kind": "iteration",
        })  # fmt: skip
        yield span(11 + loop * 10, 10 + loop * 10, f"chat {MODEL}", (at, at + 6_000), **iteration, **{
            "gen_ai.operation.name": "chat", "gen_ai.request.model": MODEL, "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.usage.input_tokens": 4_000 + loop * 900, "gen_ai.usage.output_tokens": 120,
        })  # fmt: skip
        yield span(12 + loop * 10, 10 + loop * 10, f"execute_tool {tool}", (at + 6_000, at + 9_000), **iteration, **{
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool, **failed,
        })  # fmt: skip


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}
