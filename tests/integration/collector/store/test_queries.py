"""The named queries on four runs worked out by hand, with and without duplicates present."""

import csv
import io
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.errors import InvalidParameter, UnknownQuery
from loopwatch_collector.queries.runner import Question, ask, ask_raw
from loopwatch_collector.queries.runs import RunOrder, get_run, get_spans, list_runs
from loopwatch_collector.queries.times import parse_time
from loopwatch_collector.store.store import Store

FROM_NS = parse_time("from", "2026-09-30T00:00:00Z")
TO_NS = parse_time("to", "2026-10-02T00:00:00Z")
DAY = {"step_seconds": "86400"}

EXPECTED: dict[tuple[str, tuple[tuple[str, str], ...]], list[list[Any]]] = {
    ("runs_summary", ()): [
        [4, 1, 1, 1, 0, 1, 1 / 3, 1 / 3, 1 / 3, 0.0331, 110, 1600, 130, 1730, 20e9, 29e9, 7, 5, 2]
    ],
    ("runs_over_time", (("step_seconds", "86400"),)): [
        ["2026-09-30T00:00:00Z", "failed", 1],
        ["2026-10-01T00:00:00Z", "abandoned", 1],
        ["2026-10-01T00:00:00Z", "completed", 1],
        ["2026-10-01T00:00:00Z", "escalated", 1],
    ],
    ("tokens_over_time", (("step_seconds", "86400"),)): [
        ["2026-09-30T00:00:00Z", "cache_read", 0],
        ["2026-09-30T00:00:00Z", "cache_write", 0],
        ["2026-09-30T00:00:00Z", "input", 0],
        ["2026-09-30T00:00:00Z", "output", 0],
        ["2026-10-01T00:00:00Z", "cache_read", 400],
        ["2026-10-01T00:00:00Z", "cache_write", 100],
        ["2026-10-01T00:00:00Z", "input", 1100],
        ["2026-10-01T00:00:00Z", "output", 130],
    ],
    ("cost_over_time", (("dimension", "customer"), ("step_seconds", "86400"))): [
        ["2026-09-30T00:00:00Z", "", 0.0, 0, 1],
        ["2026-10-01T00:00:00Z", "acme", 0.0031, 1370, 2],
        ["2026-10-01T00:00:00Z", "zeta", 0.03, 360, 1],
    ],
    ("cost_by", (("dimension", "model"),)): [
        ["opus", 2, 4, 0.033, 1300, 110, 400, 100, 0],
        ["haiku", 1, 1, 0.0001, 200, 10, 0, 0, 0],
        ["home-made", 1, 2, None, 100, 10, 0, 0, 110],
    ],
    ("cost_top_runs", ()): [
        ["run-escalated", "resolver", "2026-10-01T12:01:40Z", "escalated", 3, 0.03, 360],
        ["run-completed", "resolver", "2026-10-01T12:00:00Z", "completed", 2, 0.0031, 1260],
        ["run-failed", "helper", "2026-09-30T23:59:55Z", "failed", 0, 0.0, 0],
        ["run-open", "helper", "2026-10-01T12:03:20Z", "abandoned", 2, None, 110],
    ],
    ("iterations_summary", ()): [[4, 7, 1.75, 2.0, 2.85, 2.97, 3, 2, 1, 0.5]],
    ("iteration_distribution", ()): [
        ["helper", "", "abandoned", 2, 1],
        ["helper", "", "failed", 0, 1],
        ["resolver", "12", "completed", 2, 1],
        ["resolver", "13", "escalated", 3, 1],
    ],
    ("iteration_trend", (("step_seconds", "86400"),)): [
        ["2026-09-30T00:00:00Z", 1, 0.0, 0.0, None],
        ["2026-10-01T00:00:00Z", 3, 7 / 3, 2.9, 0.5],
    ],
    ("tool_summary", ()): [
        ["search", 3, 0, 1, 0, 0.0, 0.0, 0.5614970, 200.0, 380.0, 3],
        ["metrics", 2, 2, 0, 1, 1.0, 0.3423802, 1.0, 400.0, 490.0, 1],
    ],
    ("tools_by_agent", ()): [
        ["metrics", "resolver", 2, 2, 1.0, 0.3423802, 1.0, 1],
        ["search", "resolver", 2, 0, 0.0, 0.0, 0.6576198, 2],
        ["search", "helper", 1, 0, 0.0, 0.0, 0.7934507, 1],
    ],
    ("tool_errors", ()): [
        ["metrics", "Timeout", "no answer from … after # s", 2, "run-completed", "0000000000000013",
         "2026-10-01T12:00:04Z"],
    ],
    ("tools_over_time", (("step_seconds", "86400"),)): [
        ["2026-10-01T00:00:00Z", "metrics", 2, 2],
        ["2026-10-01T00:00:00Z", "search", 3, 0],
    ],
    ("escalations_summary", ()): [[4, 1, 1 / 3, 3.0, 0.03]],
    ("escalations_by", ()): [["resolver", 2, 2, 1, 3.0, 0.03], ["helper", 2, 1, 0, None, None]],
    ("escalation_reasons", ()): [["no fix found", "search", 1, 3.0, 0.03, "run-escalated"]],
    ("escalations_over_time", (("step_seconds", "86400"),)): [
        ["2026-09-30T00:00:00Z", 1, 0],
        ["2026-10-01T00:00:00Z", 3, 1],
    ],
    ("escalations", ()): [
        ["run-escalated", "2026-10-01T12:02:00Z", "resolver", "13", "zeta", "no fix found", "high", "search", 3, 0.03]
    ],
    ("filter_values", ()): [
        ["agent", "helper", 2],
        ["agent", "resolver", 2],
        ["customer", "acme", 2],
        ["customer", "zeta", 1],
        ["environment", "dev", 2],
        ["environment", "prod", 2],
        ["model", "opus", 2],
        ["model", "haiku", 1],
        ["model", "home-made", 1],
        ["outcome", "abandoned", 1],
        ["outcome", "completed", 1],
        ["outcome", "escalated", 1],
        ["outcome", "failed", 1],
        ["version", "12", 1],
        ["version", "13", 1],
    ],
}  # fmt: skip


