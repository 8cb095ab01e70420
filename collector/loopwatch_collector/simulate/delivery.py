"""Where simulated requests go: files in a folder, a running collector, or both."""

import gzip
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from loopwatch_collector.importing.sender import Sender
from loopwatch_collector.simulate.requests import SimulatedRequest

_CONNECTIONS = 3
_MOST_WAITING = 2 * _CONNECTIONS


def write_files(requests: Iterable[SimulatedRequest], folder: Path, *, compress: bool) -> Iterator[SimulatedRequest]:
    """Writes each request's body to a file of its own: `000001.pb`, or `000001.pb.gz`.

    Args:
        requests: the requests.
        folder: an existing folder.
        compress: whether the bodies are gzipped, as SDKs send them.

    Yields:
        Each request, once it is written.
    """
    for number, request in enumerate(requests, start=1):
        name, body = f"{number:06d}.pb", request.body
        if compress:
            name, body = f"{name}.gz", gzip.compress(body, compresslevel=1, mtime=0)
        (folder / name).write_bytes(body)
        yield request


def send(requests: Iterable[SimulatedRequest], sender: Sender) -> Iterator[SimulatedRequest]:
    """Sends each request, several at a time and about in order.

    Args:
        requests: the requests.
        sender: speaks to the collector.

    Yields:
        Each request, once the collector has it on disk.

    Raises:
        CollectorRefused: the collector is not there, or said no.
    """
    under_way: dict[Future[None], SimulatedRequest] = {}
    with ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="simulate") as threads:
        for request in requests:
            under_way[threads.submit(sender.send_body, request.body)] = request
            if len(under_way) >= _MOST_WAITING:
                yield from _arrived(under_way)
        while under_way:
            yield from _arrived(under_way)


def _arrived(under_way: dict[Future[None], SimulatedRequest]) -> Iterator[SimulatedRequest]:
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        request = under_way.pop(future)
        future.result()
        yield request


def write_truth(document: dict[str, Any], file: Path) -> None:
    """Writes the truth as JSON."""
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
