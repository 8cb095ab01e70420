"""Whatever way spans arrive, every question has one answer.

The questions are picked up from the catalogue: a new named query is under this test as soon as it exists.
"""

import itertools
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.queries import runs
from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.senders import Senders
from loopwatch_collector.write.storing import Storing
from tests.migrated_store import migrated_store

START_NS = time.time_ns() // 10**9 * 10**9 - 7_200 * 10**9
FROM_NS, TO_NS = START_NS - 3_600 * 10**9, START_NS + 7_200 * 10**9
REQUIRED = {"versions_compared": {"version_a": "1", "version_b": "2"}}
WRAPPER = "my.wrapper"
# One model call as different libraries report it: scope, whether they know the response id and the cache tokens.
REPORTERS = (
    ("com.anthropic.sdk.python", True, True),
    ("openinference.instrumentation.anthropic", True, True),
    ("opentelemetry.instrumentation.anthropic", True, False),
    ("loopwatch", True, True),
    (WRAPPER, False, False),
)
# The model that is asked for and the one that answers; the last has no price.
MODELS = (
    ("claude-opus-5-5", "claude-opus-5-5"),
    ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    ("home-made", "home-made"),
)
HELPER = "invoke_agent helper"

# Each dimension of a query is asked of one world out of so many: it only names the column that is grouped by.
_WORLDS = 3
_PARTS: dict[int, int] = {}
"""Which dimensions a seed's world is asked by, so that an example that fails fails again."""
_TRIES = itertools.count()
Sent = tuple[str, Span]
"""A span and the scope of the library that wrote it."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(migrated_store(tmp_path_factory.mktemp("counted") / "store"))
    yield opened
    opened.close()


def _pair(key: str, value: str | int | float) -> KeyValue:
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    return KeyValue(key=key, value=AnyValue(string_value=value))


class _Run:
    """Builds the spans of one run."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self.chance = chance
        self.trace = bytes([number + 1]) * 16
        self.start_ns = START_NS + number * 600 * 10**9
        self.clock_ns = self.start_ns
        self.sent: list[Sent] = []
        self.shared = {
            "loopwatch.run.id": f"{number:032x}",
            "gen_ai.agent.name": f"agent-{number % 2}",
            "gen_ai.agent.version": str(chance.randrange(1, 3)),
            "gen_ai.conversation.id": f"conversation-{number % 3}",
            "loopwatch.customer.id": f"customer-{number % 2}",
        }

    def span(self, scope: str, name: str, parent: bytes, lasts_s: float, **attributes: str | int | float) -> Span:
        span = Span(
            trace_id=self.trace,
            span_id=self.chance.randbytes(8),
            parent_span_id=parent,
            name=name,
            start_time_unix_nano=self.clock_ns,
            end_time_unix_nano=self.clock_ns + int(lasts_s * 10**9),
        )
        said = {**self.shared, **{key.replace("__", "."): value for key, value in attributes.items()}}
        span.attributes.extend(_pair(key, value) for key, value in said.items())
        self.clock_ns += 10**6
        self.sent.append((scope, span))
        return span

    def call(self, parent: bytes, iteration: int) -> None:
        used = {"gen_ai__usage__input_tokens": self.chance.randrange(100, 900),
                "gen_ai__usage__output_tokens": self.chance.randrange(1, 90)}  # fmt: skip
        cached = {"gen_ai__usage__cache_read__input_tokens": self.chance.randrange(0, 90)}
        response = {"gen_ai__response__id": f"msg_{self.chance.randrange(10**12)}"}
        asked, answered = self.chance.choice(MODELS)
        reporters = self.chance.sample(REPORTERS, self.chance.randrange(1, len(REPORTERS) + 1))
        if not any(has_id for _, has_id, _ in reporters):
            reporters.append(REPORTERS[0])
        for scope, has_id, has_cache in reporters:
            named = {"gen_ai__response__model": answered} if has_id and self.chance.random() < 0.5 else {}
            self.span(
                scope, f"chat {asked}", parent, 2.0, gen_ai__operation__name="chat",
                gen_ai__request__model=asked, loopwatch__iteration=iteration, **used, **named,
                **(response if has_id else {}), **(cached if has_cache else {}),
            )  # fmt: skip

    def failed_calls(self, parent: bytes, iteration: int) -> None:
        """One call that failed, or two at once, each told by a wrapper and by the client beside or below it."""
        asked, _ = self.chance.choice(MODELS)
        said = {"gen_ai__operation__name": "chat", "gen_ai__request__model": asked, "loopwatch__iteration": iteration}
        calls = range(self.chance.randrange(1, 3))
        wrappers = [self.span(WRAPPER, f"chat {asked}", parent, 1.0, **said) for _ in calls]
        below = [self.chance.choice([parent, wrapper.span_id]) for wrapper in wrappers]
        clients = [self.span("com.anthropic.sdk.python", f"chat {asked}", place, 0.5, **said) for place in below]
        for span in wrappers + clients:
            span.status.code = Status.STATUS_CODE_ERROR
            span.status.message = "overloaded"

    def helper(self, parent: bytes) -> None:
        """An agent within the run that tells what it used in all, and whose calls are not seen."""
        self.span(
            "loopwatch", HELPER, parent, 3.0, gen_ai__operation__name="invoke_agent",
            gen_ai__usage__input_tokens=self.chance.randrange(100, 900), gen_ai__usage__output_tokens=30,
        )  # fmt: skip

    def tool(self, parent: bytes, iteration: int) -> None:
        name = self.chance.choice(["search_logs", "get_metrics"])
        outcome = self.chance.choice(["success", "error", "not_found"])
        span = self.span(
            "loopwatch", f"execute_tool {name}", parent, 0.5, gen_ai__operation__name="execute_tool",
            gen_ai__tool__name=name, loopwatch__tool__outcome=outcome, loopwatch__iteration=iteration,
            gen_ai__tool__call__arguments='{"query":"error"}', gen_ai__tool__call__result=f"{outcome} of {name}",
        )  # fmt: skip
        if outcome == "error":
            span.status.code = Status.STATUS_CODE_ERROR
            span.status.message = "timed out after 30 s"

    def build(self) -> list[Sent]:
        outcome = self.chance.choice(["completed", "escalated", "failed"])
        # An agent span that repeats its children's usage: an aggregate, never counted beside them.
        root = self.span(
            "loopwatch", "invoke_agent", b"", 60.0, gen_ai__operation__name="invoke_agent",
            loopwatch__outcome=outcome, gen_ai__usage__input_tokens=9_999, gen_ai__usage__output_tokens=999,
        )  # fmt: skip
        if outcome == "escalated":
            event = root.events.add(name="loopwatch.escalation", time_unix_nano=self.clock_ns)
            event.attributes.append(_pair("loopwatch.escalation.reason", "no fix found"))
        if self.chance.random() < 0.5:
            event = root.events.add(name="gen_ai.evaluation.result", time_unix_nano=self.clock_ns)
            event.attributes.extend(
                [_pair("gen_ai.evaluation.name", "passed"), _pair("gen_ai.evaluation.score.value", 1.0)]
            )
        for iteration in range(1, self.chance.randrange(2, 5)):
            inner = self.span("loopwatch", f"iteration {iteration}", root.span_id, 5.0, loopwatch__kind="iteration",
                              loopwatch__iteration=iteration)  # fmt: skip
            self.call(inner.span_id, iteration)
            if self.chance.random() < 0.3:
                self.failed_calls(inner.span_id, iteration)
            for _ in range(self.chance.randrange(0, 3)):
                self.tool(inner.span_id, iteration)
        if self.chance.random() < 0.25:  # its end is never sent
            self.sent = [(scope, span) for scope, span in self.sent if span is not root]
        elif self.chance.random() < 0.5:
            self.helper(inner.span_id)
        return self.sent


