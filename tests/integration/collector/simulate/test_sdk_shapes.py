"""Simulated spans have the names, scopes, attributes and events that the real SDK and Anthropic client send."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from loopwatch import names
from loopwatch_collector.simulate.requests import SimulatedRequest
from loopwatch_collector.simulate.simulation import Simulation
from tests.unit.collector.simulate.otlp import ReadSpan, read

# What this agent's calls do not happen to have and the simulated ones may, and the other way round.
OCCASIONAL = {
    "http.request.resend_count",
    names.REQUEST_STREAM,
    names.TIME_TO_FIRST_CHUNK,
    names.REASONING_TOKENS,
    names.CACHE_READ_TOKENS,
    names.TOOLS_OFFERED,
    names.TOOLS_SCHEMA_BYTES,
    names.TOOL_DEFINITIONS,
    names.INPUT_MESSAGES,
    names.OUTPUT_MESSAGES,
    names.SYSTEM_INSTRUCTIONS,
    names.OUTPUT_HASH,
    names.OUTPUT_BYTES,
    names.STEP,
    names.LIMIT_NAME,
    names.LIMIT_VALUE,
    names.LIMIT_CAP,
}


class _Sink(BaseHTTPRequestHandler):
    bodies: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/traces":
            self.bodies.append(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def _sent_by_sdk(capture: str, tmp_path: Path) -> list[ReadSpan]:
    sink = type("Sink", (_Sink,), {"bodies": []})
    with HTTPServer(("127.0.0.1", 0), sink) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = [
            sys.executable,
            str(Path(__file__).with_name("sdk_agent.py")),
            f"http://127.0.0.1:{server.server_port}",
            capture,
        ]
        subprocess.run(words, check=True, timeout=60, env={"LOOPWATCH_SPOOL_DIR": str(tmp_path), "HOME": str(tmp_path)})
        server.shutdown()
    return list(read(_as_requests(sink.bodies)))


def _as_requests(bodies: Iterable[bytes]) -> list[SimulatedRequest]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    decoded = [(body, ExportTraceServiceRequest.FromString(body)) for body in bodies]
    return [
        SimulatedRequest(
            body, sum(len(scope.spans) for resource in one.resource_spans for scope in resource.scope_spans)
        )
        for body, one in decoded
    ]


Shape = tuple[str, str, str]


def _shape_of(span: ReadSpan) -> Shape:
    """Which spans are to be alike: the same scope, kind of name, and outcome."""
    outcome = span.attributes.get(names.TOOL_OUTCOME) or span.attributes.get(names.OUTCOME) or ""
    failed = "failed" if span.attributes.get("error.type") and not outcome else outcome
    return span.scope, span.span.name.split(" ")[0], failed


def _attributes(spans: Iterable[ReadSpan], agent: str) -> dict[Shape, list[ReadSpan]]:
    found: dict[Shape, list[ReadSpan]] = {}
    for span in spans:
        if span.attributes.get(names.AGENT_NAME) == agent or span.span.name.split(" ")[0] in {"plan", "step"}:
            found.setdefault(_shape_of(span), []).append(span)
    return found


@pytest.mark.parametrize("capture", ["off", "on"])
def test_simulated_spans_are_shaped_like_real_ones(capture: str, tmp_path: Path) -> None:
    """Each kind of span a real agent sends exists among the simulated, with the same attributes, kind and events."""
    real = _attributes(_sent_by_sdk(capture, tmp_path), "support-triage")
    simulation = Simulation(20_410 * 86_400 * 10**9, 2, 400, has_content=capture == "on")
    simulated = _attributes(read(simulation.requests()), "support-triage")
    assert real.keys() <= simulated.keys()
    conversation = {names.CONVERSATION_ID}
    for shape, spans in real.items():
        required = spans[0].attributes.keys() - OCCASIONAL
        alike = simulated[shape]
        for span in alike[:200]:
            attributes = span.attributes.keys()
            assert required - attributes <= conversation, (shape, required - attributes)
            assert attributes - spans[0].attributes.keys() <= OCCASIONAL, shape
            for name in required & attributes:
                assert type(span.attributes[name]) is type(spans[0].attributes[name]), (shape, name)
        assert {span.span.kind for span in alike} == {spans[0].span.kind}, shape
        assert {span.span.status.code for span in alike} == {spans[0].span.status.code}, shape
        _compare_events(spans, alike)


def _compare_events(real: list[ReadSpan], simulated: list[ReadSpan]) -> None:
    shapes = {name: set(said) for span in simulated for name, said in span.events}
    for span in real:
        for name, said in span.events:
            if name in shapes:
                assert said.keys() - {"exception.stacktrace", "exception.escaped"} == shapes[name] | (
                    said.keys() & {"loopwatch.escalation.cost_usd"}
                ), name
