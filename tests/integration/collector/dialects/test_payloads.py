"""What other libraries really sent (tests/data/dialects, made by `make compat`) through a real collector."""

import json
import random
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.compat.payload import Payload, read_all
from tests.processes import ALL_TIME, bare_collector, get, wait_for

PAYLOADS = read_all()
_PROTOBUF = "application/x-protobuf"
_JSON = "application/json"
# USD per million tokens of claude-opus-5-5: input, output, cache read, cache write for five minutes.
_RATES = (Decimal(4), Decimal(20), Decimal("0.20"), Decimal(5))
# LiteLLM's SDK opens a trace for each completion; nothing it sends ties them together.
_A_RUN_A_CALL = frozenset({"litellm"})


class Stored(NamedTuple):
    """A collector with every payload in two projects: as it came, and shuffled span by span with repeats."""

    url: str
    keys: dict[str, str]


def _send(url: str, key: str, body: bytes, path: str = "/v1/traces", content_type: str = _PROTOBUF) -> None:
    headers = {
        "content-type": content_type,
        "loopwatch-import": "true",  # the payloads are older than a live sender's spans may be
        "authorization": f"Bearer {key}",
    }
    with urllib.request.urlopen(urllib.request.Request(f"{url}{path}", body, headers), timeout=30) as reply:
        rejected = json.loads(reply.read()) if content_type == _JSON else reply.read()
    # Lines of a log and metrics that are not about agents are not kept; every span is.
    assert not rejected or not path.endswith("/traces")


