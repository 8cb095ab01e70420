"""`loopwatch agent run` as a process: what it prints, and the spans it sends."""

import gzip
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch import names

RUNS = 24


class Sink(ThreadingHTTPServer):
    """A collector that keeps the spans in memory."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _SinkHandler)
        self.spans = []
        self.bodies = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _SinkHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer(200 if self.path == "/healthz" else 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path == "/v1/traces":
            self.server.bodies.append(body)
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.server.spans.extend((scope.scope.name, span) for span in scope.spans)
        self._answer(200)

    def _answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format, *args):  # noqa: A002 the name http.server passes
        pass


def run_agent(*arguments, **environment):
    bare = {
        name: value for name, value in os.environ.items() if not name.startswith(("LOOPWATCH", "OTEL", "ANTHROPIC"))
    }
    return subprocess.run(
        [sys.executable, "-m", "loopwatch.cli", "agent", "run", *arguments],
        env={**bare, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def sink():
    with Sink() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def finished(sink):
    options = ["--runs", str(RUNS), "--seed", "7", "--progress", "--latency-scale", "0", "--endpoint", sink.url]
    return run_agent(*options)


@pytest.fixture
def spans(finished, sink):
    assert finished.returncode == 0, finished.stderr
    return [(scope, span.name, attributes_of(span)) for scope, span in sink.spans]


def attributes_of(span):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_each_run_is_a_line_and_the_outcomes_are_those_of_the_spans(finished, spans):
    """One line per run names its outcome and run id; the run span with that id has the same outcome."""
    lines = re.findall(r"^\[ *\d+/24\] (\w+) +\S+ +\d+ iterations? .* ([0-9a-f]{32})$", finished.stdout, re.MULTILINE)
    assert len(lines) == RUNS
    sent = {a[names.RUN_ID]: a[names.OUTCOME] for _, name, a in spans if name == "invoke_agent incident-resolver"}
    assert sent == {run_id: outcome for outcome, run_id in lines}
    assert set(sent.values()) == {"completed", "escalated", "stopped", "failed"}


def test_the_clients_own_spans_are_used_and_not_doubled(spans):
    """Model calls come from the Anthropic client alone, one per response id, inside an iteration of a run."""
    calls = [a for scope, name, a in spans if name == "anthropic.messages.create"]
    answered = [a[names.RESPONSE_ID] for a in calls if names.RESPONSE_ID in a]
    assert len(answered) == len(set(answered)) > RUNS
    assert not any(name.startswith("chat ") for _, name, _ in spans)
    assert all(a[names.ITERATION] >= 1 for a in calls)


def test_every_span_says_whose_it_is(spans):
    """Run, agent, version, conversation, customer, user and environment are on every span."""
    wanted = (
        names.RUN_ID,
        names.AGENT_NAME,
        names.AGENT_VERSION,
        names.CONVERSATION_ID,
        names.CUSTOMER_ID,
        names.USER_ID,
        names.ENVIRONMENT,
    )
    assert [(name, missing) for _, name, a in spans if (missing := [one for one in wanted if one not in a])] == []


def test_prompts_are_read_from_the_cache(spans):
    """After its first call a run reads its prompt from the cache: reads exceed writes over the workload."""
    calls = [a for _, name, a in spans if name == "anthropic.messages.create"]
    read = sum(a.get(names.CACHE_READ_TOKENS, 0) for a in calls)
    assert read > sum(a[names.INPUT_TOKENS] for a in calls if names.INPUT_TOKENS in a) / 2


def test_tools_succeed_find_nothing_and_fail(spans):
    """The workload has all three tool outcomes."""
    outcomes = Counter(a[names.TOOL_OUTCOME] for _, name, a in spans if name.startswith("execute_tool"))
    assert outcomes.keys() == {"success", "not_found", "error"}


def test_without_capture_no_content_is_sent(finished, sink):
    """What alerts, log lines and prompts say stays at home unless --capture is given."""
    sent = b"".join(sink.bodies)
    for words in (b"search-api: error rate", b"incident resolver of an online shop", b"upstream error or timeout"):
        assert words not in sent


def test_live_without_a_key_is_one_sentence(sink):
    """--live needs a key and says so, without a traceback."""
    refused = run_agent("--live", "--endpoint", sink.url)
    assert refused.returncode == 1
    assert refused.stderr.startswith("loopwatch agent: --live needs ANTHROPIC_API_KEY")
    assert refused.stderr.count("\n") == 1


def test_an_absent_collector_is_one_sentence():
    """An endpoint where nobody answers is named, with what to do about it."""
    refused = run_agent("--endpoint", "http://127.0.0.1:9")
    assert refused.returncode == 1
    assert refused.stderr.startswith("loopwatch agent: no collector answers at http://127.0.0.1:9")
    assert "loopwatch serve" in refused.stderr
    assert refused.stderr.count("\n") == 1
