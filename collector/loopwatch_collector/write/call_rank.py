"""Which of the spans that report one model call speaks for it.

A call may be reported several times: by the Anthropic client itself, by a wrapper around it, by an API-side span.
Spans of one trace with equal response ids are one call; a span without one is a call of its own, unless the derivation
of its run knows better. Of several spans the one with the highest rank counts, so that sums do not depend on the order
of arrival.
"""

from typing import Final

# By how well the library's numbers are known to be right: Traceloop adds message_start's one output token to a
# stream's total, Logfire leaves cache tokens out of its attributes, the client itself reports what the API said.
_TRUST: Final = {
    "anthropic": 9,
    "loopwatch": 8,
    "otel": 7,
    "pydantic_ai": 6,
    "openinference": 5,
    "langfuse": 4,
    "logfire": 3,
    "traceloop": 2,
    "anthropic_platform": 1,
}
_HAS_OUTPUT: Final = 64
_HAS_WRITE_SPLIT: Final = 32
_HAS_INPUT: Final = 16


def call_rank(dialect: str, *, has_input: bool, has_output: bool, has_write_split: bool) -> int:
    """How much a span's numbers are worth among those of the same call.

    Args:
        dialect: who wrote it.
        has_input: whether it reports input tokens.
        has_output: whether it reports output tokens; a stream that was closed early has none.
        has_write_split: whether cache writes are split by lifetime, which decides their price.

    Returns:
        0 to 255; the highest counts.
    """
    return (
        _HAS_OUTPUT * has_output + _HAS_WRITE_SPLIT * has_write_split + _HAS_INPUT * has_input + _TRUST.get(dialect, 0)
    )
