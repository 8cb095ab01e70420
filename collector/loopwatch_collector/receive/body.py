"""A request's body, read within bounds of size and time."""

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request

from loopwatch_collector.errors import RequestRefused, TooLarge, Unavailable
from loopwatch_collector.receive.allowance import Hold

# Half-sent bodies hold memory that others could use: 64 MiB in this time are 17 Mbit/s.
DEADLINE_S: Final = 30.0


async def read(request: Request, max_bytes: int, hold: Hold, deadline_s: float = DEADLINE_S) -> bytes:
    """Reads a body as it was sent.

    Args:
        request: the request.
        max_bytes: its cap.
        hold: counts the bytes as they come.
        deadline_s: until the last byte.

    Returns:
        The bytes, still compressed.

    Raises:
        TooLarge: it is longer.
        Unavailable: it did not come in time, or there is no room for it now.
        RequestRefused: the sender broke off.
    """
    try:
        async with asyncio.timeout(deadline_s):
            return await _collect(request, max_bytes, hold)
    except TimeoutError as fault:
        raise Unavailable(f"the body did not arrive within {deadline_s:.0f} s; send it again") from fault
    except ClientDisconnect as fault:
        raise RequestRefused("the sender broke off before the body's end") from fault


def encoding_of(request: Request) -> str:
    """A body's content encoding in lower case; the older name of gzip is gzip."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    return "gzip" if encoding == "x-gzip" else encoding


async def _collect(request: Request, max_bytes: int, hold: Hold) -> bytes:
    portions: list[bytes] = []
    size = 0
    async for portion in request.stream():
        size += len(portion)
        if size > max_bytes:
            raise TooLarge(f"the body is over {max_bytes} bytes; send smaller batches")
        hold.add(len(portion))
        portions.append(portion)
    return portions[0] if len(portions) == 1 else b"".join(portions)
