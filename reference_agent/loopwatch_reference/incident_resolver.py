"""The incident resolver: run, step, query, execute. A run ends by an exception that carries its resolution."""

import json
import re
from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import loopwatch
from loopwatch_reference.errors import OperationsError
from loopwatch_reference.production.topology import SERVICES
from loopwatch_reference.tools import TOOL_DEFINITIONS, Tools

if TYPE_CHECKING:
    from anthropic import Anthropic
    from anthropic.types import Message, ToolUseBlock

AGENT_NAME: Final = "incident-resolver"
LIMITS: Final = loopwatch.Limits(iterations=25, tokens=250_000, identical_calls=4)
_LEAST_CONFIDENCE: Final = 0.6


class Release(NamedTuple):
    """One version of the agent: which prompt it has and whether it streams."""

    version: str
    prompt_parts: tuple[str, ...]
    streams: bool


RELEASES: Final = {
    "12": Release("12", ("incident_resolver.md",), streams=False),
    "13": Release("13", ("incident_resolver.md", "deployments_first.md"), streams=True),
}


class Resolution(NamedTuple):
    """How an incident ended: the cause and its ticket, or the reason why a person takes over."""

    resolved: bool
    summary: str
    confidence: float
    ticket: str | None = None


class Finished(Exception):
    """The model is done."""

    def __init__(self, resolution: Resolution) -> None:
        super().__init__(resolution.summary)
        self.resolution = resolution


class IncidentRun:
    """One incident: the conversation so far and what may be done next.

    Args:
        client: speaks to the Messages API, real or simulated.
        tools: by name.
        release: the version of the agent.
        model: which model to ask.
    """

    def __init__(self, client: "Anthropic", tools: Tools, release: Release, model: str) -> None:
        self.client = client
        self.tools = tools
        self.release = release
        self.model = model
        self.system = system_prompt(release)
        self.messages: list[dict[str, Any]] = []

    def run(self, alert: str) -> Resolution:
        """Works on an alert until it is resolved, handed over, or stopped by a limit."""
        self.messages = [{"role": "user", "content": [{"type": "text", "text": alert}]}]
        try:
            for _ in loopwatch.iterations():
                self.step()
        except Finished as finished:
            return self.hand_over_if_unsure(finished.resolution)
        raise AssertionError("loopwatch.iterations() ends only by an exception")

    def step(self) -> None:
        """Asks the model and does what it says."""
        message = self.query()
        self.messages.append({"role": "assistant", "content": [block.to_dict() for block in message.content]})
        calls = [block for block in message.content if block.type == "tool_use"]
        if not calls:
            raise Finished(read_resolution("".join(block.text for block in message.content if block.type == "text")))
        with loopwatch.step("execute"):
            self.messages.append({"role": "user", "content": [self.execute(call) for call in calls]})

    def query(self) -> "Message":
        """Asks the model for its next move; the prompt so far is read from the cache."""
        request: dict[str, Any] = {
            "model": self.model,
            "max_tokens": 2048,
            "system": [{"type": "text", "text": self.system, "cache_control": {"type": "ephemeral"}}],
            "tools": TOOL_DEFINITIONS,
            "messages": _with_cache_mark(self.messages),
        }
        if "opus" in self.model:
            request["thinking"] = {"type": "adaptive"}
        if not self.release.streams:
            return self.client.messages.create(**request)
        with self.client.messages.stream(**request) as stream:
            return stream.get_final_message()

    def execute(self, call: "ToolUseBlock") -> dict[str, Any]:
        """Runs one tool; what goes wrong inside it is the model's to read, not the run's end."""
        result: dict[str, Any] = {"type": "tool_result", "tool_use_id": call.id}
        if call.name not in self.tools:
            return result | {"content": f"there is no tool '{call.name}'", "is_error": True}
        try:
            with loopwatch.tool_call_id(call.id):
                answer = self.tools[call.name](**call.input)
        except (OperationsError, PermissionError, TypeError) as failure:
            return result | {"content": str(failure), "is_error": True}
        return result | {"content": json.dumps(answer)}

    def hand_over_if_unsure(self, resolution: Resolution) -> Resolution:
        """Records the decision, and escalates when it is not good enough to act on."""
        choice = "resolved" if resolution.resolved else "handed over"
        loopwatch.decide("root_cause", choice, confidence=resolution.confidence, reasoning=resolution.summary)
        if not resolution.resolved or resolution.confidence < _LEAST_CONFIDENCE:
            loopwatch.escalate(
                resolution.summary, priority="high" if resolution.confidence >= _LEAST_CONFIDENCE else "normal"
            )
        return resolution


def incident_resolver(
    client: "Anthropic",
    tools: Tools,
    *,
    version: str,
    model: str,
    tags: list[str],
    on_start: Callable[[loopwatch.Run], None],
) -> Callable[[str], Resolution]:
    """Makes the agent.

    Args:
        client: speaks to the Messages API.
        tools: by name, see `operations_tools`.
        version: a key of `RELEASES`.
        model: which model to ask.
        tags: put on every span of its runs.
        on_start: called with each run as it begins.

    Returns:
        A function from an alert's text to its resolution; each call is one run.
    """

    @loopwatch.agent(name=AGENT_NAME, version=version, tags=tags, limits=LIMITS)
    def resolve(alert: str) -> Resolution:
        if run := loopwatch.current_run():
            on_start(run)
        return IncidentRun(client, tools, RELEASES[version], model).run(alert)

    return resolve


def system_prompt(release: Release) -> str:
    """Joins the parts of a release's prompt and writes the service map into it."""
    folder = resources.files("loopwatch_reference") / "prompts"
    text = "".join((folder / part).read_text(encoding="utf-8") for part in release.prompt_parts)
    lines = (
        f"- {service.name} calls {', '.join(service.depends_on)}" if service.depends_on else f"- {service.name}"
        for service in SERVICES.values()
    )
    return text.replace("{service_map}", "\n".join(lines))


def read_resolution(answer: str) -> Resolution:
    """Reads the model's last answer; one that follows neither form is not resolved."""
    fields = dict(re.findall(r"^(ROOT CAUSE|CONFIDENCE|TICKET|REASON): *(.+)$", answer, re.MULTILINE))
    try:
        confidence = min(1.0, max(0.0, float(fields.get("CONFIDENCE", "0"))))
    except ValueError:
        confidence = 0.0
    if "ROOT CAUSE" in fields and "TICKET" in fields:
        return Resolution(True, fields["ROOT CAUSE"], confidence, fields["TICKET"])
    return Resolution(False, fields.get("REASON") or fields.get("ROOT CAUSE") or "the answer has no cause", confidence)


def _with_cache_mark(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Marks the end of the conversation, so that the next request reads everything up to here from the cache."""
    *earlier, last = messages
    *blocks, end = last["content"]
    return [*earlier, last | {"content": [*blocks, end | {"cache_control": {"type": "ephemeral"}}]}]
