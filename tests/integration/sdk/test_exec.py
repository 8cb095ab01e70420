"""`loopwatch exec`: a program that knows nothing of Loopwatch is recorded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk_sink import running_sink

PROGRAM = """
import sys
from opentelemetry import trace
with trace.get_tracer("some.client").start_as_current_span("chat m") as span:
    span.set_attribute("gen_ai.operation.name", "chat")
    span.set_attribute("gen_ai.usage.input_tokens", 7)
print("said", sys.argv[1:])
if "fail" in sys.argv:
    raise SystemExit(3)
"""


def execute(*words: str, spool: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "loopwatch.cli", "exec", *words],
        env={**os.environ, "LOOPWATCH_SPOOL_DIR": str(spool)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_program_becomes_a_run_with_what_its_libraries_record(tmp_path: Path) -> None:
    """The file is a run named after it, spans of its libraries are inside, its arguments are its own."""
    program = tmp_path / "my_agent.py"
    program.write_text(PROGRAM)
    with running_sink() as sink:
        done = execute("--endpoint", sink.url, str(program), "--own", "x", spool=tmp_path / "spool")
        assert (done.returncode, done.stdout) == (0, "said ['--own', 'x']\n"), done.stderr
        call, run = sink.wait_for(2)
        assert (call.name, run.name) == ("chat m", "invoke_agent my_agent")
        assert call.parent_id == run.span_id
        assert call.attributes["gen_ai.agent.name"] == "my_agent"
        assert run.attributes["loopwatch.outcome"] == "completed"
        assert run.resource["service.name"] == "my_agent"


def test_exit_status_is_the_programs(tmp_path: Path) -> None:
    """SystemExit passes through, and the run has failed."""
    program = tmp_path / "my_agent.py"
    program.write_text(PROGRAM)
    with running_sink() as sink:
        assert execute("--endpoint", sink.url, str(program), "fail", spool=tmp_path / "spool").returncode == 3
        assert sink.wait_for(2)[1].attributes["loopwatch.outcome"] == "failed"


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """No traceback for a wrong name."""
    done = execute("nowhere.py", spool=tmp_path)
    assert (done.returncode, done.stderr) == (2, "loopwatch exec: there is no file 'nowhere.py'\n")


@pytest.mark.parametrize("module", ["nowhere_to_be_found", "nowhere.below", "xml.dom", "..x"])
def test_missing_module_is_one_sentence_and_no_run(tmp_path: Path, module: str) -> None:
    """A module that is not there, or a package that cannot be run, is told before anything is recorded."""
    with running_sink() as sink:
        done = execute("--endpoint", sink.url, "-m", module, spool=tmp_path)
        assert (done.returncode, done.stderr) == (2, f"loopwatch exec: there is no module {module!r} to run\n")
        assert sink.requests == 0
