"""OTLP over gRPC: the same way in as HTTP, behind gRPC's own framing."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from google.protobuf.message import Message

from loopwatch_collector.auth import Keyring, permit
from loopwatch_collector.errors import CannotStart, CollectorError
from loopwatch_collector.receive import signals, status
from loopwatch_collector.receive.receiver import Receiver, Sending
from loopwatch_collector.receive.signals import Signal

_THREADS: Final = 8
# The C core holds whole messages before we see and count them: these two bound what that can be.
_CONCURRENT_REQUESTS: Final = 32
_MAX_MESSAGE_BYTES: Final = 16 * 2**20
_SERVICES: Final = {
    "opentelemetry.proto.collector.trace.v1.TraceService": signals.TRACES,
    "opentelemetry.proto.collector.logs.v1.LogsService": signals.LOGS,
    "opentelemetry.proto.collector.metrics.v1.MetricsService": signals.METRICS,
}
# By HTTP status. Only UNAVAILABLE makes OTLP clients try again.
_CODES: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    503: grpc.StatusCode.UNAVAILABLE,
}


def start(
    receiver: Receiver, keyring: Keyring, address: str, max_body_bytes: int, loop: asyncio.AbstractEventLoop
) -> tuple[Any, int]:
    """Starts the gRPC server.

    Args:
        receiver: what takes the requests, on the event loop's thread.
        keyring: the known keys.
        address: host:port; port 0 lets the system choose.
        max_body_bytes: cap on a message.
        loop: the loop the receiver lives on.

    Returns:
        The server, and the port it listens on.

    Raises:
        CannotStart: the port is taken.
    """
    server = grpc.server(
        ThreadPoolExecutor(_THREADS, "grpc"),
        options=[
            ("grpc.max_receive_message_length", min(max_body_bytes, _MAX_MESSAGE_BYTES)),
            ("grpc.so_reuseport", 0),
        ],
        maximum_concurrent_rpcs=_CONCURRENT_REQUESTS,
    )
    for service, signal in _SERVICES.items():
        method = grpc.unary_unary_rpc_method_handler(
            _export(signal, receiver, keyring, loop),
            request_deserializer=bytes,  # parsed by the receiver, so that a body that does not decode is answered by us
            response_serializer=_serialized,
        )
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {"Export": method})])
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as fault:
        raise CannotStart(
            f"the gRPC address {address} is in use; set LOOPWATCH_GRPC_PORT to another, or to off"
        ) from fault
    server.start()
    return server, port


def _serialized(answer: Message) -> bytes:
    return answer.SerializeToString()


def _export(
    signal: Signal, receiver: Receiver, keyring: Keyring, loop: asyncio.AbstractEventLoop
) -> Callable[[bytes, Any], Message]:
    def export(body: bytes, context: Any) -> Message:
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        try:
            principal = permit(keyring.authenticate(metadata.get("authorization")), "ingest")
            sending = Sending(signal, principal, body, "", status.PROTOBUF, is_import=False)
            return asyncio.run_coroutine_threadsafe(_take(receiver, sending), loop).result()
        except CollectorError as fault:
            return context.abort(_CODES.get(fault.status, grpc.StatusCode.UNAVAILABLE), str(fault))

    return export


async def _take(receiver: Receiver, sending: Sending) -> Message:
    with receiver.allowance.hold() as hold:
        hold.add(len(sending.body))
        return await receiver.take(sending, hold)
