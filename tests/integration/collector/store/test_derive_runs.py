"""Which rows a run is derived from."""

from collections.abc import Callable
from typing import Any

from loopwatch_collector.store.store import Store

Span = Callable[..., list[Any]]
Write = Callable[[Store, list[list[Any]]], None]


def _spans_by_run(store: Store) -> dict[str, int]:
    return dict(store.connection().rows("SELECT run_id, spans FROM runs FINAL WHERE is_deleted = 0 ORDER BY run_id"))


def test_a_span_counts_only_in_the_run_that_its_newest_version_names(store: Store, span: Span, write: Write) -> None:
    """A span that came again as another run's is no longer counted where it was, once that run is derived again."""
    write(store, [span(1, run_id="first"), span(2, run_id="first"), span(3, run_id="second")])
    write(store, [span(2, run_id="second", row_version=2)])
    write(store, [span(4, run_id="first", at_s=1)])
    assert _spans_by_run(store) == {"first": 2, "second": 2}


def test_an_older_version_that_comes_late_changes_nothing(store: Store, span: Span, write: Write) -> None:
    """A version that was replaced before it arrived does not count in the run it names."""
    write(store, [span(1, run_id="first"), span(2, run_id="first", row_version=2)])
    write(store, [span(3, run_id="second"), span(2, run_id="second", row_version=1)])
    assert _spans_by_run(store) == {"first": 2, "second": 1}


def test_a_run_is_derived_from_all_its_traces(store: Store, span: Span, write: Write) -> None:
    """Spans of a run in a trace that this refresh brought nothing of are counted; other runs' in it are not."""
    other = b"\x02" * 16
    write(store, [span(1, run_id="first"), span(2, run_id="first", trace_id=other, at_s=90), span(3, run_id="second")])
    write(store, [span(4, run_id="first", at_s=2), span(5, run_id="second", trace_id=other, at_s=91)])
    assert _spans_by_run(store) == {"first": 3, "second": 2}


def _calls_and_tokens(store: Store) -> dict[str, tuple[int, int]]:
    rows = store.connection().rows("SELECT run_id, model_calls, input_tokens FROM runs FINAL WHERE is_deleted = 0")
    return {run_id: (calls, tokens) for run_id, calls, tokens in rows}


def _call(span: Span, number: int, request: str, answer: str, **values: Any) -> list[Any]:
    """A model call that lasts a second, told by a span that knows both models or only the one that was asked."""
    told = {"input_tokens": 100, "output_tokens": 10, "duration_ns": 10**9, "request_model": request, **values}
    return span(number, kind="model_call", model=answer or request, **told)


_NAMED_BY_BOTH = {
    "the one asked": ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", ("claude-sonnet-4-5", "")),
    "the answering one": ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", ("", "claude-sonnet-4-5-20250929")),
    "with its date": ("claude-sonnet-4-5", "", ("claude-sonnet-4-5-20250929", "")),
    "an alias": ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", ("claude-3-5-sonnet-latest", "")),
    "what it stands for": ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", ("claude-3-5-sonnet-20241022", "")),
    "a date in parts": ("gpt-4o", "gpt-4o-2024-08-06", ("gpt-4o", "")),
}  # fmt: skip


def test_a_wrapper_that_knows_one_name_of_the_model_reports_the_same_call(
    store: Store, span: Span, write: Write
) -> None:
    """The model asked for and the one that answered are one call's, whichever of them a wrapper without id names.

    The same tokens at the same time are no more than that: of another model they are another call.
    """
    rows: list[list[Any]] = []
    for number, (run_id, (asked, answered, wrapper)) in enumerate(
        [*_NAMED_BY_BOTH.items(), ("another model", ("gpt-4o", "gpt-4o-2024-08-06", ("gpt-4o-mini", "")))]
    ):
        shared = {"run_id": run_id, "trace_id": bytes([number + 1]) * 16}
        known = {"at_s": 0.1, "response_id": "msg_1", "call_key": f"{run_id}:msg_1", "call_rank": 9}
        rows += [
            span(1, kind="run", **shared),
            _call(span, 2, asked, answered, **known, **shared),
            _call(span, 3, *wrapper, **shared),
        ]
    write(store, rows)
    assert _calls_and_tokens(store) == {**dict.fromkeys(_NAMED_BY_BOTH, (1, 100)), "another model": (2, 200)}
