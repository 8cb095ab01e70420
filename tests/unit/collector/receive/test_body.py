"""Bodies as they come in: whole, in time, and within their bounds."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from loopwatch_collector.errors import RequestRefused, TooLarge, Unavailable
from loopwatch_collector.receive import body
from loopwatch_collector.receive.allowance import Allowance

_SCOPE: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "headers": []}


def _read(*messages: dict[str, Any], max_bytes: int = 100, allowance: Allowance | None = None) -> bytes:
    """Reads a body that comes in these messages, and then stops coming."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if left:
            return left.pop(0)
        return await asyncio.Future()

    async def read() -> bytes:
        with (allowance or Allowance(1000)).hold() as hold:
            return await body.read(Request(_SCOPE, receive), max_bytes, hold, deadline_s=0.05)

    return asyncio.run(read())


def _part(content: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": content, "more_body": more}


def test_parts_are_joined() -> None:
    """A body in parts is what its parts are together."""
    assert _read(_part(b"one ", True), _part(b"two", False)) == b"one two"


def test_a_body_that_stops_coming_is_given_up() -> None:
    """Half a body, and then silence: the sender is told to come back, and what was held is free."""
    allowance = Allowance(1000)
    with pytest.raises(Unavailable, match="did not arrive"):
        _read(_part(b"half", True), allowance=allowance)
    assert allowance.held_bytes == 0


def test_a_sender_that_breaks_off_is_no_fault_of_ours() -> None:
    """A connection closed before the body's end is the sender's doing."""
    with pytest.raises(RequestRefused, match="broke off"):
        _read(_part(b"half", True), {"type": "http.disconnect"})


def test_a_body_over_the_cap_is_not_read_to_its_end() -> None:
    """The cap counts while the body comes in."""
    with pytest.raises(TooLarge):
        _read(_part(b"x" * 60, True), _part(b"x" * 60, True))
