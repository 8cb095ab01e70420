"""A request's body, read and bounded."""

from starlette.requests import Request

from loopwatch_collector.errors import TooLarge


async def read(request: Request, max_bytes: int) -> bytes:
    """Reads a body as it was sent.

    Args:
        request: the request.
        max_bytes: its cap.

    Returns:
        The bytes, still compressed.

    Raises:
        TooLarge: it is longer.
    """
    portions: list[bytes] = []
    size = 0
    async for portion in request.stream():
        size += len(portion)
        if size > max_bytes:
            raise TooLarge(f"the body is over {max_bytes} bytes; send smaller batches")
        portions.append(portion)
    return portions[0] if len(portions) == 1 else b"".join(portions)
