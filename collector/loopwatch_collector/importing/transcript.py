"""A recorded conversation of an agent, as values: what every import format is turned into."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call and its result.

    Attributes:
        tool: the tool's name.
        call_id: the id that paired call and result; empty when the file has none.
        arguments: the arguments as JSON text.
        result: the result's text; None when the file holds no result for the call.
        answered_at: the position of the result in `Transcript.messages`; None without a result.
        outcome: `success`, `not_found` or `error`.
    """

    tool: str
    call_id: str
    arguments: str
    result: str | None
    answered_at: int | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One iteration: an assistant message and the tool calls it asked for.

    Attributes:
        history: how many of `Transcript.messages` stand before this one: the model call's input.
        model: the model that answered; empty when the file does not say.
        input_tokens: the model call's input, cached tokens included; None when the file does not say.
        output_tokens: the model call's output; None when the file does not say.
        tool_calls: what the message asked for, in its order.
    """

    history: int
    model: str
    input_tokens: int | None
    output_tokens: int | None
    tool_calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """One recorded run.

    Attributes:
        identity: text that names this run and no other; ids are made from it, so that importing again
            writes the same rows.
        agent: the agent's name.
        messages: every message but the system's, in the convention's form `{"role", "parts"}`.
        times_ns: when each of `messages` was written, ns since the epoch; None where the file does not say.
        system: the system instructions; empty when there are none.
        turns: the iterations, in order.
        outcome: `completed` or `failed`.
        outcome_reason: why, when the file says.
        hand_over: the tool call that handed the run to a human, and its iteration; None without one.
        score: what the outcome was read from, as (name, value); None when the file does not score its runs.
        conversation_id: the conversation the run belongs to; may be empty.
        customer_id: the customer who is billed; may be empty.
        user_id: the person the agent served; may be empty.
    """

    identity: str
    agent: str
    messages: tuple[dict[str, Any], ...]
    times_ns: tuple[int | None, ...]
    system: str
    turns: tuple[Turn, ...]
    outcome: str = "completed"
    outcome_reason: str = ""
    hand_over: tuple[ToolCall, int] | None = None
    score: tuple[str, float] | None = None
    conversation_id: str = ""
    customer_id: str = ""
    user_id: str = ""

    @property
    def has_times(self) -> bool:
        """Whether the file says when each message was written."""
        return bool(self.times_ns) and None not in self.times_ns
