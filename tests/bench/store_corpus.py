"""Recorded conversations of an agent as OTLP requests: an agent loop that sends its whole history with every turn.

The 200 trajectories are told again and again with other names, ids and numbers, so that no two runs say the same,
as no two customers do; what is the same in all of them (the system prompt, the tools' phrasing) is so in life too.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

_SECOND_NS: Final = 10**9
_VARIED: Final = re.compile(r"\b[A-Z0-9]{6}\b|\d+|\b[a-z]+_[a-z]+_(?=\d)")
_SYLLABLES: Final = (
    "ma",
    "ri",
    "lo",
    "ken",
    "ta",
    "sun",
    "vi",
    "der",
    "no",
    "bel",
    "cor",
    "ha",
    "ji",
    "pet",
    "os",
    "wyn",
)


def trajectories(file: Path) -> list[list[dict[str, Any]]]:
    """Returns the conversations of a recording of tau-bench: messages with `role` and `content` or `tool_calls`."""
    return [run["traj"] for run in json.loads(file.read_text(encoding="utf-8"))]


def requests(
    told: Sequence[list[dict[str, Any]]], times: int, first_ns: int, spans_per_request: int
) -> Iterator[tuple[bytes, int]]:
    """Tells every conversation so many times, each time as another run.

    Args:
        told: the conversations.
        times: how often each is told.
        first_ns: when the first begins; ns since the epoch.
        spans_per_request: how many a request holds; the last may hold fewer.

    Yields:
        Bodies of OTLP requests and the number of their spans.
    """
    spans: list[Span] = []
    for number in range(times * len(told)):
        varied = _Varied(number)
        conversation = json.loads(varied.of(json.dumps(told[number % len(told)], ensure_ascii=False)))
        spans += _run(conversation, random.Random(number), first_ns + number * _SECOND_NS)
        while len(spans) >= spans_per_request:
            yield _request(spans[:spans_per_request])
            del spans[:spans_per_request]
    if spans:
        yield _request(spans)


class _Varied:
    """Other names, ids and numbers, the same ones for the same ones throughout one conversation."""

    def __init__(self, number: int) -> None:
        self._draws = random.Random(number)
        self._others: dict[str, str] = {}

    def of(self, text: str) -> str:
        prompt, mark, rest = text.partition('"role": "user"')  # the agent's instructions are the same for all
        return prompt + mark + _VARIED.sub(lambda found: self._other(found[0]), rest)

    def _other(self, word: str) -> str:
        if word not in self._others:
            self._others[word] = self._drawn(word)
        return self._others[word]

    def _drawn(self, word: str) -> str:
        if word.isdecimal():
            return str(self._draws.randrange(10 ** (len(word) - 1), 10 ** len(word))) if len(word) > 2 else word
        if word.endswith("_"):
            return "".join("".join(self._draws.choices(_SYLLABLES, k=2)) + "_" for _ in range(2))
        return "".join(self._draws.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=6)) if word.isupper() else word


def _run(conversation: list[dict[str, Any]], draws: random.Random, start_ns: int) -> Iterator[Span]:
    trace_id, run_id, root_id = draws.randbytes(16), draws.randbytes(16).hex(), draws.randbytes(8)
    common = {
        "loopwatch.run.id": run_id, "gen_ai.agent.name": "airline-agent", "gen_ai.agent.version": "1",
        "gen_ai.conversation.id": draws.randbytes(16).hex(), "deployment.environment.name": "production",
        "loopwatch.customer.id": f"customer-{draws.randrange(300)}",
    }  # fmt: skip
    at_ns, iteration = start_ns, 0
    system = _json([{"type": "text", "content": conversation[0]["content"]}])
    history: list[dict[str, Any]] = []
    for message in conversation[1:]:
        at_ns += draws.randrange(200, 4_000) * 1_000_000
        if message["role"] == "assistant":
            iteration += 1
            yield _span(
                trace_id, root_id, "chat gpt-4o", at_ns, draws, common, {
                    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
                    "gen_ai.response.model": "gpt-4o", "gen_ai.response.id": "chatcmpl-" + draws.randbytes(12).hex(),
                    "gen_ai.usage.input_tokens": (len(system) + len(_json(history))) // 4,
                    "gen_ai.usage.output_tokens": len(_json(_parts(message))) // 4, "loopwatch.iteration": iteration,
                    "gen_ai.system_instructions": system, "gen_ai.input.messages": _json(history),
                    "gen_ai.output.messages": _json([{"role": "assistant", "parts": _parts(message)}]),
                },
            )  # fmt: skip
        elif message["role"] == "tool":
            call = next((part for part in history[-1]["parts"] if part["type"] == "tool_call"), {})
            yield _span(
                trace_id, root_id, f"execute_tool {message['name']}", at_ns, draws, common, {
                    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": message["name"],
                    "gen_ai.tool.call.id": draws.randbytes(12).hex(), "loopwatch.iteration": iteration,
                    "gen_ai.tool.call.arguments": _json(call.get("arguments", {})),
                    "gen_ai.tool.call.result": message["content"],
                },
            )  # fmt: skip
        history.append({"role": message["role"], "parts": _parts(message)})
    root = {"gen_ai.operation.name": "invoke_agent", "loopwatch.outcome": "completed"}
    yield _span(trace_id, b"", "invoke_agent airline-agent", start_ns, draws, common, root, span_id=root_id)


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    if message["role"] == "tool":
        return [{"type": "tool_call_response", "id": message["tool_call_id"], "result": message["content"]}]
    texts = [{"type": "text", "content": message["content"]}] if message.get("content") else []
    calls = [
        {"type": "tool_call", "id": call["id"], "name": call["function"]["name"],
         "arguments": json.loads(call["function"]["arguments"])}
        for call in message.get("tool_calls") or ()
    ]  # fmt: skip
    return texts + calls


def _span(
    trace_id: bytes, parent_id: bytes, name: str, start_ns: int, draws: random.Random, common: Mapping[str, Any],
    own: Mapping[str, Any], span_id: bytes = b"",
) -> Span:  # fmt: skip
    return Span(
        trace_id=trace_id,
        span_id=span_id or draws.randbytes(8),
        parent_span_id=parent_id,
        name=name,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + draws.randrange(50, 3_000) * 1_000_000,
        attributes=[KeyValue(key=key, value=_value(value)) for key, value in {**common, **own}.items()],
    )


def _value(value: str | int) -> AnyValue:
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _request(spans: Sequence[Span]) -> tuple[bytes, int]:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(KeyValue(key="service.name", value=_value("airline-agent")))
    resource.scope_spans.append(ScopeSpans(spans=spans))
    return request.SerializeToString(), len(spans)
