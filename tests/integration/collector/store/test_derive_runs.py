"""Which rows a run is derived from."""

from collections.abc import Callable
from typing import Any

from loopwatch_collector.store.rows import SPAN_COLUMNS
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
    "its target": ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", ("claude-3-5-sonnet-20241022", "")),
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
        known = {"at_s": 0.1, "response_id": "msg_1", "call_rank": 9}
        rows += [
            span(1, kind="run", **shared),
            _call(span, 2, asked, answered, **known, **shared),
            _call(span, 3, *wrapper, **shared),
        ]
    write(store, rows)
    assert _calls_and_tokens(store) == {**dict.fromkeys(_NAMED_BY_BOTH, (1, 100)), "another model": (2, 200)}


def _id(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _agent(span: Span, number: int, parent: int, tokens: int, **values: Any) -> list[Any]:
    return span(number, kind="run", parent_span_id=_id(parent), input_tokens=tokens, duration_ns=9 * 10**9, **values)


def _inner_call(span: Span, number: int, parent: int, tokens: int, **values: Any) -> list[Any]:
    return span(number, kind="model_call", parent_span_id=_id(parent), input_tokens=tokens, model="m", **values)


def test_what_an_agent_used_in_all_counts_where_no_call_below_it_is_seen(
    store: Store, span: Span, write: Write
) -> None:
    """Each part of a run's tree is counted once: by its calls where there are some, else by its outermost aggregate."""
    trees = {
        "below the run's own": ((0, 300), [_agent(span, 1, 0, 0), _agent(span, 2, 1, 300)]),
        "beside a call": ((1, 400), [_agent(span, 1, 0, 500), _agent(span, 2, 1, 300), _inner_call(span, 3, 1, 100)]),
        "with calls of its own": (
            (2, 140),
            [_agent(span, 1, 0, 0), _agent(span, 2, 1, 90), span(3, parent_span_id=_id(2), kind="iteration"),
             _inner_call(span, 4, 3, 40), _inner_call(span, 5, 1, 100)],
        ),
        "within one that counts": (
            (0, 300), [_agent(span, 1, 0, 0), _agent(span, 2, 1, 300), span(3, parent_span_id=_id(2), kind="tool_call"),
                       _agent(span, 4, 3, 200)],
        ),
        "within one that does not": (
            (1, 210), [_agent(span, 1, 0, 0), _agent(span, 2, 1, 300), _inner_call(span, 3, 2, 10),
                       _agent(span, 4, 2, 200)],
        ),
        "the run's own, without calls": ((0, 500), [_agent(span, 1, 0, 500), _agent(span, 2, 1, 300)]),
        "the run's own, with a call": ((1, 80), [_agent(span, 1, 0, 500), _inner_call(span, 3, 1, 80)]),
    }  # fmt: skip
    for number, (run_id, (_, rows)) in enumerate(trees.items()):
        write(store, [list(_columns(row, run_id=run_id, trace_id=bytes([number + 1]) * 16).values()) for row in rows])
    assert _calls_and_tokens(store) == {run_id: expected for run_id, (expected, _) in trees.items()}
    costs = store.connection().rows("SELECT run_id, cost_usd, unpriced_tokens FROM runs FINAL WHERE is_deleted = 0")
    assert {run_id: (cost, tokens) for run_id, cost, tokens in costs} == {
        run_id: (None, tokens) for run_id, ((_, tokens), _) in trees.items()
    }


def test_failed_calls_told_by_several_libraries_count_once(store: Store, span: Span, write: Write) -> None:
    """Spans without id and tokens are one call below each other, however deep, and beside each other in two libraries.

    So they are where calls run at once, whichever of them began and ended first. What one library tells twice are two
    calls, and so is what does not lie within another's.
    """
    wrapper = {"scope": "wrapper", "duration_ns": 10**9}
    client = {"scope": "client", "duration_ns": 9 * 10**8, "at_s": 0.05}

    def call(number: int, at_s: float, lasts_s: float, scope: str, model: str = "m", below: int = 1) -> list[Any]:
        said = {"duration_ns": int(lasts_s * 10**9), "at_s": at_s, "scope": scope, "model": model}
        return span(number, kind="model_call", parent_span_id=_id(below), **said)

    def pair(number: int, at_s: float, lasts_s: float) -> list[list[Any]]:
        """A wrapper's span and the client's, which began a little later and ended a little earlier."""
        client_began_s = at_s + 0.25
        return [call(number, at_s, lasts_s, "wrapper"), call(number + 1, client_began_s, lasts_s - 0.5, "client")]

    failed = {
        "beside": (1, [_inner_call(span, 2, 1, 0, **wrapper), _inner_call(span, 3, 1, 0, **client)]),
        "three deep": (
            1,
            [_inner_call(span, 2, 1, 0, **wrapper), _inner_call(span, 3, 2, 0, **client),
             _inner_call(span, 4, 3, 0, scope="http", at_s=0.06)],
        ),
        "retried below": (
            1,
            [_inner_call(span, 2, 1, 0, **wrapper), _inner_call(span, 3, 2, 0, **client),
             _inner_call(span, 4, 2, 0, **{**client, "at_s": 0.5})],
        ),
        "retried beside": (
            2,
            [_inner_call(span, 2, 1, 0, **wrapper), _inner_call(span, 3, 1, 0, **client),
             _inner_call(span, 4, 1, 0, **wrapper, at_s=2), _inner_call(span, 5, 1, 0, **{**client, "at_s": 2.05})],
        ),
        "two at once": (2, pair(2, 0, 9) + pair(4, 1, 9)),
        "two at once, the first one longer": (2, pair(2, 0, 9) + pair(4, 1, 3)),
        "two at once, ending together": (2, pair(2, 0, 9) + pair(4, 0, 9)),
        "three at once in three libraries": (
            3,
            [row for number, lasts_s in enumerate((9, 6, 4))
             for row in [*pair(2 + 3 * number, number * 0.1, lasts_s),
                         call(4 + 3 * number, number * 0.1 + 0.5, lasts_s - 1, "http")]],
        ),
        "two parts of one that overlap": (
            1, [call(2, 0, 9, "wrapper"), call(3, 1, 5, "client"), call(4, 2, 6, "http")],
        ),
        "at once, of two models": (
            2, [call(2, 0, 9, "wrapper", model="m"), call(3, 0.1, 9, "wrapper", model="n"),
                call(4, 0.2, 8, "client", model="n"), call(5, 0.3, 8, "client", model="m")],
        ),
        "at once, one told by the wrapper alone": (2, [call(2, 0, 9, "wrapper"), *pair(3, 1, 7)]),
        "at once, one told by the client alone": (2, [call(2, 0.5, 9, "client"), *pair(3, 0, 7)]),
        "at once, one of them told below": (
            2, [call(2, 0, 9, "wrapper"), call(3, 1, 7, "client", below=2), call(4, 2, 5, "client")],
        ),
        "that one began before the other ended": (2, [call(2, 0, 5, "wrapper"), call(3, 3, 5, "client")]),
        "by one library": (
            2, [_inner_call(span, 2, 1, 0, **wrapper), _inner_call(span, 3, 1, 0, at_s=0.1, scope="wrapper")],
        ),
    }  # fmt: skip
    for number, (run_id, (_, rows)) in enumerate(failed.items()):
        rows = [span(1, kind="run", duration_ns=9 * 10**9), *rows]
        write(store, [list(_columns(row, run_id=run_id, trace_id=bytes([number + 1]) * 16).values()) for row in rows])
    assert _calls_and_tokens(store) == {run_id: (calls, 0) for run_id, (calls, _) in failed.items()}


def _columns(row: list[Any], **values: Any) -> dict[str, Any]:
    return {**{column.name: value for column, value in zip(SPAN_COLUMNS, row, strict=True)}, **values}
