"""Too much at once over gRPC: refused so that senders come back, and nobody held up by those who dawdle."""

import asyncio
import gzip
import re
import socket
import time
from collections.abc import AsyncIterator, Generator
from contextlib import ExitStack
from typing import Any

import grpc
import grpc.aio
import pytest

from loopwatch_collector.errors import RequestRefused, Unavailable
from loopwatch_collector.receive.grpc_server import Arrivals
from tests.chaos.load import Load, recent_midnight_ns
from tests.processes import Running, bare_collector, wait_for

_MIB = 2**20
_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_DAWDLERS = 300
_GOOD = gzip.decompress(Load(43, recent_midnight_ns(time.time_ns())).body(0))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Where a collector that may hold 16 MiB of requests takes gRPC."""
    env = {"LOOPWATCH_GRPC_PORT": "0", "LOOPWATCH_MAX_RECEIVING_BYTES": str(16 * _MIB)}
    with bare_collector(tmp_path_factory.mktemp("overload"), **env) as running:
        yield wait_for(lambda: _address(running), "the log names the port")


def _address(running: Running) -> str | None:
    found = re.search(r"OTLP over gRPC on (\S+)", running.log.read_text())
    return found[1] if found else None


async def _export(address: str, body: bytes, compression: Any = None) -> grpc.StatusCode:
    async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            await channel.unary_unary(_METHOD)(body, timeout=60, compression=compression)
        except grpc.aio.AioRpcError as fault:
            return fault.code()
    return grpc.StatusCode.OK


def test_calls_without_a_message_hold_nobody_up(address: str) -> None:
    """Three hundred calls whose message does not come: others are answered as ever, and the first had to make room."""

    async def dawdle_and_send() -> list[grpc.StatusCode]:
        async with grpc.aio.insecure_channel(address) as channel:
            calls: list[Any] = [channel.stream_unary(_METHOD)(timeout=60) for _ in range(_DAWDLERS)]
            for call in calls:
                await call.wait_for_connection()
            answers = [await _export(address, _GOOD) for _ in range(3)]
            answers.append(await calls[0].code())
            for call in calls:
                call.cancel()
        return answers

    assert asyncio.run(dawdle_and_send()) == [grpc.StatusCode.OK] * 3 + [grpc.StatusCode.UNAVAILABLE]


def test_connections_that_say_nothing_hold_nobody_up(address: str) -> None:
    """Three hundred connections that do not even begin to speak HTTP/2: others are answered as ever."""
    host, _, port = address.rpartition(":")
    with ExitStack() as stack:
        for _ in range(_DAWDLERS):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=30))
        assert asyncio.run(_export(address, _GOOD)) is grpc.StatusCode.OK


def test_a_flood_is_refused_so_that_senders_come_back(address: str) -> None:
    """Forty messages of 4 MiB at once: judged or UNAVAILABLE, the one status that exporters try again after."""

    async def flood() -> set[grpc.StatusCode]:
        noise = b"\x0a" + b"\xff" * (4 * _MIB)
        return set(await asyncio.gather(*(_export(address, noise) for _ in range(40))))

    answers = asyncio.run(flood())
    assert answers <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INVALID_ARGUMENT}
    assert asyncio.run(_export(address, _GOOD)) is grpc.StatusCode.OK


def test_a_bomb_is_refused(address: str) -> None:
    """64 MiB packed into 64 KB: refused for good by its unpacked size, and others are answered."""
    answer = asyncio.run(_export(address, bytes(64 * _MIB), grpc.Compression.Gzip))
    assert answer is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert asyncio.run(_export(address, _GOOD)) is grpc.StatusCode.OK


async def _never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def _nothing() -> AsyncIterator[bytes]:
    for body in ():
        yield body


def test_who_has_dawdled_longest_makes_room() -> None:
    """Where no further message may be on its way, the oldest is given up, not the newest refused."""

    async def crowd() -> list[BaseException | bytes]:
        arrivals = Arrivals(2, 60)
        waiting = [asyncio.create_task(arrivals.message(_never())) for _ in range(3)]
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert done == {waiting[0]}
        for task in pending:
            task.cancel()
        return await asyncio.gather(*waiting, return_exceptions=True)

    found = asyncio.run(crowd())
    assert [type(one) for one in found] == [Unavailable, asyncio.CancelledError, asyncio.CancelledError]


def test_a_request_without_a_message_is_the_senders_fault() -> None:
    """A call that ends before its message is refused for good."""
    with pytest.raises(RequestRefused):
        asyncio.run(Arrivals(2, 60).message(_nothing()))
