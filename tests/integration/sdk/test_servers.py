"""The SDK inside gunicorn's and uvicorn's workers and a Jupyter kernel, each the real thing."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import wait_for
from tests.sdk_agents import WORK
from tests.sdk_sink import SentSpan, running_sink

AGENT = """
import os
import loopwatch

loopwatch.configure(service_name="web")
"""
WSGI = """
def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [work(9).encode()]
"""
ASGI = """
@loopwatch.agent
async def work_async(calls):
    return work(calls)

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        loopwatch.shutdown()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = (await work_async(9)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
"""
SERVERS = {
    "gunicorn": (WSGI, ["gunicorn", "-w", "2", "-b", "127.0.0.1:0", "app:app"]),
    "gunicorn --preload": (WSGI, ["gunicorn", "-w", "2", "--preload", "-b", "127.0.0.1:0", "app:app"]),
    "uvicorn": (ASGI, ["uvicorn", "--workers", "2", "--port", "0", "app:app"]),
}
SPANS = {"gunicorn": 10, "gunicorn --preload": 10, "uvicorn": 11}


@contextmanager
def serving(command: list[str], folder: Path, env: dict[str, str]) -> Iterator[str]:
    """Runs a server on a port of the system's choice, gives its URL, and ends it by SIGTERM."""
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env={**os.environ, **env}, stdout=output, stderr=output
        )
    try:
        found = wait_for(lambda: re.search(r"http://127\.0\.0\.1:[1-9]\d*", log.read_text()), "the server listens")
        yield found[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def ask(url: str) -> str | None:
    """One request's answer, the worker's pid; None while no worker listens yet."""
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.read().decode()
    except urllib.error.URLError:
        return None


def numbers_by_process(spans: list[SentSpan]) -> dict[str, list[int]]:
    """The numbers of the spans of each process that sent some, in order."""
    numbers: dict[str, list[int]] = {}
    for span in spans:
        numbers.setdefault(span.resource["loopwatch.process.id"], []).append(span.attributes["loopwatch.seq"])
    return {process: sorted(seen) for process, seen in numbers.items()}


@pytest.mark.parametrize("server", SERVERS)
def test_each_worker_of_a_server_sends_its_own_spans_and_loses_none(server: str, tmp_path: Path) -> None:
    """Requests on both workers are runs of two processes; what ended last arrives although the server is ended."""
    code, command = SERVERS[server]
    (tmp_path / "app.py").write_text(AGENT + WORK + code)
    with running_sink() as sink:
        env = {"LOOPWATCH_ENDPOINT": sink.url, "LOOPWATCH_SPOOL_DIR": str(tmp_path / "spool")}
        asked: list[str] = []
        with serving(command, tmp_path, env) as url:

            def both_answered() -> bool:
                asked.extend(filter(None, [ask(url)]))
                return len(set(asked)) == 2

            wait_for(both_answered, "both workers answered")
        spans = sink.wait_for(SPANS[server] * len(asked))
        assert len({span.span_id for span in spans}) == len(spans) == SPANS[server] * len(asked)
        numbers = list(numbers_by_process(spans).values())
        assert [seen == list(range(1, len(seen) + 1)) for seen in numbers] == [True, True]


NOTEBOOK = """
import nbformat
from nbclient import NotebookClient

cells = [
    open("agent.py").read(),
    "work(4)",
    "@loopwatch.agent\\nasync def answer():\\n    look(1)\\nawait answer()",
    "loopwatch.configure(service_name='again')\\nwork(2)",
    "work(1)\\nraise KeyError('a cell that fails')",
    "print(loopwatch.current_run())",
]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
NotebookClient(notebook, kernel_name="python3", timeout=60, allow_errors=True).execute()
print(notebook.cells[-1].outputs[0].text.strip(), notebook.cells[-2].outputs[0].ename)
"""


def test_cells_of_a_notebook_are_recorded_and_the_kernels_end_loses_nothing(tmp_path: Path) -> None:
    """In a real kernel: top-level await, configuring again, a cell that fails, and what ended just before shutdown."""
    (tmp_path / "agent.py").write_text(AGENT + WORK)
    with running_sink() as sink:
        env = {
            **os.environ,
            "LOOPWATCH_ENDPOINT": sink.url,
            "LOOPWATCH_SPOOL_DIR": str(tmp_path / "spool"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "IPYTHONDIR": str(tmp_path / "ipython"),
        }
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", NOTEBOOK],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "None KeyError\n"
        spans = sink.wait_for(5 + 2 + 3 + 2)
        assert len({span.span_id for span in spans}) == len(spans) == 12
        services = [span.resource["service.name"] for span in spans if span.name.startswith("invoke_agent")]
        assert sorted(services) == ["again", "again", "web", "web"]
