"""The SDK inside the processes people really run: forks, workers, other tracer providers, standard variables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk_agents import WORK
from tests.sdk_sink import running_sink

PREAMBLE = """
import asyncio, multiprocessing, os, sys, time
import loopwatch
"""


def run(code: str, spool: Path, **env: str) -> str:
    """Runs the preamble and the code as a program's file, to its end; returns what it printed."""
    program = spool / "program.py"
    program.write_text(PREAMBLE + WORK + code)
    done = subprocess.run(
        [sys.executable, str(program)],
        env={**os.environ, "LOOPWATCH_SPOOL_DIR": str(spool / "spool"), **env},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_forked_child_sends_its_own_spans_and_not_the_parents(tmp_path: Path) -> None:
    """After os.fork both go on: each span comes once, from the process that ended it."""
    code = """
loopwatch.configure(service_name="t")
work(4)
if os.fork() == 0:
    work(9)
    assert loopwatch.flush(20)
    os._exit(0)
os.wait()
work(2)
"""
    with running_sink() as sink:
        run(code, tmp_path, LOOPWATCH_ENDPOINT=sink.url)
        spans = sink.wait_for(18)
        assert len({span.span_id for span in spans}) == len(spans) == 18
        processes = {span.resource["loopwatch.process.id"]: 0 for span in spans}
        for span in spans:
            processes[span.resource["loopwatch.process.id"]] += 1
        assert sorted(processes.values()) == [8, 10]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_worker_loses_nothing_at_its_end(tmp_path: Path, method: str) -> None:
    """A worker of multiprocessing leaves without atexit; what it ended last arrives too."""
    code = f"""
def worker():
    {"loopwatch.configure(service_name='t')" if method == "spawn" else "pass"}
    work(19)

if __name__ == "__main__":
    loopwatch.configure(service_name="t")
    process = multiprocessing.get_context("{method}").Process(target=worker)
    process.start()
    process.join()
    assert process.exitcode == 0
"""
    with running_sink() as sink:
        run(code, tmp_path, LOOPWATCH_ENDPOINT=sink.url)
        assert len(sink.wait_for(20, 10)) == 20


def test_configured_before_the_fork_of_a_pre_forking_server(tmp_path: Path) -> None:
    """Gunicorn --preload configures in the parent and forks workers that are killed by SIGTERM."""
    code = """
import signal
loopwatch.configure(service_name="t")
workers = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, lambda *args: sys.exit(0))
        work(9)
        while True:
            time.sleep(0.05)
    workers.append(pid)
time.sleep(1.0)
for pid in workers:
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
"""
    with running_sink() as sink:
        run(code, tmp_path, LOOPWATCH_ENDPOINT=sink.url)
        assert len({span.span_id for span in sink.wait_for(30)}) == 30


def test_asyncio_run_several_times(tmp_path: Path) -> None:
    """Event loops come and go; the exporter's threads belong to none."""
    code = """
loopwatch.configure(service_name="t")

@loopwatch.agent
async def answer():
    await asyncio.sleep(0)
    look(1)

for _ in range(3):
    asyncio.run(answer())
"""
    with running_sink() as sink:
        run(code, tmp_path, LOOPWATCH_ENDPOINT=sink.url)
        assert len(sink.wait_for(6)) == 6


def test_tracer_provider_that_is_there_is_joined(tmp_path: Path) -> None:
    """The host's provider stays, its own exporter sees our spans with everything on them, and so does the collector."""
    code = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
theirs = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(theirs))
trace.set_tracer_provider(provider)
loopwatch.configure(service_name="t", capture=True)
assert trace.get_tracer_provider() is provider
with provider.get_tracer("web").start_as_current_span("GET /"):
    with loopwatch.context(customer_id="acme"):
        work(2)