REQUIRED = {"version_a": "12", "version_b": "13"}


def _required(name: str) -> dict[str, str]:
    return {param.name: REQUIRED[param.name] for param in catalogue()[name].params if param.default is None}


def _question(name: str, **changes: Any) -> Question:
    return Question(**{"name": name, "project": "default", "from_ns": FROM_NS, "to_ns": TO_NS, **changes})


def _rounded(row: list[Any]) -> list[Any]:
    return [round(float(f"{value:.6g}"), 12) if isinstance(value, float) else value for value in row]


def _assert_expected(store: Store) -> None:
    for (name, params), rows in EXPECTED.items():
        answer = ask(store.connection(), _question(name, params=dict(params)))
        assert [len(row) for row in answer.rows] == [len(answer.query.columns)] * len(answer.rows), name
        assert len(answer.rows) == len(rows), (name, answer.rows)
        for got, wanted in zip(answer.rows, rows, strict=True):
            assert _rounded(got) == _rounded(wanted), name


def test_every_query_counts_the_hand_worked_fleet(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Each named query answers what the fleet adds up to on paper."""
    write(store, fleet)
    _assert_expected(store)


def test_every_query_is_named_by_a_test() -> None:
    """No named query is without a test that asks it by its name."""
    folder = Path(__file__).parents[2]
    tests = "".join(file.read_text(encoding="utf-8") for file in folder.rglob("test_*.py"))
    assert [name for name in catalogue() if f'"{name}"' not in tests] == []


def test_duplicates_and_any_order_change_no_number(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Spans sent twice, in any order and one at a time, leave every answer as it was, before any merge."""
    store.connection().run("SYSTEM STOP MERGES")
    shuffled = [*fleet, *fleet]
    random.Random(7).shuffle(shuffled)
    for row in shuffled:
        write(store, [row])
    _assert_expected(store)


def test_filters_keep_only_matching_runs(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Values of one filter are alternatives, different filters must all match, and span queries obey them too."""
    write(store, fleet)
    connection = store.connection()
    filters = {"customer": ["acme", "zeta"], "model": ["opus"]}
    assert ask(connection, _question("runs_summary", filters=filters)).rows[0][0] == 2
    rows = ask(connection, _question("tool_summary", filters={"version": ["13"]})).rows
    assert [row[:2] for row in rows] == [["search", 1]]


def test_other_projects_and_ranges_are_empty(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """A project sees only its own runs, and a range without runs answers with zeros and nothing else."""
    write(store, fleet)
    for name in catalogue():
        answer = ask(store.connection(), _question(name, project="other", params=_required(name)))
        assert not any(isinstance(value, str) or value for row in answer.rows for value in row), (name, answer.rows)
        early = ask(store.connection(), _question(name, from_ns=1, to_ns=2, params=_required(name)))
        assert early.rows == answer.rows, name


def test_pages_cover_an_answer_once(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Following next_cursor gives each row of the whole answer once."""
    write(store, fleet)
    rows: list[list[Any]] = []
    cursor = ""
    while True:
        page = ask(store.connection(), _question("filter_values", limit=4, cursor=cursor))
        rows += page.rows
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert rows == EXPECTED["filter_values", ()]


def test_csv_has_the_columns_of_the_catalogue(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """The CSV of every query starts with the column names the catalogue promises."""
    write(store, fleet)
    for name, query in catalogue().items():
        text = ask_raw(store.connection(), _question(name, params=_required(name)), "CSVWithNames").body.decode()
        assert next(csv.reader(io.StringIO(text))) == [column.name for column in query.columns]


def test_wrong_questions_say_what_to_do(store: Store) -> None:
    """A query, parameter or value that does not exist is refused with a sentence that names what does."""
    with pytest.raises(UnknownQuery, match="did you mean 'cost_by'"):
        ask(store.connection(), _question("cost_bye"))
    with pytest.raises(InvalidParameter, match="it takes: dimension"):
        ask(store.connection(), _question("cost_by", params={"demension": "model"}))
    with pytest.raises(InvalidParameter, match="one of model, agent"):
        ask(store.connection(), _question("cost_by", params={"dimension": "colour"}))
    with pytest.raises(InvalidParameter, match="from 1 on"):
        ask(store.connection(), _question("runs_over_time", params={"step_seconds": "0"}))


def test_runs_are_listed_latest_first_page_by_page(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Pages of the list cover the range once, over midnight too, and filters apply to each page."""
    write(store, fleet)
    seen: list[str] = []
    cursor = ""
    while True:
        page = list_runs(store.connection(), "default", FROM_NS, TO_NS, {}, 1, cursor)
        seen += [run["run_id"] for run in page.runs]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == ["run-open", "run-escalated", "run-completed", "run-failed"]
    dev = list_runs(store.connection(), "default", FROM_NS, TO_NS, {"environment": ["dev"]}, 50)
    assert [run["run_id"] for run in dev.runs] == ["run-open", "run-failed"]
    abandoned = list_runs(store.connection(), "default", FROM_NS, TO_NS, {"outcome": ["abandoned"]}, 50)
    assert [run["run_id"] for run in abandoned.runs] == ["run-open"]


def test_latest_runs_are_found_however_far_away(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Pages of two cover runs of this hour, of wrong clocks years ahead and of years ago once, latest first."""
    hours = (600_000, 500_000, 20, 0, -1, -30, -500, -20_000)
    now_s = time.time() - 1_790_856_000  # rows are placed by seconds from then on
    for number, hour in enumerate(hours, start=1):
        trace = {"trace_id": bytes([number]) * 16, "run_id": f"run-{hour}"}
        write(store, [span(number, at_s=now_s + hour * 3600, kind="run", **trace)])
    far = parse_time("to", "2200-01-01T00:00:00Z")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = list_runs(store.connection(), "default", 0, far, {}, 2, cursor)
        seen += [run["run_id"] for run in page.runs]
        cursor = page.next_cursor
    assert seen == [f"run-{hour}" for hour in hours]
    ahead = list_runs(store.connection(), "default", parse_time("from", "2090-01-01T00:00:00Z"), far, {}, 2)
    assert [run["run_id"] for run in ahead.runs] == ["run-600000"]


@pytest.mark.parametrize(
    ("order_by", "descending", "wanted"),
    [
        ("start_time", False, ["failed", "completed", "escalated", "open"]),
        ("duration", True, ["failed", "escalated", "completed", "open"]),
        ("duration", False, ["open", "completed", "escalated", "failed"]),
        ("cost", True, ["escalated", "completed", "failed", "open"]),
        ("cost", False, ["failed", "completed", "escalated", "open"]),  # the open one has no cost
        ("tokens", True, ["completed", "escalated", "open", "failed"]),
        ("iterations", True, ["escalated", "open", "completed", "failed"]),  # of two iterations each, the later first
        ("tool_errors", True, ["completed", "open", "escalated", "failed"]),
    ],
)
def test_runs_are_listed_in_any_order_page_by_page(
    store: Store,
    fleet: list[list[Any]],
    write: Callable[[Store, list[list[Any]]], None],
    order_by: RunOrder,
    descending: bool,
    wanted: list[str],
) -> None:
    """Pages of one run each cover the range once in the order asked for; equal runs stand latest first."""
    write(store, fleet)
    seen: list[str] = []
    cursor = ""
    while True:
        page = list_runs(
            store.connection(), "default", FROM_NS, TO_NS, {}, 1, cursor, "", order_by, descending=descending
        )
        seen += [run["run_id"].removeprefix("run-") for run in page.runs]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == wanted


def test_a_run_is_read_with_its_children_spans_and_contents(
    store: Store,
    span: Callable[..., list[Any]],
    write: Callable[[Store, list[list[Any]]], None],
) -> None:
    """One run comes with the runs it started, its spans in order, and the bodies its spans refer to."""
    parent = span(1, kind="run", run_id="parent", content_roles=["input", "input"], content_hashes=[2**64 - 1, 5],
                  event_names=["loopwatch.decision"], event_times=[1_790_856_000_000_000_007],
                  event_attributes=[{"loopwatch.decision.name": "retry"}])  # fmt: skip
    child = span(2, kind="run", run_id="child", parent_run_id="parent", parent_span_id=(1).to_bytes(8, "big"))
    write(store, [parent, child])
    day = 1_790_856_000 // 86_400
    store.insert_contents([["default", b"\x01" * 16, 2**64 - 1, day, "hé"], ["default", b"\x01" * 16, 5, day, "b"]])
    run = get_run(store.connection(), "default", "parent")
    assert [entry["run_id"] for entry in run["child_runs"]] == ["child"]
    read = get_spans(store.connection(), "default", "parent", with_content=True)
    assert read["contents"] == {"ffffffffffffffff": "hé", "0000000000000005": "b"}
    (only,) = read["spans"]
    assert only["content"] == {"input": ["ffffffffffffffff", "0000000000000005"]}
    assert only["events"] == [
        {"name": "loopwatch.decision", "time": "2026-10-01T12:00:00Z", "offset_ns": 7,
         "attributes": {"loopwatch.decision.name": "retry"}}
    ]  # fmt: skip


def test_only_one_span_of_a_model_call_is_counted(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Of the spans that report one call, the one of the highest rank is marked as the one that counts."""
    write(store, fleet)
    spans = get_spans(store.connection(), "default", "run-completed", with_content=False)["spans"]
    counted = {entry["span_id"][-2:]: entry["counted"] for entry in spans if entry["kind"] == "model_call"}
    assert counted == {"0e": True, "0f": False, "10": True}
