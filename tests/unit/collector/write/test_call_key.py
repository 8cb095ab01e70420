"""Which spans are one model call."""

from loopwatch_collector.write.call_key import call_key, call_rank

TRACE, SPAN = b"t" * 16, b"s" * 8


def test_equal_response_ids_of_a_trace_are_one_call() -> None:
    """The key is the response id within its trace; without one the span stands for itself."""
    assert call_key(TRACE, SPAN, "msg_1") == call_key(TRACE, b"x" * 8, "msg_1")
    assert call_key(TRACE, SPAN, "msg_1") != call_key(b"u" * 16, SPAN, "msg_1")
    assert call_key(TRACE, SPAN, "") != call_key(TRACE, b"x" * 8, "")


def test_report_with_the_better_numbers_speaks() -> None:
    """A report that has output tokens beats one that has not; then the split of cache writes; then who is trusted."""
    full = {"has_input": True, "has_output": True, "has_write_split": True}
    assert call_rank("traceloop", **full) > call_rank("anthropic", **{**full, "has_output": False})
    assert call_rank("otel", **full) > call_rank("anthropic", **{**full, "has_write_split": False})
    assert call_rank("anthropic", **full) > call_rank("traceloop", **full) > call_rank("", **full)
    assert (
        0
        <= call_rank("", has_input=False, has_output=False, has_write_split=False)
        <= call_rank("anthropic", **full)
        < 256
    )
