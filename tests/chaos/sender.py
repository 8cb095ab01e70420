"""A sender that may be killed at any moment: `python -m tests.chaos.sender PLAN`.

It sends batch after batch until the stop file appears, each until it is acknowledged, and notes the number of an
acknowledged batch after the answer came. Killed between answer and note, its successor sends that batch again, as
any exporter would.
"""

import http.client
import json
import os
import sys
import threading
import time
import urllib.parse
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos.load import Load

_MARK = "."
_WRONG_ANSWER_STATUS = 3


@dataclass(frozen=True)
class Plan:
    """Where a sender finds and leaves things.

    Attributes:
        folder: holds acknowledged.txt and the stop file.
        ready_file: names the collector's present address; it changes whenever the collector starts again.
        seed: of the load.
        base_ns: of the load.
        threads: how many send at the same time.
        pause_s: after each batch, to pace the load.
        timeout_s: how long one answer is waited for.
    """

    folder: str
    ready_file: str
    seed: int
    base_ns: int
    threads: int = 4
    pause_s: float = 0.0
    timeout_s: float = 10.0

    @property
    def load(self) -> Load:
        """The batches."""
        return Load(self.seed, self.base_ns)

    @property
    def acknowledged_file(self) -> Path:
        """One line per acknowledged batch: its number and a mark."""
        return Path(self.folder) / "acknowledged.txt"

    @property
    def stop_file(self) -> Path:
        """When it exists, no new batch is begun."""
        return Path(self.folder) / "stop"

    def acknowledged(self) -> set[int]:
        """The batches whose acknowledgement was noted."""
        if not self.acknowledged_file.exists():
            return set()
        # A kill can cut a line short: what does not end with the mark was not noted.
        lines = self.acknowledged_file.read_text().splitlines()
        return {int(line.removesuffix(_MARK)) for line in lines if line.endswith(_MARK)}

    def write(self) -> Path:
        """Writes the plan for a sender's command line."""
        path = Path(self.folder) / "plan.json"
        path.write_text(json.dumps(asdict(self)))
        return path


class Sender:
    """Sends every batch whose number leaves the same remainder, over one connection."""

    def __init__(self, plan: Plan, descriptor: int, thread: int, done: set[int]) -> None:
        self._plan = plan
        self._descriptor = descriptor
        self._thread = thread
        self._done = done
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        """Sends until the stop file appears."""
        batch = self._thread
        while not self._plan.stop_file.exists():
            if batch not in self._done:
                self._send(batch)
                os.write(self._descriptor, f"{batch}{_MARK}\n".encode())
                time.sleep(self._plan.pause_s)
            batch += self._plan.threads

    def _send(self, batch: int) -> None:
        body = self._plan.load.body(batch)
        while not self._is_taken(body):
            time.sleep(0.02)

    def _is_taken(self, body: bytes) -> bool:
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        try:
            connection = self._connected()
            connection.request("POST", "/v1/traces", body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            self._connection = None
            return False
        if answer.status not in {200, 503}:
            sys.stderr.write(f"the collector answered {answer.status} to a good batch\n")
            os._exit(_WRONG_ANSWER_STATUS)  # from a thread nothing less ends the process
        return answer.status == 200

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            url = str(json.loads(Path(self._plan.ready_file).read_text())["url"])
            address = urllib.parse.urlsplit(url).netloc
            self._connection = http.client.HTTPConnection(address, timeout=self._plan.timeout_s)
        return self._connection


def main(argv: list[str]) -> int:
    """Sends until told to stop; 0 when every thread's last batch was acknowledged."""
    plan = Plan(**json.loads(Path(argv[0]).read_text()))
    done = plan.acknowledged()
    descriptor = os.open(plan.acknowledged_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, b"\n")  # ends a line that a kill cut short
    senders = [Sender(plan, descriptor, number, done) for number in range(plan.threads)]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
