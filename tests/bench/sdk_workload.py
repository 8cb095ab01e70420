"""The overhead workload, once by hand with OpenTelemetry and once with Loopwatch; one process measures one.

One run: 10 iterations, each one model call (1 KB in, 1 KB out) and two tool calls (200 B of arguments, 1 KB of
result). `python -m tests.bench.sdk_workload cpu|latency VARIANT RUNS ENDPOINT` prints one line of JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

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


def bare() -> tuple[Callable[[], None], Callable[[], None]]:
    """The workload without any recording: what is subtracted from the others."""

    def search(query: str, minutes: int = 30) -> list[dict[str, object]]:
        return rows(minutes)

    def run() -> None:
        for number in range(ITERATIONS):
            messages()
            answer()
            search(QUERY, minutes=number)
            search(QUERY, minutes=-number)

    return run, lambda: None


def by_hand(endpoint: str) -> tuple[Callable[[], None], Callable[[], None]]:
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

    def search(query: str, minutes: int = 30) -> list[dict[str, object]]:
        with tracer.start_as_current_span("execute_tool search") as span:
            span.set_attribute("gen_ai.operation.name", "execute_tool")
            span.set_attribute("gen_ai.tool.name", "search")
            span.set_attribute("gen_ai.tool.call.arguments", json.dumps({"query": query, "minutes": minutes}))
            result = rows(minutes)
            span.set_attribute("gen_ai.tool.call.result", json.dumps(result))
            return result

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


def with_loopwatch(endpoint: str, capture: bool, redact: bool = False) -> tuple[Callable[[], None], Callable[[], None]]:
    """The same with Loopwatch's decorators."""
    import loopwatch

    loopwatch.configure(service_name="bench", endpoint=endpoint, capture=capture, redact=redact)

    @loopwatch.tool
    def search(query: str, minutes: int = 30) -> list[dict[str, object]]:
        return rows(minutes)

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


VARIANTS: dict[str, Callable[[str], tuple[Callable[[], None], Callable[[], None]]]] = {
    "bare": lambda endpoint: bare(),
    "by hand": by_hand,
    "capture on": lambda endpoint: with_loopwatch(endpoint, True),
    "capture off": lambda endpoint: with_loopwatch(endpoint, False),
    "capture on, redaction on": lambda endpoint: with_loopwatch(endpoint, True, True),
}


def measure(variant: str, runs: int, endpoint: str) -> dict[str, float]:
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


def latencies(variant: str, calls: int, endpoint: str) -> dict[str, float]:
    """Returns what one recorded run adds to a call at each percentile, in ms; the calls come every 2 ms."""
    run, finish = VARIANTS[variant](endpoint)
    taken: list[float] = []
    for _ in range(calls):
        began = time.perf_counter()
        run()
        taken.append((time.perf_counter() - began) / SPANS_BY_HAND * 1000)
        time.sleep(0.002)
    began = time.perf_counter()
    finish()
    taken.sort()
    return {
        "p50_ms": taken[calls // 2],
        "p99_ms": taken[calls * 99 // 100],
        "p999_ms": taken[calls * 999 // 1000],
        "exit_s": time.perf_counter() - began,
    }


if __name__ == "__main__":
    work = {"cpu": measure, "latency": latencies}[sys.argv[1]]
    print(json.dumps(work(sys.argv[2], int(sys.argv[3]), sys.argv[4])))