def _world(seed: int) -> list[Sent]:
    chance = random.Random(seed)
    return [sent for number in range(chance.randrange(2, 6)) for sent in _Run(chance, number).build()]


def _record(project: str, sent: list[Sent], received_at_ns: int) -> Record:
    request = ExportTraceServiceRequest()
    for scope, span in sent:
        resource = request.resource_spans.add()
        resource.resource.attributes.append(_pair("service.name", "agents"))
        scope_spans = resource.scope_spans.add()
        scope_spans.scope.name = scope
        scope_spans.spans.append(span)
    return Record("traces", project, received_at_ns, "", len(sent), request.SerializeToString())


def _write(store: Store, requests: list[list[Sent]], project: str) -> None:
    storing = Storing(store, Pricer(), Metrics(), Senders())
    for number, sent in enumerate(requests, start=1):
        storing.write(storing.prepare([_record(project, sent, number)]), is_stubborn=False)
        storing.derive_runs(is_stubborn=False)


def _answers(store: Store, project: str, part: int) -> dict[str, list[str]]:
    connection = store.connection()
    questions = (
        (name, params)
        for name, query in catalogue().items()
        for params in (
            [REQUIRED.get(name, {})]
            if not _choices(query)
            else [{"dimension": one} for one in _choices(query)[part % _WORLDS :: _WORLDS]]
        )
    )
    answers = {
        f"{name} {params}": sorted(map(_text, ask(connection, Question(name, project, FROM_NS, TO_NS, params)).rows))
        for name, params in questions
    }  # fmt: skip
    found = runs.list_runs(connection, project, FROM_NS, TO_NS, {}, 100).runs
    answers["runs"] = sorted(map(_text, found))
    for run in found:
        spans = runs.get_spans(connection, project, run["run_id"], with_content=True)
        answers[f"spans of {run['run_id']}"] = [_text(spans)]
    return answers


