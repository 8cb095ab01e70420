"""The filter language against stored runs: fields, free text, and what happened after what."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwatch_collector.queries.filter.errors import InvalidFilter
from loopwatch_collector.queries.filter.fields import EVENTS, FIELDS
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.queries.runs import list_runs
from loopwatch_collector.queries.times import parse_time
from loopwatch_collector.store.rows import LOG_EVENT_COLUMNS, SPAN_INDEX
from loopwatch_collector.store.store import Store

FROM_NS = parse_time("from", "2026-09-30T00:00:00Z")
TO_NS = parse_time("to", "2026-10-02T00:00:00Z")
NOON_NS = parse_time("noon", "2026-10-01T12:00:00Z")
Writing = Callable[[Store, list[list[Any]]], None]
SAMPLES = {"text": "x", "texts": "x", "number": "5", "duration": "5s", "money": "0.1", "time": "2026-10-01"}


def _matching(store: Store, text: str) -> list[str]:
    page = list_runs(store.connection(), "default", FROM_NS, TO_NS, {}, 50, filter_text=text)
    return sorted(run["run_id"].removeprefix("run-") for run in page.runs)


CASES = [
    ("agent = resolver", ["completed", "escalated"]),
    ("agent != resolver", ["failed", "open"]),
    ("environment in (prod, dev) outcome = escalated", ["escalated"]),
    ("cost > 0.01", ["escalated"]),
    ("not cost > 0.01", ["completed", "failed", "open"]),
    ("duration >= 20s and duration < 1m", ["escalated", "failed"]),
    ("model = haiku or model ~ HOME", ["completed", "open"]),
    ("iterations = 2 (customer = acme)", ["completed", "open"]),
    ("started < 2026-10-01", ["failed"]),
    ("outcome = abandoned", ["open"]),
    ("called(metrics)", ["completed"]),
    ("failed()", ["completed"]),
    ("called(search) then failed(metrics)", ["completed"]),
    ("failed(metrics) then failed(metrics)", ["completed"]),
    ("failed(metrics) then called(search)", []),
    ("asked(opus) then not_found(search) then escalated()", ["escalated"]),
    ("escalated() then called(search)", []),
    ("\"no answer from 'db-22'\"", ["completed"]),
    ('"NO ANSWER"', ["completed"]),
    ('"disk is full"', ["escalated"]),
    ('"is full disk"', []),
    ('"isk is"', []),
    ('"größer als"', ["escalated"]),
    ('"disk" and not called(metrics)', ["escalated"]),
]


def test_runs_are_found_by_tags_and_attributes_of_the_senders_own(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Any span of a run tells, or its resource; "" finds the runs of which none says anything, as it does of fields."""

    def run(number: int, name: str, **values: Any) -> list[Any]:
        trace = {"run_id": f"run-{name}", "trace_id": bytes([number]) * 16}
        return span(number, kind="run", **trace, **values)

    said = {"deployment.region": "eu-west", "team": "search"}
    child = {"parent_span_id": b"\x02" * 8, "attributes": {"team": "ads"}}
    write(store, [run(1, "span", attributes=said), run(2, "resource", attributes={"resource.team": "search"})])
    write(store, [run(3, "bare", tags=["nightly"])])
    write(store, [span(4, at_s=1, kind="step", run_id="run-resource", trace_id=b"\x02" * 16, **child)])
    found = {
        "attributes.team = search": ["resource", "span"],
        "attributes.team in (ads, ops)": ["resource"],
        "attributes.team != search": ["bare"],
        "attributes.team ~ AD": ["resource"],
        'attributes.team = ""': ["bare"],
        "attributes.deployment.region = eu-west": ["span"],
        "attributes.resource.team = search": ["resource"],
        "not attributes.team = ads and not tag = nightly": ["span"],
        'tag = ""': ["resource", "span"],
        "tag = nightly": ["bare"],
    }
    assert {text: _matching(store, text) for text in found} == found


