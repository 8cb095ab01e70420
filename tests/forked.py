"""A `loopwatch` command as a process that need not import anything: a fork of one that has; see fork_server.py."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.fork_server import NUMBER_BYTES, ONE_THREAD

_ROOT = Path(__file__).parents[1]


class Forked:
    """What tests need of `subprocess.Popen`, for a process that another one forked.

    Args:
        words: its command and arguments.
        process_id: its id.
        ended: where its exit status comes when it has ended.
    """

    def __init__(self, words: Sequence[str], process_id: int, ended: int) -> None:
        self.args = ["loopwatch", *words]
        self.pid = process_id
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it lives."""
        return self._status(0)

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end and returns its exit status.

        Raises:
            subprocess.TimeoutExpired: it lives on.
        """
        if (status := self._status(timeout)) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Sends a signal if it lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        if self.returncode is not None:
            return self.returncode
        end = select.poll()  # not select(), which knows no descriptor from 1,024 on: a worker of the tests has as many
        end.register(self._ended, select.POLLIN)
        if end.poll(None if timeout is None else timeout * 1_000):
            told = os.read(self._ended, NUMBER_BYTES)
            os.close(self._ended)
            assert told, f"the fork server of {self.args} has ended"
            self.returncode = int.from_bytes(told, "big", signed=True)
        return self.returncode


def fork(words: Sequence[str], environment: Mapping[str, str], output: int, errors: int) -> Forked:
    """Starts a command.

    Args:
        words: of the command line, after `loopwatch`.
        environment: all of its environment.
        output: the descriptor of what it writes to its standard output.
        errors: the same of standard error.
    """
    request = {"words": list(words), "environment": dict(environment), "directory": str(Path.cwd())}
    message = json.dumps(request).encode()
    server = _server(words[0])
    ended, telling = os.pipe()
    socket.send_fds(server, [len(message).to_bytes(NUMBER_BYTES, "big")], [output, errors, telling])
    os.close(telling)
    server.sendall(message)
    told = server.recv(NUMBER_BYTES)
    assert told, f"the fork server of {words[0]} has ended"
    return Forked(words, int.from_bytes(told, "big"), ended)


@cache
def _server(command: str) -> socket.socket:
    """The way to a command's server, which ends with this process."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fork_server", command],
        stdin=theirs.fileno(),
        cwd=_ROOT,
        env={**os.environ, **ONE_THREAD},
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