def _text(value: Any) -> str:
    return json.dumps(_rounded(value), sort_keys=True)


def _rounded(value: Any) -> Any:
    # A sum of floats depends on their order in its last digit; money and counts are not floats where they are summed.
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list | tuple) else value


def _choices(query: Any) -> tuple[str, ...]:
    return next((param.values for param in query.params if param.name == "dimension"), ())


def _arranged(sent: list[Sent], chance: random.Random) -> list[list[Sent]]:
    """The same spans in another order, some of them again, in requests of any size."""
    shuffled = sent + chance.sample(sent, chance.randrange(len(sent)))
    chance.shuffle(shuffled)
    cuts = sorted({0, len(shuffled), *(chance.randrange(len(shuffled)) for _ in range(chance.randrange(5)))})
    return [shuffled[start:end] for start, end in itertools.pairwise(cuts)]


@settings(max_examples=_WORLDS, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9))
def test_order_repetition_and_splitting_change_no_answer(store: Store, seed: int) -> None:
    """Any permutation, duplication and splitting of the same spans gives identical answers to every named query."""
    sent = _world(seed)
    as_it_was, arranged = f"as-it-was-{next(_TRIES)}", f"arranged-{next(_TRIES)}"
    part = _PARTS.setdefault(seed, len(_PARTS))
    _write(store, [sent], as_it_was)
    _write(store, _arranged(sent, random.Random(seed + 1)), arranged)
    expected, found = _answers(store, as_it_was, part), _answers(store, arranged, part)
    assert len(expected) > 40
    assert {name: rows for name, rows in found.items() if rows != expected[name]} == {}


def test_calls_reported_by_several_libraries_count_once(store: Store) -> None:
    """Tokens are those of one report per call, however many libraries reported it, and of agents that hide theirs.

    The run's own sum adds nothing. Calls are those that were answered, and those that failed.
    """
    sent = _world(7)
    failed = [span for scope, span in sent if scope == WRAPPER and span.status.code == Status.STATUS_CODE_ERROR]
    assert len(failed) > 1
    scopes = sorted({scope for scope, _ in sent})
    _write(store, [[one for one in sent if one[0] == scope] for scope in scopes], "counted")  # each sends its own
    responses: dict[str, tuple[int, int]] = {}
    hidden: dict[str, tuple[int, int]] = {}
    for _, span in sent:
        found = {pair.key: pair.value for pair in span.attributes}
        if "gen_ai.response.id" in found:
            responses[found["gen_ai.response.id"].string_value] = (
                found["gen_ai.usage.input_tokens"].int_value,
                found["gen_ai.usage.output_tokens"].int_value,
            )
        elif span.name == HELPER:
            hidden[span.span_id.hex()] = (
                found["gen_ai.usage.input_tokens"].int_value,
                found["gen_ai.usage.output_tokens"].int_value,
            )
    summary, spend = (_row(store, name, "counted") for name in ("runs_summary", "spend_by"))
    used = [*responses.values(), *hidden.values()]
    assert (summary["input_tokens"], summary["output_tokens"]) == tuple(map(sum, zip(*used, strict=True)))
    assert spend["model_calls"] == len(responses) + len(failed)


def _row(store: Store, name: str, project: str) -> dict[str, Any]:
    """The first row of a query's answer."""
    answer = ask(store.connection(), Question(name, project, FROM_NS, TO_NS))
    return dict(zip([column.name for column in answer.query.columns], answer.rows[0], strict=True))
