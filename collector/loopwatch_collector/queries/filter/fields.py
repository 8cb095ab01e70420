"""The closed table of what a filter can name: fields of a run, and events in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

TEXT_OPERATORS: Final = ("=", "!=", "~", "!~")
OUTCOMES: Final = ("completed", "escalated", "failed", "stopped", "open", "abandoned")
NUMBER_OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a run.

    Attributes:
        name: as it is written in a filter.
        type: text, texts (several per run), attribute, number, duration, money or time.
        sql: the expression of it on a row of `runs`; of an attribute its name.
        description: for the reader.
        values: the values it can have, where the choice is closed; empty otherwise.
    """

    name: str
    type: str
    sql: str
    description: str
    values: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self.type in {"text", "texts", "attribute"}

    @property
    def operators(self) -> tuple[str, ...]:
        """What it can be compared with."""
        return TEXT_OPERATORS if self.is_text else NUMBER_OPERATORS


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens in a run.

    Attributes:
        name: as it is written in a filter, with parentheses.
        of: what may stand in the parentheses: tool, model, decision, tenth, or nothing.
        description: for the reader.
    """

    name: str
    of: str
    description: str


_FIELDS: Final = (
    Field("run", "text", "run_id", "the run's id"),
    Field("parent", "text", "parent_run_id", "the id of the run that started it"),
    Field("agent", "text", "agent", "the agent's name"),
    Field("version", "text", "agent_version", "the agent's version"),
    Field("service", "text", "service", "the service it ran in"),
    Field("environment", "text", "environment", "production, staging, ..."),
    Field("conversation", "text", "conversation_id", "the conversation it belongs to"),
    Field("customer", "text", "customer_id", "the customer it ran for"),
    Field("user", "text", "user_id", "the user it ran for"),
    Field("tag", "texts", "tags", "a tag of it"),
    Field("model", "texts", "model_names", "a model it called"),
    Field("provider", "texts", "model_providers", "a provider it called"),
    Field("prompt", "text", "prompt_name", "the prompt's name"),
    Field("prompt_version", "text", "prompt_version", "the prompt's version"),
    Field("outcome", "text", "outcome", "completed, escalated, failed, stopped, open or abandoned", OUTCOMES),
    Field("reason", "text", "outcome_reason", "why it ended so"),
    Field("limit", "text", "limit_name", "the limit that stopped it"),
    Field("error_type", "text", "error_type", "class or code of its error"),
    Field("error", "text", "error_message", "message of its error"),
    Field("escalation_reason", "text", "escalation_reason", "why it was handed to a human"),
    Field("priority", "text", "escalation_priority", "how urgent the escalation is"),
    Field("last_tool", "text", "last_tool", "the last tool it called"),
    Field("started", "time", "toUnixTimestamp64Nano(start_time)", "when it started, ISO 8601"),
    Field("duration", "duration", "duration_ns", "how long it took: 500ms, 90s, 5m, 2h"),
    Field("iterations", "number", "iterations", "passes of its loop"),
    Field("model_calls", "number", "model_calls", "model calls, each counted once"),
    Field("tool_calls", "number", "tool_calls", "tool calls"),
    Field("tool_errors", "number", "tool_errors", "tool calls that failed"),
    Field("tool_not_found", "number", "tool_not_found", "tool calls that were answered: there is none"),
    Field("input_tokens", "number", "input_tokens", "input, cached input included"),
    Field("output_tokens", "number", "output_tokens", "output"),
    Field("tokens", "number", "(input_tokens + output_tokens)", "input and output"),
    Field("cache_read_tokens", "number", "cache_read_tokens", "input read from the cache"),
    Field("unpriced_tokens", "number", "unpriced_tokens", "tokens of models without a price"),
    Field("cost", "money", "toFloat64(cost_usd)", "what it cost in USD; runs without a price match nothing"),
)
_EVENTS: Final = (
    Event("called", "tool", "a tool was called"),
    Event("succeeded", "tool", "a tool call succeeded"),
    Event("failed", "tool", "a tool call failed"),
    Event("not_found", "tool", "a tool call was answered: there is none"),
    Event("asked", "model", "a model was called"),
    Event("model_failed", "model", "a model call failed"),
    Event("decided", "decision", "a decision was recorded"),
    Event("decided_with", "tenth", "a decision was recorded with a confidence in a tenth, named by its lower end: 0.3"),
    Event("looped", "", "the agent's own loop detector reported a loop"),
    Event("escalated", "", "the run was handed to a human"),
)

FIELDS: Final[Mapping[str, Field]] = {field.name: field for field in _FIELDS}
EVENTS: Final[Mapping[str, Event]] = {event.name: event for event in _EVENTS}

_ATTRIBUTE: Final = re.compile(r"attributes\.([^\s\"=<>~!(),]+)")
ANY_ATTRIBUTE: Final = Field(
    "attributes.NAME", "attribute", "", "an attribute of the sender's own, of any span of it or of its resource"
)


def field_named(name: str) -> Field | None:
    """Returns a field by the name it has in a filter; None where there is none.

    Args:
        name: one of FIELDS, or `attributes.` and the name of an attribute that the sender made up.
    """
    attribute = attribute_of(name)
    return replace(ANY_ATTRIBUTE, name=name, sql=attribute) if attribute else FIELDS.get(name)


def attribute_of(name: str) -> str:
    """Returns the attribute that is meant by `attributes.NAME`; "" where none is.

    Args:
        name: as it is written in a filter, or as what a rule is grouped by.
    """
    match = _ATTRIBUTE.fullmatch(name)
    return match[1] if match else ""