names = sorted(span.name for span in theirs.get_finished_spans())
assert names == ["GET /", "execute_tool look", "execute_tool look", "invoke_agent work"], names
tool = next(span for span in theirs.get_finished_spans() if span.name == "execute_tool look")
assert tool.attributes["loopwatch.customer.id"] == "acme"
assert tool.attributes["gen_ai.tool.call.arguments"] == '{"number":0}'
assert tool.attributes["loopwatch.tool.arguments.bytes"] == 12
"""
    with running_sink() as sink:
        run(code, tmp_path, LOOPWATCH_ENDPOINT=sink.url)
        spans = sink.wait_for(4)
        by_name = {span.name: span for span in spans}
        assert by_name["invoke_agent work"].parent_id == by_name["GET /"].span_id
        assert by_name["execute_tool look"].attributes["loopwatch.customer.id"] == "acme"
        assert by_name["execute_tool look"].attributes["gen_ai.tool.call.result"] in {"0", "1"}


def test_processor_added_later_sees_our_spans(tmp_path: Path) -> None:
    """A second listener on the provider we set gets whole spans from then on."""
    code = """
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
loopwatch.configure(service_name="t")
theirs = InMemorySpanExporter()
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(theirs))
work(1)
spans = theirs.get_finished_spans()
assert [span.name for span in spans] == ["execute_tool look", "invoke_agent work"]
assert spans[0].parent.span_id == spans[1].context.span_id
assert spans[0].attributes["loopwatch.tool.outcome"] == "success"
"""
    with running_sink() as sink:
        run(code, tmp_path, LOOPWATCH_ENDPOINT=sink.url)
        assert len(sink.wait_for(2)) == 2


def test_standard_variables_are_honoured(tmp_path: Path) -> None:
    """Endpoint, headers, service name, resource attributes and compression by OTEL_* alone."""
    with running_sink() as sink:
        run(
            "loopwatch.configure()\nwork(0)",
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            OTEL_EXPORTER_OTLP_HEADERS="x-team=a%20b",
            OTEL_EXPORTER_OTLP_COMPRESSION="none",
            OTEL_SERVICE_NAME="standard",
            OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=eu,team=x",
        )
        span = sink.wait_for(1)[0]
        assert span.resource["service.name"] == "standard"
        assert span.resource["deployment.environment.name"] == "eu"
        assert sink.headers[0]["x-team"] == "a b"
        assert "content-encoding" not in sink.headers[0]


def test_sdk_can_be_switched_off_and_sampled(tmp_path: Path) -> None:
    """OTEL_SDK_DISABLED records nothing; OTEL_TRACES_SAMPLER decides what is sent."""
    with running_sink() as sink:
        run("loopwatch.configure()\nwork(1)", tmp_path, LOOPWATCH_ENDPOINT=sink.url, OTEL_SDK_DISABLED="true")
        run("loopwatch.configure()\nwork(1)", tmp_path, LOOPWATCH_ENDPOINT=sink.url, OTEL_TRACES_SAMPLER="always_off")
        run("loopwatch.configure()\nwork(1)", tmp_path, LOOPWATCH_ENDPOINT=sink.url, OTEL_TRACES_SAMPLER="always_on")
        assert len(sink.wait_for(2)) == 2


def test_importing_does_nothing(tmp_path: Path) -> None:
    """No thread, no file, no module of the SDK's own beyond the package."""
    code = """
import threading
assert threading.active_count() == 1
"""
    run(code, tmp_path)
    assert not (tmp_path / "spool").exists()


def test_wrong_settings_are_named_all_at_once(tmp_path: Path) -> None:
    """Configure raises one ConfigurationError that names every fault."""
    code = """
try:
    loopwatch.configure(capture=["everything"])
except loopwatch.ConfigurationError as fault:
    print(fault)
"""
    out = run(code, tmp_path, LOOPWATCH_ENDPOINT="localhost:4318", OTEL_EXPORTER_OTLP_TIMEOUT="soon")
    assert "'everything' is no kind of content" in out
    assert "write an http:// or https:// URL" in out
    assert "OTEL_EXPORTER_OTLP_TIMEOUT='soon'" in out


def test_configured_again_sends_to_the_new_place(tmp_path: Path) -> None:
    """A second configure replaces the first, as notebooks do it."""
    with running_sink() as first, running_sink() as second:
        run(
            f"loopwatch.configure(endpoint='{first.url}')\nwork(1)\n"
            f"loopwatch.configure(endpoint='{second.url}', service_name='again')\nwork(2)",
            tmp_path,
        )
        assert len(first.wait_for(2)) == 2
        assert len(second.wait_for(3)) == 3
        assert second.spans[0].resource["service.name"] == "again"
