"""Loopwatch: see why each agent run did what it did, what it cost and where it looped.

Importing the package does nothing: the first use of a public name brings the modules of all of them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from loopwatch.iterations import Iteration, iteration, iterations
    from loopwatch.limits import Limits
    from loopwatch.model_calls import model_call
    from loopwatch.process import configure, flush, shutdown
    from loopwatch.reports import decide, escalate, feedback
    from loopwatch.runs import Run
    from loopwatch.scopes import current_run
    from loopwatch.steps import step
    from loopwatch.tools import tool, tool_call_id

_MODULE_OF = {
    "BreakerOpen": "loopwatch.errors",
    "ConfigurationError": "loopwatch.errors",
    "Iteration": "loopwatch.iterations",
    "LimitExceeded": "loopwatch.errors",
    "Limits": "loopwatch.limits",
    "LoopwatchError": "loopwatch.errors",
    "NotFound": "loopwatch.errors",
    "Run": "loopwatch.runs",
    "Stopped": "loopwatch.errors",
    "ToolError": "loopwatch.errors",
    "ToolTimeout": "loopwatch.errors",
    "agent": "loopwatch.agents",
    "anthropic": "loopwatch.anthropic_client",
    "carry": "loopwatch.identity",
    "configure": "loopwatch.process",
    "context": "loopwatch.identity",
    "current_run": "loopwatch.scopes",
    "decide": "loopwatch.reports",
    "escalate": "loopwatch.reports",
    "feedback": "loopwatch.reports",
    "flush": "loopwatch.process",
    "iterations": "loopwatch.iterations",
    "model_call": "loopwatch.model_calls",
    "shutdown": "loopwatch.process",
    "step": "loopwatch.steps",
    "tool": "loopwatch.tools",
    "tool_call_id": "loopwatch.tools",
    "iteration": "loopwatch.iterations",
}


def __getattr__(name: str) -> Any:
    """Imports the public names when the first of them is used: all at once, before an agent has threads."""
    if name == "testing":
        return importlib.import_module("loopwatch.testing")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'loopwatch' has no attribute {name!r}")
    for public, module in _MODULE_OF.items():
        globals()[public] = getattr(importlib.import_module(module), public)
    return globals()[name]


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
    "feedback",
    "flush",
    "iteration",
    "iterations",
    "model_call",
    "shutdown",
    "step",
    "tool",
    "tool_call_id",
]
