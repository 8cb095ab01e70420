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