def _single_spans(payload: Payload) -> list[ExportTraceServiceRequest]:
    found: list[ExportTraceServiceRequest] = []
    for request in payload.trace_requests():
        for resource_spans in request.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    single = ExportTraceServiceRequest()
                    part = single.resource_spans.add(resource=resource_spans.resource)
                    part.scope_spans.add(scope=scope_spans.scope, spans=[span])
                    found.append(single)
    return found


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    folder: Path = tmp_path_factory.mktemp("dialects")
    keys = {"whole": "key-of-whole", "shuffled": "key-of-shuffled"}
    with bare_collector(
        folder, LOOPWATCH_KEYS=",".join(f"{project}:admin:{key}" for project, key in keys.items())
    ) as running:
        for payload in PAYLOADS:
            for request in payload.requests:  # traces, and logs and metrics where the library sends them
                body = json.dumps(request["body"]).encode()
                _send(running.url, keys["whole"], body, request["path"], _JSON)
        singles = [single for payload in PAYLOADS for single in _single_spans(payload)]
        rng = random.Random(7)
        for single in rng.sample(singles, len(singles)) + rng.sample(singles, len(singles) // 3):
            _send(running.url, keys["shuffled"], single.SerializeToString())
        spans = {project: _span_count(running.url, key) for project, key in keys.items()}
        assert spans["whole"] == spans["shuffled"] == len(singles)
        for key in keys.values():
            # Runs are derived a moment after their spans are stored. If they never say so, the tests tell which.
            with suppress(AssertionError):
                wait_for(lambda key=key: _are_derived(running.url, key), "runs derived", 15)
        yield Stored(running.url, keys)


def _span_count(url: str, key: str) -> int:
    """The spans of all runs, once everything sent is written."""
    expected = sum(len(_single_spans(payload)) for payload in PAYLOADS)
    return wait_for(
        lambda: next((n for n in [sum(len(_spans(url, key, run)) for run in _runs(url, key))] if n == expected), None),
        f"{expected} spans stored",
        60,
    )


def _are_derived(url: str, key: str) -> bool:
    runs = _runs(url, key)
    calls = sum(run["model_calls"] for run in runs), sum(run["tool_calls"] for run in runs)
    ended = all(run["outcome"] == "completed" for run in runs)
    return ended and calls == (sum(len(p.answers) for p in PAYLOADS), sum(len(p.tool_calls) for p in PAYLOADS))


def _get(url: str, key: str, **params: Any) -> dict[str, Any]:
    return get(url, headers={"authorization": f"Bearer {key}"}, **params)


def _runs(url: str, key: str) -> list[dict[str, Any]]:
    return _get(f"{url}/api/v1/runs", key, **ALL_TIME, limit=500)["runs"]


def _spans(url: str, key: str, run: dict[str, Any]) -> list[dict[str, Any]]:
    return _get(f"{url}/api/v1/runs/{run['run_id']}/spans", key)["spans"]


def _runs_of(stored: Stored, project: str, payload: Payload) -> list[dict[str, Any]]:
    traces = {
        span.trace_id.hex()
        for single in _single_spans(payload)
        for span in single.resource_spans[0].scope_spans[0].spans
    }
    return [run for run in _runs(stored.url, stored.keys[project]) if run["run_id"] in traces]


def _expected_tokens(payload: Payload) -> dict[str, int]:
    usages = [answer["usage"] for answer in payload.answers]
    read = sum(usage["cache_read_input_tokens"] for usage in usages)
    written = sum(usage["cache_creation_input_tokens"] for usage in usages)
    return {
        "input_tokens": sum(usage["input_tokens"] for usage in usages) + read + written,
        "output_tokens": sum(usage["output_tokens"] for usage in usages),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
    }


def _expected_cost(tokens: dict[str, int]) -> Decimal:
    cached = tokens["cache_read_tokens"] + tokens["cache_write_tokens"]
    counts = (
        tokens["input_tokens"] - cached,
        tokens["output_tokens"],
        tokens["cache_read_tokens"],
        tokens["cache_write_tokens"],
    )
    return sum((rate * count for rate, count in zip(_RATES, counts, strict=True)), Decimal()) / 10**6


@pytest.mark.parametrize("project", ["whole", "shuffled"])
@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_runs_say_what_the_api_answered(stored: Stored, payload: Payload, project: str) -> None:
    """Calls, tokens with their cache split and cost are those the API reported, counted once, whoever sent them."""
    runs = _runs_of(stored, project, payload)
    expected = _expected_tokens(payload)
    assert len(runs) == (len(payload.answers) if payload.library in _A_RUN_A_CALL else 1)
    assert {name: sum(run[name] for run in runs) for name in expected} == expected
    assert sum(run["model_calls"] for run in runs) == len(payload.answers)
    assert sum(Decimal(str(run["cost_usd"])) for run in runs) == _expected_cost(expected)
    assert sum(run["unpriced_tokens"] for run in runs) == 0


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_tool_calls_are_those_that_ran(stored: Stored, payload: Payload) -> None:
    """Tool calls are counted and named as they were executed; those that timed out are retryable errors."""
    runs = _runs_of(stored, "whole", payload)
    spans = [span for run in runs for span in _spans(stored.url, stored.keys["whole"], run)]
    tools = [span["tool"] for span in spans if span["kind"] == "tool_call"]
    assert sorted(tools) == sorted(payload.tool_calls)
    assert sum(run["tool_calls"] for run in runs) == len(payload.tool_calls)
    failed = [span for span in spans if span["kind"] == "tool_call" and span["tool_outcome"] == "error"]
    assert [span["tool"] for span in failed] == payload.failed_tool_calls
    assert all(span["tool_retryable"] for span in failed)
    assert sum(run["tool_errors"] for run in runs) == len(payload.failed_tool_calls)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_spans_make_one_tree_a_run(stored: Stored, payload: Payload) -> None:
    """Every run has one root, every other span a parent in it, and as many counted calls as it made."""
    for run in _runs_of(stored, "shuffled", payload):
        spans = _spans(stored.url, stored.keys["shuffled"], run)
        ids = {span["span_id"] for span in spans}
        roots = [span for span in spans if span["parent_span_id"] is None]
        assert len(roots) == 1
        assert all(span["parent_span_id"] in ids for span in spans if span not in roots)
        assert sum(span["counted"] for span in spans) == run["model_calls"]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_runs_know_whose_they_are(stored: Stored, payload: Payload) -> None:
    """Conversation and agent are found where the library was told them; the outcome is completed."""
    for run in _runs_of(stored, "whole", payload):
        if payload.conversation_id:
            assert run["conversation_id"] == payload.conversation_id
        if payload.agent:
            assert run["agent"].replace("_", "-") == payload.agent
        assert run["agent"]
        assert run["outcome"] == "completed"
        assert run["iterations"] >= 1
