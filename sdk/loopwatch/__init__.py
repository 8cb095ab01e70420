"""Loopwatch: see why each agent run did what it did, what it cost and where it looped."""

from loopwatch.agents import agent
from loopwatch.anthropic_client import anthropic
from loopwatch.errors import (
    BreakerOpen,
    ConfigurationError,
    LimitExceeded,
    LoopwatchError,
    NotFound,
    Stopped,
    ToolError,
    ToolTimeout,
)
from loopwatch.identity import carry, context
from loopwatch.iterations import Iteration, iterations
from loopwatch.limits import Limits
from loopwatch.model_calls import model_call
from loopwatch.process import configure, flush, shutdown
from loopwatch.reports import decide, escalate
from loopwatch.runs import Run
from loopwatch.scopes import current_run
from loopwatch.steps import step
from loopwatch.tools import tool, tool_call_id

iteration = Iteration

__all__ = [
    "BreakerOpen",
    "ConfigurationError",
    "Iteration",
    "LimitExceeded",
    "Limits",
    "LoopwatchError",
    "NotFound",
    "Run",
    "Stopped",
    "ToolError",
    "ToolTimeout",
    "agent",
    "anthropic",
    "carry",
    "configure",
    "context",
    "current_run",
    "decide",
    "escalate",
    "flush",
    "iteration",
    "iterations",
    "model_call",
    "shutdown",
    "step",
    "tool",
    "tool_call_id",
]
