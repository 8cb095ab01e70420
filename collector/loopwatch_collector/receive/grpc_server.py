"""OTLP over gRPC: the same way in as HTTP, behind gRPC's own framing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.message import Message

from loopwatch_collector.auth import Keyring, permit
from loopwatch_collector.errors import CannotStart, CollectorError, RequestRefused, Unavailable
from loopwatch_collector.key_use import KeyUse
from loopwatch_collector.receive import signals, status
from loopwatch_collector.receive.body import DEADLINE_S
from loopwatch_collector.receive.receiver import Receiver, Sending
from loopwatch_collector.receive.signals import Signal

_LOG = logging.getLogger(__name__)
# gRPC's core holds a message until all of it is there, before we see and count it: these two bound what that can be.
_MAX_ARRIVING: Final = 16
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


async def start(receiver: Receiver, keyring: Keyring, address: str, max_body_bytes: int) -> tuple[Any, int]:
    """Starts the gRPC server on this event loop.

    Args:
        receiver: what takes the requests.
        keyring: the known keys.
        address: host:port; port 0 lets the system choose.
        max_body_bytes: cap on a message.

    Returns:
        The server, and the port it listens on.

    Raises:
        CannotStart: the port is taken.
    """
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", min(max_body_bytes, _MAX_MESSAGE_BYTES)),
            ("grpc.so_reuseport", 0),
        ],
    )
    arrivals = Arrivals(_MAX_ARRIVING, DEADLINE_S)
    for service, signal in _SERVICES.items():
        # One message and a stream of one are the same on the wire; reading it ourselves, we can stop waiting for it.
        method = grpc.stream_unary_rpc_method_handler(
            _export(signal, receiver, keyring, arrivals),
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
    await server.start()
    return server, port


class Arrivals:
    """The messages that are on their way in. Where there is no room for another, who has dawdled longest must go.

    Args:
        max_arriving: how many may be on their way.
        deadline_s: how long one may take at most.
    """

    def __init__(self, max_arriving: int, deadline_s: float) -> None:
        self._max_arriving = max_arriving
        self._deadline_s = deadline_s
        self._waiting: dict[asyncio.Timeout, None] = {}

    async def message(self, requests: AsyncIterator[bytes]) -> bytes:
        """Waits for the only message of a request.

        Args:
            requests: the messages the sender sends.

        Raises:
            Unavailable: it did not come in time, or others came meanwhile and there was no room.
            RequestRefused: the sender sent none.
        """
        if len(self._waiting) >= self._max_arriving:
            next(iter(self._waiting)).reschedule(0)  # a time long past
        patience = asyncio.timeout(self._deadline_s)
        self._waiting[patience] = None
        try:
            async with patience:
                return await anext(requests)
        except TimeoutError as fault:
            raise Unavailable("the message did not arrive in time; send it again") from fault
        except StopAsyncIteration as fault:
            raise RequestRefused("the request holds no message") from fault
        finally:
            del self._waiting[patience]


def _serialized(answer: Message) -> bytes:
    return answer.SerializeToString()


def _export(
    signal: Signal, receiver: Receiver, keyring: Keyring, arrivals: Arrivals
) -> Callable[[AsyncIterator[bytes], Any], Awaitable[Message]]:
    async def export(requests: AsyncIterator[bytes], context: Any) -> Message:
        use: KeyUse | None = None
        try:
            metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            principal = keyring.authenticate(metadata.get("authorization"))
            use = principal.use
            permit(principal, "ingest")
            body = await arrivals.message(requests)
            return await _take(receiver, Sending(signal, principal, body, "", status.PROTOBUF, is_import=False))
        except CollectorError as fault:
            refusal = _CODES.get(fault.status, grpc.StatusCode.UNAVAILABLE), str(fault)
        except Exception:  # noqa: BLE001  # whatever it is, it is logged, and the sender keeps its data
            _LOG.exception("a request over gRPC failed")
            refusal = grpc.StatusCode.UNAVAILABLE, "the collector failed at this request; its log says why"
        if use:
            use.refusal()
        return await context.abort(*refusal)

    return export


async def _take(receiver: Receiver, sending: Sending) -> Message:
    with receiver.allowance.hold() as hold:
        hold.add(len(sending.body))
        return await receiver.take(sending, hold)
