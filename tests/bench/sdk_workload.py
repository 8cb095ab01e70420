"""The overhead workload, once by hand with OpenTelemetry and once with Loopwatch; one process measures one.

One run: 10 iterations, each one model call (1 KB in, 1 KB out) and two tool calls (200 B of arguments, 1 KB of
result). `python -m tests.bench.sdk_workload cpu|calls|exit VARIANT RUNS ENDPOINT` prints one line of JSON.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

Work = tuple[Callable[[], None], Callable[[], None]]
"""One run, and what ends the process's recording."""
Timed = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Put around the tool and the model call from outside: what is timed is the whole decorated call."""

QUERY = "error rate of the payments service by region and by deployment " * 3
ROW = {"timestamp": "2026-11-21T03:00:00Z", "level": "ERROR", "service": "payments", "message": "upstream timed out"}
QUESTION = "The payments service answers slowly since the last deployment. " * 15
ANSWER = "I look at the logs of the service and at its deployments first. " * 15
MODEL = "claude-sonnet-5-5"
ITERATIONS = 10
SPANS_BY_HAND = 1 + ITERATIONS * 3


def rows(minutes: int) -> list[dict[str, object]]:
    """A tool's result of about 1 KB, another one for other arguments."""
    return [{**ROW, "minutes": minutes} for _ in range(8)]


def messages() -> list[dict[str, Any]]:
    """A model's input of about 1 KB."""
    return [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]


def answer() -> list[dict[str, Any]]:
    """A model's output of about 1 KB."""
    return [{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "tool_call"}]


def untimed(call: Callable[..., Any]) -> Callable[..., Any]:
    """Leaves a call as it is."""
    return call


def bare(timed: Timed = untimed) -> Work:
    """The workload without any recording: what is subtracted from the others."""

    @timed
    def search(query: str, minutes: int = 30) -> list[dict[str, object]]:
        return rows(minutes)

    @timed
    def call_model() -> None:
        messages()
        answer()

    def run() -> None:
        for number in range(ITERATIONS):
            call_model()
            search(QUERY, minutes=number)
            search(QUERY, minutes=-number)

    return run, lambda: None


def by_hand(endpoint: str, timed: Timed = untimed) -> Work:
    """What an author writes with the OpenTelemetry SDK alone."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint + "/v1/traces", compression=Compression.Gzip)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    tracer = provider.get_tracer("by-hand")

    @timed
    def search(query: str, minutes: int = 30) -> list[dict[str, object]]:
        with tracer.start_as_current_span("execute_tool search") as span:
            span.set_attribute("gen_ai.operation.name", "execute_tool")
            span.set_attribute("gen_ai.tool.name", "search")
            span.set_attribute("gen_ai.tool.call.arguments", json.dumps({"query": query, "minutes": minutes}))
            result = rows(minutes)
            span.set_attribute("gen_ai.tool.call.result", json.dumps(result))
            return result

    @timed
    def call_model() -> None:
        with tracer.start_as_current_span(f"chat {MODEL}", kind=trace.SpanKind.CLIENT) as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.provider.name", "anthropic")
            span.set_attribute("gen_ai.request.model", MODEL)
            span.set_attribute("gen_ai.input.messages", json.dumps(messages()))
            output = answer()
            span.set_attribute("gen_ai.response.id", "msg_1")
            span.set_attribute("gen_ai.response.model", MODEL)
            span.set_attribute("gen_ai.usage.input_tokens", 250)
            span.set_attribute("gen_ai.usage.output_tokens", 240)
            span.set_attribute("gen_ai.output.messages", json.dumps(output))

    def run() -> None:
        with tracer.start_as_current_span("invoke_agent bench") as span:
            span.set_attribute("gen_ai.operation.name", "invoke_agent")
            span.set_attribute("gen_ai.agent.name", "bench")
            span.set_attribute("gen_ai.conversation.id", "conversation-1")
            for number in range(ITERATIONS):
                call_model()
                search(QUERY, minutes=number)
                search(QUERY, minutes=-number)

    return run, provider.shutdown


def with_loopwatch(endpoint: str, timed: Timed = untimed, *, capture: bool, redact: bool = False) -> Work:
    """The same with Loopwatch's decorators."""
    import loopwatch

    loopwatch.configure(service_name="bench", endpoint=endpoint, capture=capture, redact=redact)

    @timed
    @loopwatch.tool
    def search(query: str, minutes: int = 30) -> list[dict[str, object]]:
        return rows(minutes)

    @timed
    def call_model() -> None:
        with loopwatch.model_call(MODEL, provider="anthropic") as call:
            call.record(
                input_messages=messages(),
                output_messages=answer(),
                response_id="msg_1",
                response_model=MODEL,
                input_tokens=250,
                output_tokens=240,
            )

    @loopwatch.agent(name="bench", conversation_id="conversation-1")
    def run() -> None:
        for iteration in loopwatch.iterations(ITERATIONS):
            call_model()
            search(QUERY, minutes=iteration.number)
            search(QUERY, minutes=-iteration.number)

    return run, loopwatch.shutdown


VARIANTS: dict[str, Callable[..., Work]] = {
    "bare": lambda endpoint, timed=untimed: bare(timed),
    "by hand": by_hand,
    "capture on": partial(with_loopwatch, capture=True),
    "capture off": partial(with_loopwatch, capture=False),
    "capture on, redaction on": partial(with_loopwatch, capture=True, redact=True),
}


def cpu(variant: str, runs: int, endpoint: str) -> dict[str, float]:
    """Returns the CPU of one run in µs: of the caller's thread, and of all threads."""
    run, finish = VARIANTS[variant](endpoint)
    for _ in range(5):
        run()
    caller, everyone = time.thread_time_ns(), time.process_time_ns()
    for _ in range(runs):
        run()
        time.sleep(0.001)  # an agent waits for its model: the exporter's thread gets its turn
    caller = time.thread_time_ns() - caller
    finish()
    everyone = time.process_time_ns() - everyone
    return {"caller_us": caller / runs / 1000, "all_us": everyone / runs / 1000}


def calls(variant: str, runs: int, endpoint: str) -> list[float]:
    """Returns how long each tool call and model call took, in µs; a run begins every 2 ms or so."""
    taken: list[float] = []

    def timed(call: Callable[..., Any]) -> Callable[..., Any]:
        def clocked(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter_ns()
            result = call(*args, **kwargs)
            taken.append((time.perf_counter_ns() - began) / 1000)
            return result

        return clocked

    run, _ = VARIANTS[variant](endpoint, timed)
    for _ in range(runs):
        run()
        time.sleep(0.002)
    return taken


def exit_s(variant: str, runs: int, endpoint: str) -> float:
    """Returns how long the recording's end holds the process up after some runs, in seconds."""
    run, finish = VARIANTS[variant](endpoint)
    for _ in range(runs):
        run()
    began = time.perf_counter()
    finish()
    return time.perf_counter() - began


if __name__ == "__main__":
    work: dict[str, Callable[[str, int, str], object]] = {"cpu": cpu, "calls": calls, "exit": exit_s}
    sys.stdout.write(json.dumps(work[sys.argv[1]](sys.argv[2], int(sys.argv[3]), sys.argv[4])) + "\n")
    sys.stdout.flush()
    os._exit(0)  # an exit that a collector holds up is measured by `exit` alone
