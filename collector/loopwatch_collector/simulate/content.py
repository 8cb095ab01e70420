"""Messages, arguments and results: text made from the 64 bits that name it, so that equal things have equal text."""

import json
from hashlib import shake_128
from typing import Final

from loopwatch_collector.simulate.behaviour import EMPTY_RESULT
from loopwatch_collector.simulate.fleet import Agent

# About as compressible as logs and answers are: short words more often than long ones, numbers between them.
_COMMON: Final = (
    "the of to and in a is for on that with was as by at it from be this are not or an have has but were which after "
    "before when more than no its will been into only other so may any all also"
)
_DOMAIN: Final = (
    "request error timeout customer order service latency deployment payment refund account retry connection pool "
    "database query index table column version release commit change review test failure success response status "
    "gateway cache token session user email address invoice total amount line item balance report chart source page "
    "article answer question summary evidence metric p95 cpu memory disk queue worker node region cluster replica "
    "checkout shipping catalog search login profile webhook export import schedule batch limit quota threshold alert "
    "incident ticket severity owner team engineer rollback config flag secret certificate expired invalid missing "
    "unexpected duplicate pending closed open resolved escalated approved rejected delayed increased dropped restarted "
    "healthy degraded unavailable upstream downstream stable canary production staging eu-west us-east 200 404 429 500 "
    "503 0.5 12 30 95 1024 4096"
)
_WORDS: Final = tuple(word.encode() for word in (_COMMON.split() * 3 + _DOMAIN.split())[:256])
_TABLE: Final = (_WORDS * 2)[:256]  # a byte is a word
_BYTES_PER_WORD: Final = 5
_INDEPENDENT: Final = 0x9E3779B97F4A7C15


def text(name: int, size: int) -> bytes:
    """Returns plain English-looking text.

    Args:
        name: 64 bits; equal ones give equal text.
        size: bytes wanted.

    Returns:
        Exactly `size` bytes without quotes or control characters, safe within JSON.
    """
    words = shake_128(name.to_bytes(8, "little")).digest(size // _BYTES_PER_WORD + 2)
    joined = b" ".join([_TABLE[word] for word in words])
    return joined[:size] if len(joined) >= size else joined + b"." * (size - len(joined))


def system_prompt(agent: Agent, version: str) -> bytes:
    """Returns an agent's system instructions, message JSON: each version has its own."""
    prompt = text(_named(f"{agent.name} {version}"), agent.system_bytes)
    return b'[{"type":"text","content":"%b"}]' % prompt


def definitions(agent: Agent) -> bytes:
    """Returns the schemas an agent offers, JSON."""
    tools = [
        {
            "name": tool.name,
            "description": tool.description,
            "input_schema": {
                "type": "object",
                "properties": {"query": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["query"],
            },
        }
        for tool in agent.tools
    ]
    return json.dumps(tools, separators=(",", ":")).encode()


def request(name: int, size: int) -> bytes:
    """Returns what an agent was asked: the arguments of its function, JSON."""
    return b'{"request":"%b"}' % text(name, size)


def arguments(name: int, size: int) -> bytes:
    """Returns a tool's arguments, JSON of exactly `size` bytes (at least 32)."""
    # Words alone would make short arguments equal by chance.
    return b'{"query":"%016x %b"}' % (name, text(name, max(0, size - 29)))


def result(name: int, size: int) -> bytes:
    """Returns a tool's result, JSON of exactly `size` bytes."""
    if name == EMPTY_RESULT:
        return b"[]"
    return b'"%b"' % text(name, size - 2)


def answer(name: int, size: int) -> bytes:
    """Returns what a model wrote, plain text."""
    return text(name ^ _INDEPENDENT, size)


def user_message(body: bytes) -> bytes:
    """Returns a user's message, message JSON."""
    return b'{"role":"user","parts":[{"type":"text","content":"%b"}]}' % body


def tool_call_part(call_id: bytes, tool: bytes, given: bytes) -> bytes:
    """Returns the part of a model's message that asks for a tool call, message JSON."""
    return b'{"type":"tool_call","id":"%b","name":"%b","arguments":%b}' % (call_id, tool, given)


def assistant_message(body: bytes, tool_call_parts: list[bytes]) -> bytes:
    """Returns a model's message, message JSON."""
    parts = [b'{"type":"text","content":"%b"}' % body, *tool_call_parts]
    return b'{"role":"assistant","parts":[%b]}' % b",".join(parts)


def results_message(answered: list[tuple[bytes, bytes]]) -> bytes:
    """Returns the message that answers tool calls.

    Args:
        answered: of each call its id and its result, JSON.
    """
    parts = [
        b'{"type":"tool_call_response","id":"%b","response":[{"type":"text","text":%b}]}' % call for call in answered
    ]
    return b'{"role":"user","parts":[%b]}' % b",".join(parts)


def _named(words: str) -> int:
    return int.from_bytes(shake_128(words.encode()).digest(8), "little")
