"""Which of several reports of one model call speaks for it."""

from loopwatch_collector.write.call_rank import call_rank


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
