"""A run in one sentence."""

from typing import Any

import pytest

from loopwatch_dashboards.story import story

RUN: dict[str, Any] = {
    "outcome": "completed",
    "outcome_reason": "",
    "limit": "",
    "iterations": 6,
    "duration_ns": 80_000_000_000,
    "cost_usd": 0.042,
    "unpriced_tokens": 0,
    "model_calls": 6,
    "total_tokens": 1200,
    "tool_calls": 9,
    "tool_errors": 1,
    "error_type": "",
    "error_message": "",
    "escalation_reason": "",
}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "completed after 6 iterations in 1 m 20 s, $0.042, 1 of 9 tool calls failed"),
        (
            {"outcome": "escalated", "escalation_reason": "no fix\nfound.", "tool_errors": 0},
            "was handed to a human after 6 iterations in 1 m 20 s, $0.042, 9 tool calls, none failed, "
            "because: no fix found",
        ),
        (
            {"outcome": "failed", "error_type": "ValueError", "error_message": "bad", "tool_calls": 0},
            "failed after 6 iterations in 1 m 20 s, $0.042, no tool called, with ValueError: bad",
        ),
        (
            {
                "outcome": "stopped",
                "limit": "iterations",
                "iterations": 1,
                "cost_usd": None,
                "tool_calls": 1,
                "tool_errors": 0,
            },
            "was stopped after 1 iteration in 1 m 20 s, 1,200 tokens without a price, "
            "1 tool call, which succeeded, by the limit on iterations",
        ),
        (
            {"total_tokens": 0, "cost_usd": 0.0},
            "completed after 6 iterations in 1 m 20 s, no tokens reported, 1 of 9 tool calls failed",
        ),
        (
            {"unpriced_tokens": 12_345},
            "completed after 6 iterations in 1 m 20 s, $0.042 and 12.3k tokens without a price, "
            "1 of 9 tool calls failed",
        ),
    ],
)
def test_story(changes: dict[str, Any], sentence: str) -> None:
    """The sentence says how it ended, after how much, at what price, what failed and why."""
    assert story({**RUN, **changes}) == sentence