def test_a_tenth_of_confidence_leads_to_its_runs(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """decided_with finds as many runs in each tenth as the distribution of confidence counts there."""
    confidences = {"none": [], "odd": ["2", "soon"], "low": ["0"], "mixed": ["0.31", "0.39", "0.95"], "sure": ["1"]}
    write(
        store,
        [
            span(
                number,
                run_id=f"run-{name}",
                trace_id=bytes([number]) * 16,
                kind="run",
                event_names=["loopwatch.decision"] * len(stated),
                event_times=list(range(len(stated))),
                event_attributes=[{"loopwatch.decision.confidence": each} for each in stated],
            )
            for number, (name, stated) in enumerate(confidences.items(), 1)
        ],
    )
    answer = ask(store.connection(), Question("confidence_distribution", "default", FROM_NS, TO_NS))
    assert {low: (decisions, runs) for low, decisions, runs in answer.rows} == {0: (1, 1), 0.3: (2, 1), 0.9: (2, 2)}
    assert {low: len(_matching(store, f"decided_with({low:g})")) for low, _, _ in answer.rows} == {
        low: runs for low, _, runs in answer.rows
    }
    assert _matching(store, "decided_with(0.9)") == ["mixed", "sure"]


def test_filters_find_the_runs_they_describe(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Each filter finds exactly the runs of the hand-worked fleet that fit it."""
    _with_content(fleet)
    write(store, fleet)
    day = FROM_NS // 86_400_000_000_000 + 1
    store.insert_contents([["default", (2).to_bytes(16, "big"), 77, day, "Disk is full: größer als 10 GB"]])
    found = [(text, _matching(store, text)) for text, _ in CASES]
    assert found == CASES


# What stands in a content, as it is stored, and phrases that stand in it, or do not.
WRITTEN = [
    ('say "hello world" to all', ['"say \\"hello world\\" to all"', '"\\"hello world\\" to"'], ['"hello  word"']),
    ('{"text": "say \\"hello world\\" to all"}', ['"say \\"hello world\\" to all"', '"world\\""'], ['"hello" "bye"']),
    ('{"body": "{\\"error\\": \\"no route\\"}"}', ['"\\"error\\": \\"no route\\""'], ['"error no route"']),
    ("the pool is\nexhausted  again", ['"pool is exhausted again"', '"is\nexhausted"'], ['"isexhausted"']),
    ('{"text": "the pool is\\nexhausted\\r\\n\\tagain"}', ['"POOL is exhausted again"', '"exhausted"'], ['"xhausted"']),
    (r'{"path": "C:\\new\\disk"}', [r'"C:\\new\\disk"', '"disk"'], ['"newdisk"']),
    ('{"q": "gr\\u00f6\\u00dfer als \\ud83d\\ude00 hier"}', ['"größer als 😀 hier"'], ['"größe"']),
    ("it's 100% (sure) [a|b] .*", ['"100% (sure) [a|b] .*"'], ['"100% (sure) .*"']),
]  # fmt: skip


@pytest.mark.parametrize(("body", "found", "missed"), WRITTEN, ids=lambda value: repr(value)[:20])
def test_a_phrase_is_found_however_its_text_is_written(
    store: Store, fleet: list[list[Any]], write: Writing, body: str, found: list[str], missed: list[str]
) -> None:
    """Quotation marks, line breaks and letters beyond ASCII are found in plain texts and escaped in JSON."""
    _with_content(fleet)
    write(store, fleet)
    day = FROM_NS // 86_400_000_000_000 + 1
    store.insert_contents([["default", (2).to_bytes(16, "big"), 77, day, body]])
    store.connection().run("OPTIMIZE TABLE contents FINAL")  # the words are indexed when parts are merged
    assert {text: _matching(store, text) for text in found} == {text: ["escalated"] for text in found}
    assert {text: _matching(store, text) for text in missed} == {text: [] for text in missed}


def test_a_phrase_is_found_in_what_came_in_logs(store: Store, fleet: list[list[Any]], write: Writing) -> None:
    """Contents and attributes of log events lead to the run of the span they belong to; events without one to none."""
    write(store, fleet)
    trace, span_id = (1).to_bytes(16, "big"), (14).to_bytes(8, "big")
    time_ns, day = NOON_NS + 1, NOON_NS // 86_400_000_000_000
    store.insert_contents([["default", trace, 5, day, "asked by log"], ["default", trace, 6, day, "never arrived"]])
    common = {"project": "default", "trace_id": trace, "span_id": span_id, "time": time_ns, "attributes": {}}
    events = [
        {**common, "hash": 1, "content_roles": ["input"], "content_hashes": [5]},
        {**common, "hash": 2, "attributes": {"prompt": "typed into\na terminal"}},
        {**common, "hash": 3, "span_id": b"no span.", "content_hashes": [6]},
    ]
    assert _matching(store, '"asked by log"') == []
    store.insert_log_events(
        [[event.get(column.name, column.default) for column in LOG_EVENT_COLUMNS] for event in events]
    )
    assert _matching(store, '"asked by log"') == ["completed"]
    assert _matching(store, '"into a terminal"') == ["completed"]
    assert _matching(store, '"never arrived"') == []


def test_named_queries_and_every_field_and_event_take_filters(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Every field with every operator, and every event, is SQL the engine takes; named queries obey the filter."""
    write(store, fleet)
    for field in FIELDS.values():
        value = next(iter(field.values), SAMPLES[field.type])
        _matching(store, " or ".join(f"{field.name} {operator} {value}" for operator in field.operators))
    for event in EVENTS.values():
        _matching(store, f"{event.name}() then {event.name}() or {event.name}({'x' if event.of else ''})")
    question = Question("tool_summary", "default", FROM_NS, TO_NS, filter_text="outcome = escalated")
    assert [row[:2] for row in ask(store.connection(), question).rows] == [["search", 1]]


PIECES = st.one_of(
    st.sampled_from([*FIELDS, *(f"{event}()" for event in EVENTS)]),
    st.sampled_from(["and", "or", "not", "then", "(", ")", "=", "!=", "~", "<", ">="]),
    st.sampled_from(['"a\' b"', '"); DROP TABLE runs --"', '"{x:String}"', '"\\\\"', "5", "a", '"{{filter}}"', '"\0"']),
    st.text(st.characters(codec="utf-8"), max_size=6).map(
        lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    ),
)


def test_hostile_filters_find_no_way_out(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Any mixture of the language's pieces and hostile texts is refused, or answered; the data stays as it was."""
    write(store, fleet)

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(PIECES, min_size=1, max_size=9).map(" ".join))
    def check(text: str) -> None:
        with contextlib.suppress(InvalidFilter):
            _matching(store, text)

    check()
    assert _matching(store, "") == ["completed", "escalated", "failed", "open"]


def _with_content(fleet: list[list[Any]]) -> None:
    for row in fleet:
        if row[SPAN_INDEX["run_id"]] == "run-escalated" and row[SPAN_INDEX["kind"]] == "model_call":
            row[SPAN_INDEX["content_roles"]], row[SPAN_INDEX["content_hashes"]] = ["input"], [77]
