"""A process that has imported what a `loopwatch` command needs, and forks for each one that a test starts.

`python -m tests.fork_server COMMAND` takes requests from the socket that is its standard input; tests/forked.py sends
them. A fork differs from `python -m loopwatch.cli` only in that it need not import: that is most of what a start costs.
When the socket's other end is closed, or its process is gone, every fork that still lives is killed.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, Final

from loopwatch import cli

_BOTH: Final = ("anyio._backends._asyncio", "pandas", "uvicorn.loops.uvloop", "uvicorn.protocols.websockets.auto")
# What a command imports only once it runs. Never the engine: chdb has threads when it is imported, and hangs in a fork.
_LATER: Final = {
    "serve": (*_BOTH, "grpc.aio", "uvicorn.lifespan.off"),
    "dashboards": (
        *_BOTH,
        "altair.vegalite.v6.api",
        "httpcore",
        "loopwatch_dashboards.page",
        "pandas.io.formats.style",
        "starlette.applications",
        "streamlit.starlette",
        "uvicorn.lifespan.on",
        "uvicorn.protocols.http.auto",
    ),
}
# Libraries that begin threads when they are imported, and how each is told not to: a fork would be without them.
ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
NUMBER_BYTES: Final = 4
_OUTPUT, _ERRORS, _ENDED = range(3)  # the descriptors that come with a request


def main(command: str) -> int:
    """Serves until no more requests can come; in a fork, runs its command and returns the status it ends with."""
    _import(command)
    gc.collect()
    gc.freeze()  # a fork that looks for garbage there would touch, and so copy, what all forks share
    words = _ForkServer(socket.socket(fileno=0)).serve()
    return 0 if words is None else cli.main(words)


def _import(command: str) -> None:
    for name in (cli.COMMANDS[command].target.partition(":")[0], *_LATER[command]):
        importlib.import_module(name)
    tasks = Path("/proc/self/task")
    if tasks.exists() and len(list(tasks.iterdir())) > 1:
        raise RuntimeError(f"something that {command} imports has begun a thread: it cannot be forked")


class _ForkServer:
    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._woken, self._waker = socket.socketpair()
        self._told: dict[int, int] = {}  # by the id of a fork that lives: where its end is told

    def serve(self) -> list[str] | None:
        """Returns in each fork, with the words of its command, and in the server when no more requests can come."""
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, which then closes the socket
        try:
            while (words := self._serve_next()) is None:
                pass
        except ConnectionError:
            for process_id in self._told:
                os.kill(process_id, signal.SIGKILL)
            return None
        return words

    def _serve_next(self) -> list[str] | None:
        """Waits for one thing to do, and does it.

        Returns:
            The words of the command in a new fork; None in the server.

        Raises:
            ConnectionError: the other end is closed, or its process is gone.
        """
        ready, _, _ = select.select([self._requests, self._woken], [], [])
        if self._woken in ready:
            self._woken.recv(512)
            self._bury()
        if self._requests not in ready:
            return None
        size, descriptors, _, _ = socket.recv_fds(self._requests, NUMBER_BYTES, 3)
        if not size:
            raise ConnectionError
        request = json.loads(self._read(int.from_bytes(size, "big")))
        if (process_id := os.fork()) == 0:
            self._become(request, descriptors)
            return list(request["words"])
        self._told[process_id] = descriptors.pop(_ENDED)
        for descriptor in descriptors:
            os.close(descriptor)
        self._requests.sendall(process_id.to_bytes(NUMBER_BYTES, "big"))
        return None

    def _read(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            part = self._requests.recv(size - len(read))
            if not part:
                raise ConnectionError
            read += part
        return read

    def _bury(self) -> None:
        """Tells the status of each fork that has ended, as `subprocess` has it: negative for a signal."""
        for process_id in list(self._told):
            ended, status = os.waitpid(process_id, os.WNOHANG)
            if ended:
                told = self._told.pop(process_id)
                with contextlib.suppress(BrokenPipeError):  # nobody asks any more
                    os.write(told, os.waitstatus_to_exitcode(status).to_bytes(NUMBER_BYTES, "big", signed=True))
                os.close(told)

    def _become(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Gives a fork what a process of its own would have: signals, files, directory, environment, arguments."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), self._requests.detach())
        os.dup2(descriptors[_OUTPUT], 1)
        os.dup2(descriptors[_ERRORS], 2)
        for descriptor in (*descriptors, *self._told.values()):
            os.close(descriptor)
        self._woken.close()
        self._waker.close()
        os.chdir(request["directory"])
        os.environ.clear()
        os.environ.update(request["environment"])
        time.tzset()
        sys.argv = ["loopwatch", *request["words"]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
