from collections import Counter
from itertools import pairwise

import pytest

from loopwatch import names
from loopwatch_collector.simulate.incidents import KINDS
from loopwatch_collector.simulate.rhythm import DAY_NS
from loopwatch_collector.simulate.simulation import Simulation, runs_for
from loopwatch_collector.simulate.truth import Truth
from tests.unit.collector.simulate.otlp import ReadSpan, messages, read

FIRST_DAY_NS = 20_410 * DAY_NS  # 2025-11-18, a Tuesday


def _simulation(runs: int = 120, **changes: object) -> Simulation:
    return Simulation(FIRST_DAY_NS, 7, runs, **changes)  # type: ignore[arg-type]  # the changes are fields


def _bytes_without(span: ReadSpan, left_out: frozenset[str]) -> bytes:
    kept = [pair for pair in span.span.attributes if pair.key not in left_out]
    del span.span.attributes[:]
    span.span.attributes.extend(kept)
    return span.span.SerializeToString()


@pytest.mark.parametrize("spans_per_request", [1, 7, 100_000])
def test_the_seed_alone_decides_the_spans(spans_per_request: int) -> None:
    """The same seed gives the same spans, byte for byte, however they are cut into requests."""
    reference = {span.key: span.span.SerializeToString() for span in read(_simulation(40).requests())}
    cut = list(_simulation(40).requests(spans_per_request=spans_per_request))
    assert all(request.spans == spans_per_request for request in cut[:-1])
    assert {span.key: span.span.SerializeToString() for span in read(cut)} == reference


def test_another_seed_is_another_fleet() -> None:
    """No span of one seed is a span of another."""
    one, other = ({span.key for span in read(_simulation(40, seed=seed).requests())} for seed in (1, 2))
    assert not one & other


def test_content_changes_nothing_but_content() -> None:
    """With content a span has contents, URLs and messages of errors besides, and is else the same."""
    bare, full = _simulation(40), _simulation(40, has_content=True)
    left_out = names.CONTENT_ATTRIBUTES | {"url.path", "url.full"}
    for without, with_content in zip(read(bare.requests()), read(full.requests()), strict=True):
        assert not left_out & without.attributes.keys()
        for span in (without.span, with_content.span):
            span.status.message = ""
            del span.events[:]
        assert without.span.SerializeToString() == _bytes_without(with_content, left_out)


def test_without_content_no_text_of_a_request_is_in_the_bytes() -> None:
    """What an agent was asked, and what its exceptions say, does not leave when content is off."""
    bodies = b"".join(request.body for request in _simulation(60).requests())
    for message in (b"exception.message", b"no answer after", b'"query"'):
        assert message not in bodies


def test_spans_are_numbered_without_gaps_in_their_process() -> None:
    """`loopwatch.seq` counts from 1 in each process, in the order in which the spans were sent."""
    numbers: dict[str, list[int]] = {}
    for span in read(_simulation(200).requests(spans_per_request=50)):
        numbers.setdefault(span.process_id, []).append(span.attributes[names.SEQ])
    assert len(numbers) > 20
    # Within one request the spans of a process are ordered by scope.
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbers.values())


def test_identities_are_unique_and_parents_exist() -> None:
    """No two spans share an id, children lie within their parents, and only killed runs lack theirs."""
    truth = Truth()
    spans = list(read(_simulation(400).requests(truth)))
    by_key = {span.key: span.span for span in spans}
    assert len(by_key) == len(spans)
    orphans = set()
    for span in spans:
        if not span.span.parent_span_id:
            continue
        parent = by_key.get((span.span.trace_id, span.span.parent_span_id))
        if parent is None:
            orphans.add(span.attributes[names.RUN_ID])
        else:
            assert parent.start_time_unix_nano <= span.span.start_time_unix_nano
            assert span.span.end_time_unix_nano <= parent.end_time_unix_nano, (span.span.name, parent.name)
    assert len(orphans) == truth.totals["unfinished"]


def test_runs_come_by_their_start_and_within_the_days() -> None:
    """Runs are sent in the order of their starts, and all start within the days asked for."""
    starts = [run.planned.start_ns for run in _simulation(300).facts()]
    assert all(one <= other for one, other in pairwise(starts))
    assert starts[0] >= FIRST_DAY_NS
    assert starts[-1] < FIRST_DAY_NS + 7 * DAY_NS


def test_truth_is_what_the_spans_say() -> None:
    """Every number of the truth can be counted from the decoded spans alone."""
    truth = Truth()
    spans = list(read(_simulation(500).requests(truth)))
    operations = Counter(span.attributes.get(names.OPERATION_NAME) for span in spans)
    tools = [span for span in spans if span.attributes.get(names.OPERATION_NAME) == "execute_tool"]
    runs = [span for span in spans if span.attributes.get(names.OPERATION_NAME) == "invoke_agent"]
    outcomes = Counter(span.attributes[names.OUTCOME] for span in runs)
    events = Counter(name for span in spans for name, _ in span.events)
    totals = truth.totals
    assert totals["spans"] == len(spans)
    assert totals["runs"] == len({span.attributes[names.RUN_ID] for span in spans})
    assert totals["unfinished"] == totals["runs"] - operations["invoke_agent"]
    assert totals["model_calls"] == operations["chat"]
    assert totals["tool_calls"] == operations["execute_tool"]
    assert totals["iterations"] == sum(span.attributes.get(names.KIND) == "iteration" for span in spans)
    assert totals["tool_errors"] == sum(span.attributes[names.TOOL_OUTCOME] == "error" for span in tools)
    assert totals["tool_not_found"] == sum(span.attributes[names.TOOL_OUTCOME] == "not_found" for span in tools)
    assert totals["input_tokens"] == sum(span.attributes.get(names.INPUT_TOKENS, 0) for span in spans)
    assert totals["output_tokens"] == sum(span.attributes.get(names.OUTPUT_TOKENS, 0) for span in spans)
    assert {name: totals[name] for name in outcomes} == outcomes
    assert totals["escalated"] == events[names.ESCALATION_EVENT]
    assert totals["verdicts"] == events[names.EVALUATION_EVENT]
    assert sum(count for name, count in totals.items() if name.startswith("loops_")) == events[names.LOOP_EVENT]
    assert sum(count for name, count in totals.items() if name.startswith("limit_")) == events[names.LIMIT_EVENT]


