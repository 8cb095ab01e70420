"""Request bodies for the ingest benchmarks: one realistic request, its ids and times rewritten for each copy.

512 spans of about 1.94 KB and 13 attributes: runs of 16 spans, each a run span, 5 iterations, 5 model calls with
content and 5 tool calls.
"""

import json
import random
import secrets
import time
from dataclasses import dataclass

from isal import igzip
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

SPANS = 512
SPANS_PER_RUN = 16
_TRACE = b"\x01TRACE-ID-%06d"
_SPAN = b"\x02S%06d"
_WORDS = tuple(
    f"{subject}-{state}"
    for subject in ("checkout", "payment", "database", "queue", "cache", "worker", "gateway")
    for state in ("latency", "error", "timeout", "rollback", "capacity")
)


@dataclass(frozen=True)
class Template:
    """A serialized request and where its ids and times stand."""

    body: bytes
    trace_at: list[list[int]]
    span_at: list[list[int]]
    time_at: list[list[int]]


def _text(chance: random.Random, size: int) -> str:
    words: list[str] = []
    length = 0
    while length < size:
        words.append(chance.choice(_WORDS) + str(chance.randrange(10**7)))
        length += len(words[-1]) + 1
    return " ".join(words)


def _attributes(pairs: dict[str, str | int]) -> list[KeyValue]:
    made: list[KeyValue] = []
    for key, value in pairs.items():
        pair = KeyValue(key=key)
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = value
        made.append(pair)
    return made


def _span_attributes(chance: random.Random, kind: str, iteration: int) -> dict[str, str | int]:
    shared: dict[str, str | int] = {
        "loopwatch.run.id": "0" * 32,
        "gen_ai.agent.name": "incident-resolver",
        "gen_ai.agent.version": "12",
        "gen_ai.conversation.id": f"conversation-{chance.randrange(10_000)}",
        "loopwatch.customer.id": f"customer-{chance.randrange(200)}",
        "user.id": f"user-{chance.randrange(2_000)}",
        "loopwatch.iteration": iteration,
    }
    if kind == "run":
        return {**shared, "gen_ai.operation.name": "invoke_agent", "loopwatch.outcome": "completed",
                "loopwatch.input": _text(chance, 900), "loopwatch.output": _text(chance, 900)}  # fmt: skip
    if kind == "iteration":
        return {**shared, "loopwatch.kind": "iteration"}
    if kind == "tool":
        return {**shared, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": chance.choice(_WORDS[:12]),
                "gen_ai.tool.call.id": f"toolu_{chance.randrange(10**9)}", "loopwatch.tool.outcome": "success",
                "gen_ai.tool.call.arguments": json.dumps({"query": _text(chance, 120)}),
                "gen_ai.tool.call.result": _text(chance, 1_350)}  # fmt: skip
    message = {"role": "user", "parts": [{"type": "text", "content": _text(chance, 1_800)}]}
    answer = {"role": "assistant", "parts": [{"type": "text", "content": _text(chance, 600)}]}
    return {**shared, "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-opus-5-5", "gen_ai.response.model": "claude-opus-5-5",
            "gen_ai.response.id": f"msg_{chance.randrange(10**15)}",
            "gen_ai.usage.input_tokens": chance.randrange(500, 9_000),
            "gen_ai.usage.output_tokens": chance.randrange(20, 900),
            "gen_ai.usage.cache_read.input_tokens": chance.randrange(0, 400), "gen_ai.request.max_tokens": 4_096,
            "gen_ai.response.time_to_first_chunk": "0.41", "server.address": "api.anthropic.com",
            "gen_ai.input.messages": json.dumps([message]), "gen_ai.output.messages": json.dumps([answer])}  # fmt: skip


def template(seed: int = 1) -> Template:
    """Builds the request all copies are made from."""
    chance = random.Random(seed)
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(
        _attributes({"service.name": "incident-agent", "deployment.environment.name": "production"})
    )
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "loopwatch"
    for number in range(SPANS):
        run, place = divmod(number, SPANS_PER_RUN)
        kind = "run" if place == 0 else ("iteration", "model", "tool")[(place - 1) % 3]
        span = scope_spans.spans.add()
        span.trace_id = _TRACE % run
        span.span_id = _SPAN % number
        parent = run * SPANS_PER_RUN + (0 if kind == "iteration" else place - (place - 1) % 3)
        span.parent_span_id = b"" if place == 0 else _SPAN % parent
        span.name = {"run": "invoke_agent incident-resolver", "model": "chat claude-opus-5-5"}.get(kind, f"{kind} x")
        span.start_time_unix_nano = _stamp(run)
        span.end_time_unix_nano = _stamp(run)
        span.attributes.extend(_attributes(_span_attributes(chance, kind, (place + 2) // 3)))
        for pair in span.attributes:
            if pair.key == "loopwatch.run.id":
                pair.value.string_value = f"RUN{run:029d}"
    body = request.SerializeToString()
    return Template(
        body,
        [
            _places(body, _TRACE % run) + _places(body, f"RUN{run:029d}".encode())
            for run in range(SPANS // SPANS_PER_RUN)
        ],
        [_places(body, _SPAN % number) for number in range(SPANS)],
        [_places(body, _stamp(run).to_bytes(8, "little")) for run in range(SPANS // SPANS_PER_RUN)],
    )


def _stamp(run: int) -> int:
    return 0x7A7A7A7A7A000000 + run


def _places(body: bytes, mark: bytes) -> list[int]:
    found: list[int] = []
    at = body.find(mark)
    while at >= 0:
        found.append(at)
        at = body.find(mark, at + 1)
    return found


def copies(made_from: Template, count: int, compress: bool = True) -> list[bytes]:
    """Bodies with ids and times of their own, gzip at the speed level exporters use."""
    return [_copy(made_from, compress) for _ in range(count)]


def _copy(made_from: Template, compress: bool) -> bytes:
    body = bytearray(made_from.body)
    now = time.time_ns() - random.randrange(10**9)
    for run, places in enumerate(made_from.trace_at):
        trace_id = secrets.token_bytes(16)
        run_id = trace_id.hex().encode()
        for at in places:
            value = run_id if body[at : at + 3] == b"RUN" else trace_id
            body[at : at + len(value)] = value
        for index, at in enumerate(made_from.time_at[run]):
            body[at : at + 8] = (now + run * 10**6 + index * 10**5).to_bytes(8, "little")
    for places in made_from.span_at:
        span_id = secrets.token_bytes(8)
        for at in places:
            body[at : at + 8] = span_id
    return igzip.compress(bytes(body), compresslevel=2) if compress else bytes(body)
