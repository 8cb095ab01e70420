"""Agents without OpenTelemetry: `POST /v1/events` through a real collector."""

import gzip
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ALL_TIME, bare_collector, get, wait_for, wait_until_stored

NOW_MS = int(time.time() * 1000) - 60_000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with bare_collector(tmp_path_factory.mktemp("events")) as running:
        yield running.url


def _post(url: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(f"{url}/v1/events", body, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def _send(url: str, *events: dict[str, Any]) -> dict[str, Any]:
    status, answer = _post(url, json.dumps(events).encode())
    assert status == 200, answer
    return answer


def _run(url: str, conversation: str, **expected: Any) -> dict[str, Any]:
    """The run of a conversation, once it says what is expected."""

    def look() -> dict[str, Any] | None:
        runs = get(f"{url}/api/v1/runs", **ALL_TIME, conversation=conversation)["runs"]
        return next((run for run in runs if all(run[name] == value for name, value in expected.items())), None)

    return wait_for(look, f"a run of {conversation} with {expected}", 30)


def _spans(url: str, run: dict[str, Any], **params: str) -> dict[str, Any]:
    return get(f"{url}/api/v1/runs/{run['run_id']}/spans", **params)


def _event(conversation: str, kind: str, after_ms: int, **fields: Any) -> dict[str, Any]:
    return {
        "traceId": f"trace of {conversation}",
        "conversationId": conversation,
        "timestamp": NOW_MS + after_ms,
        "eventType": kind,
        **fields,
    }


def _incident(conversation: str) -> list[dict[str, Any]]:
    model = {"model": "claude-opus-5-5"}

    def event(kind: str, after_ms: int, **fields: Any) -> dict[str, Any]:
        return _event(conversation, kind, after_ms, agent="resolver", **fields)

    return [
        event("plan", 900, **model, tokensUsed={"input": 1000, "output": 50}, latencyMs=900, data="look"),
        event("tool_call", 1000, data={"tool": "search_logs", "arguments": {"q": "a"}}),
        event("tool_call", 1010, data={"tool": "get_metrics", "arguments": {"m": 1}}),
        event("tool_result", 1200, data={"tool": "search_logs", "result": {"lines": []}}),
        event("tool_result", 1300, data={"tool": "get_metrics", "error": "timed out"}),
        event("observation", 1400, data="nothing there"),
        event("response", 2000, **model, tokensUsed={"input": 1200, "output": 70}, latencyMs=500,
               data={"text": "all is well"}),
    ]  # fmt: skip


def _assert_incident(url: str, conversation: str) -> None:
    run = _run(url, conversation, outcome="completed", tool_calls=2, tool_errors=1, tool_not_found=1, model_calls=2)
    assert (run["input_tokens"], run["output_tokens"], run["agent"]) == (2200, 120, "resolver")
    assert run["cost_usd"] == pytest.approx((2200 * 4 + 120 * 20) / 1e6)
    assert run["duration_ns"] == 2_000_000_000
    found = _spans(url, run, content="true")
    tools = {span["tool"]: span for span in found["spans"] if span["kind"] == "tool_call"}
    assert {name: span["duration_ns"] for name, span in tools.items()} == {
        "search_logs": 200_000_000,
        "get_metrics": 290_000_000,
    }
    assert tools["get_metrics"]["tool_retryable"] is True
    bodies = {role: found["contents"][tools["search_logs"]["content"][role][0]] for role in ("arguments", "result")}
    assert {role: json.loads(body) for role, body in bodies.items()} == {
        "arguments": {"q": "a"},
        "result": {"lines": []},
    }
    assert [span["step"] for span in found["spans"] if span["kind"] == "step"] == ["observe"]


def test_events_in_one_body_become_a_run(url: str) -> None:
    """Plan, tool calls with their results, observation and response make one ended run with its tokens and cost."""
    assert _send(url, *_incident("one-body")) == {"accepted": 7, "rejected": [], "ignored": []}
    _assert_incident(url, "one-body")


def test_events_one_by_one_twice_make_the_same_run(url: str) -> None:
    """Each event in a request of its own, and all of them again, is the same run: nothing counts twice."""
    for event in _incident("one-by-one") * 2:
        _send(url, event)
    _assert_incident(url, "one-by-one")


def test_a_result_before_its_call_is_joined_with_it(url: str) -> None:
    """A tool_result that arrives before its tool_call is one tool call with arguments and result in the end."""
    call, result = _incident("late-call")[1], _incident("late-call")[3]
    _send(url, result)
    _send(url, call)
    run = _run(url, "late-call", tool_calls=1, tool_not_found=1, outcome="open")

    def tools() -> list[set[str]]:
        return [set(span["content"]) for span in _spans(url, run)["spans"] if span["kind"] == "tool_call"]

    wait_for(lambda: tools() == [{"arguments", "result"}], "one tool call with arguments and result", 30)


def test_a_run_goes_on_after_a_restart(tmp_path: Path) -> None:
    """A result is paired with its call although the collector was restarted in between."""
    with bare_collector(tmp_path) as running:
        _send(running.url, *_incident("restart")[:3])
        _run(running.url, "restart", tool_calls=2, outcome="open")
    with bare_collector(tmp_path) as running:
        _send(running.url, *_incident("restart")[3:])
        _assert_incident(running.url, "restart")


def test_results_name_their_call_by_id(url: str) -> None:
    """With call ids a result goes to the call it names, not to the last one of its tool."""
    first = _event("by-id", "tool_call", 0, data={"tool": "search", "toolCallId": "a", "arguments": {"n": 1}})
    second = _event("by-id", "tool_call", 10, data={"tool": "search", "toolCallId": "b", "arguments": {"n": 2}})
    answer = _event("by-id", "tool_result", 50, data={"tool": "search", "toolCallId": "a", "error": "no"})
    _send(url, first, second, answer)
    run = _run(url, "by-id", tool_calls=2, tool_errors=1)
    outcomes = {s["tool_call_id"]: s["tool_outcome"] for s in _spans(url, run)["spans"] if s["kind"] == "tool_call"}
    assert outcomes == {"a": "error", "b": "success"}


def test_invalid_events_are_named_and_valid_ones_kept(url: str) -> None:
    """Of a body in lines the valid events are kept; the others are reported by index and reason."""
    good = json.dumps(_event("mixed", "response", 0, data="done"))
    bad_type = json.dumps(_event("mixed", "shout", 0))
    in_seconds = json.dumps({**_event("mixed", "plan", 0), "timestamp": NOW_MS // 1000})
    lines = "\n".join([bad_type, good, "{not json", "[1]", in_seconds]).encode()
    status, answer = _post(
        url, gzip.compress(lines), **{"content-type": "application/x-ndjson", "content-encoding": "gzip"}
    )
    assert status == 200
    assert answer["accepted"] == 1
    assert [refusal["index"] for refusal in answer["rejected"]] == [0, 2, 3, 4]
    assert "eventType" in answer["rejected"][0]["reason"]
    assert "ms since the epoch" in answer["rejected"][3]["reason"]
    _run(url, "mixed", outcome="completed")


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"traceId": "x"}', b"7", b"[[[[", b'{"a":NaN}'])
def test_bodies_without_a_valid_event_are_refused(url: str, body: bytes) -> None:
    """A body that holds no valid event is a 400 with a sentence."""
    status, answer = _post(url, body)
    assert status == 400
    assert answer["error"]["message"]


def test_request_records_become_runs(url: str) -> None:
    """A log of finished requests gives a run a record, with its tools paired, its tokens and the cost it reports."""
    record = {
        "request_id": 4711,
        "conversationId": "record",
        "user_query": "Where is my order?",
        "claude_reasoning": "I look it up.",
        "tool_calls": [
            {"name": "find_order", "input": {"id": 7}, "id": "t1"},
            {"name": "transfer_to_human", "input": {"summary": "the parcel is lost"}, "id": "t2"},
        ],
        "tool_results": [
            {"tool_use_id": "t2", "content": "ok"},
            {"tool_use_id": "t1", "content": [], "is_error": False},
        ],
        "final_response": "A colleague takes over.",
        "total_tokens": 900,
        "cost_usd": 0.0123,
    }
    _send(url, record)
    _send(url, record, {**record, "request_id": 4712, "conversationId": "priced", "model": "claude-opus-5-5"})
    run = _run(url, "record", tool_calls=2, tool_not_found=1, outcome="escalated")
    assert run["escalation_reason"] == "the parcel is lost"
    assert run["total_tokens"] == 900
    assert run["cost_usd"] == pytest.approx(0.0123)
    assert run["iterations"] == 1
    priced = _run(url, "priced", model_calls=1)
    assert priced["cost_usd"] == pytest.approx(900 * 4 / 1e6)


def test_the_route_is_in_openapi(url: str) -> None:
    """OpenAPI shows the fields of both forms and the answer."""
    operation = get(f"{url}/openapi.json")["paths"]["/v1/events"]["post"]
    one = operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]["anyOf"]
    assert {"traceId", "eventType", "tokensUsed", "latencyMs", "data"} <= set(one[0]["properties"])
    assert {"request_id", "user_query", "claude_reasoning", "total_tokens"} <= set(one[1]["properties"])
    assert "200" in operation["responses"]


def test_a_late_response_does_not_change_how_a_run_ended(tmp_path: Path) -> None:
    """Of several responses the latest tells how the run ended, whichever comes last, after a restart as well."""
    done = _event("ended", "response", 2000, outcome="completed", data="done")
    failed = _event("ended", "response", 1000, outcome="failed", data={"error": "no"})
    with bare_collector(tmp_path) as running:
        _send(running.url, _event("ended", "plan", 0, data="look"), done)
        _run(running.url, "ended", outcome="completed", duration_ns=2_000_000_000)
    with bare_collector(tmp_path) as running:
        _send(running.url, failed)
        wait_until_stored(running.url)
        run = _run(running.url, "ended", outcome="completed", duration_ns=2_000_000_000)
        found = _spans(running.url, run, content="true")
        (ended,) = [span for span in found["spans"] if span["kind"] == "run"]
        assert (ended["status"], found["contents"][ended["content"]["output"][0]]) == ("unset", "done")
        _send(running.url, _event("ended", "response", 3000, outcome="escalated"))
        _run(running.url, "ended", outcome="escalated", duration_ns=3_000_000_000)


def test_half_a_character_loses_no_event(url: str) -> None:
    """A text cut within an emoji costs that half character, in an array and in lines."""
    events = [_event("cut", "response", after, data=text) for after, text in ((0, "fine"), (1, "cut \ud83d"))]
    assert _send(url, *events)["accepted"] == 2
    lines = "\n".join(json.dumps(event) for event in events).encode()
    assert _post(url, lines, **{"content-type": "application/x-ndjson"})[1]["accepted"] == 2
    run = _run(url, "cut", outcome="completed", duration_ns=1_000_000)
    assert "cut \ufffd" in _spans(url, run, content="true")["contents"].values()


def test_fields_that_were_meant_to_be_read_are_named_in_the_answer(url: str) -> None:
    """Misspelt tokens are not counted as none without a word: the answer names the field and what was meant."""
    answer = _send(url, _event("misspelt", "plan", 0, model="m", tokensUsed={"inputTokens": 5, "output": None}))
    assert answer["accepted"] == 1
    assert answer["ignored"] == [
        {
            "field": "tokensUsed.inputTokens",
            "events": 1,
            "index": 0,
            "hint": "it is not read; did you mean tokensUsed.input?",
        }
    ]


def test_what_happened_in_a_record_has_an_order(url: str) -> None:
    """A record's tool calls follow each other, so that questions about what came after what find it."""
    record = {
        "request_id": "ordered",
        "conversationId": "ordered",
        "timestamp": NOW_MS,
        "latency_ms": 900,
        "tool_calls": [{"name": "a", "id": "1"}, {"name": "transfer_to_human", "id": "2"}],
        "tool_results": [{"id": "1", "error": "no"}, {"id": "2", "content": "ok"}],
    }
    _send(url, record)
    _run(url, "ordered", outcome="escalated", duration_ns=900_000_000)

    def found(q: str) -> int:
        return len(get(f"{url}/api/v1/runs", **ALL_TIME, conversation="ordered", q=q)["runs"])

    assert found("failed(a) then escalated()") == 1
    assert found("called(transfer_to_human) then failed(a)") == 0


def test_others_are_answered_while_a_large_body_is_taken(url: str) -> None:
    """Ten thousand tool calls and results of one run keep nobody waiting for most of the time they take."""
    half = 5_000
    calls = [_event("large", "tool_call", n, data={"tool": f"t{n % 7}", "args": n}) for n in range(half)]
    results = [_event("large", "tool_result", half + n, data={"tool": f"t{n % 7}", "result": n}) for n in range(half)]
    body = json.dumps([*calls, *results]).encode()
    waits: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        began = time.perf_counter()
        sending = pool.submit(_post, url, body)
        while not sending.done():
            asked = time.perf_counter()
            get(f"{url}/healthz")
            waits.append(time.perf_counter() - asked)
        took = time.perf_counter() - began
    assert sending.result()[1]["accepted"] == 2 * half
    assert max(waits) < took / 2
    _run(url, "large", tool_calls=half, outcome="open")


def test_records_of_too_many_tool_calls_are_refused(url: str) -> None:
    """A small body that would become millions of spans is refused before it does."""
    body = json.dumps([{"request_id": f"many {n}", "tool_calls": [1] * 1_000} for n in range(30)]).encode()
    status, answer = _post(url, body)
    assert (status, answer["error"]["code"]) == (413, "too_large")