def test_groups_of_the_truth_add_up_to_its_totals() -> None:
    """Days, agents and customers each hold all of it; models and tools all of theirs."""
    truth = Truth()
    simulation = _simulation(300)
    for _ in truth.watch(simulation.facts()):
        pass
    document = simulation.document(truth)
    totals = document["totals"]
    for group in ("by_day", "by_agent", "by_customer"):
        for number in ("runs", "spans", "input_tokens", "tool_errors", "completed"):
            assert sum(counts.get(number, 0) for counts in document[group].values()) == totals[number], (group, number)
    assert sum(counts["calls"] for counts in document["by_model"].values()) == totals["model_calls"]
    assert sum(counts["errors"] for counts in document["by_tool"].values()) == totals["tool_errors"]
    assert sum(sum(counts.values()) for counts in document["iterations"].values()) == totals["runs"]
    assert "page_on_call" in document["never_called"]["incident-resolver"]


def test_tokens_are_consistent() -> None:
    """Cached tokens are a part of the input and reasoning a part of the output; only some models write caches."""
    for span in read(_simulation(200).requests()):
        said = span.attributes
        if names.INPUT_TOKENS in said:
            cached = said.get(names.CACHE_READ_TOKENS, 0) + said.get(names.CACHE_WRITE_TOKENS, 0)
            assert cached <= said[names.INPUT_TOKENS] < 100_000
            assert said.get(names.REASONING_TOKENS, 0) <= said[names.OUTPUT_TOKENS]
            assert (names.CACHE_WRITE_TOKENS in said) == (said[names.PROVIDER_NAME] == "anthropic")


def test_contents_are_json_and_histories_grow() -> None:
    """Messages, arguments and results decode; each model call resends what went before and adds to it."""
    histories: dict[str, list[object]] = {}
    for span in read(_simulation(60, has_content=True).requests()):
        said = span.attributes
        for name in names.CONTENT_ATTRIBUTES & said.keys():
            messages(span, name)
        if names.INPUT_MESSAGES in said:
            known = histories.get(said[names.RUN_ID], [])
            history = messages(span, names.INPUT_MESSAGES)
            assert history[: len(known)] == known
            histories[said[names.RUN_ID]] = history
        if names.TOOL_ARGUMENTS in said:
            assert len(said[names.TOOL_ARGUMENTS]) == said[names.TOOL_ARGUMENTS_BYTES]
        if names.TOOL_RESULT in said:
            assert len(said[names.TOOL_RESULT]) == said[names.TOOL_RESULT_BYTES]


def test_equal_hashes_are_equal_contents() -> None:
    """Two tool calls have the same arguments hash exactly when they have the same arguments."""
    texts: dict[str, set[str]] = {}
    for span in read(_simulation(300, has_content=True).requests()):
        if names.TOOL_ARGUMENTS in span.attributes:
            texts.setdefault(span.attributes[names.TOOL_ARGUMENTS_HASH], set()).add(
                span.attributes[names.TOOL_ARGUMENTS]
            )
    assert all(len(found) == 1 for found in texts.values())
    assert len(texts) == len(set.union(*texts.values()))


def test_customers_are_of_very_different_size() -> None:
    """The largest customer has more runs than the smallest hundred together."""
    truth = Truth()
    for _ in truth.watch(_simulation(5000, incident_kinds=()).facts()):
        pass
    runs = sorted((counts["runs"] for counts in truth.by_customer.values()), reverse=True)
    assert len(runs) > 150
    assert runs[0] > sum(runs[100:])


def test_conversations_have_several_runs_of_one_customer() -> None:
    """Some conversations continue, and each belongs to one customer and one user."""
    owners: dict[str, set[tuple[str, str]]] = {}
    runs: Counter[str] = Counter()
    for run in _simulation(1000).facts():
        if run.planned.conversation_id:
            owners.setdefault(run.planned.conversation_id, set()).add((run.planned.customer_id, run.planned.user_id))
            runs[run.planned.conversation_id] += 1
    assert max(runs.values()) >= 3
    assert all(len(found) == 1 for found in owners.values())


def test_about_as_many_spans_as_wanted() -> None:
    """The number of runs for a number of spans is right within a tenth."""
    truth = Truth()
    for _ in truth.watch(_simulation(runs_for(60_000, seed=1)).facts()):
        pass
    assert truth.totals["spans"] == pytest.approx(60_000, rel=0.1)


def test_every_incident_lies_within_the_days() -> None:
    """However few days there are, each incident has its place in them."""
    for days in (1, 2, 7, 60):
        simulation = Simulation(FIRST_DAY_NS, days, 10)
        assert {incident.kind for incident in simulation.incidents} == set(KINDS)
        for incident in simulation.incidents:
            assert FIRST_DAY_NS <= incident.from_ns < incident.to_ns <= FIRST_DAY_NS + days * DAY_NS
