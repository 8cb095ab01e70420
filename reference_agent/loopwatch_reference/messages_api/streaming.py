"""A message as a stream of server-sent events, in the order and with the cumulative usage of the real API."""

import json
from collections.abc import Iterator
from typing import Any

_CHUNK_CHARACTERS = 24
_FINAL_USAGE = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
)


def stream_events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the events of one message.

    Args:
        message: the whole message, as the JSON answer would be.
    """
    yield {"type": "message_start", "message": _start_of(message)}
    for index, block in enumerate(message["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": _empty(block)}
        if index == 0:
            yield {"type": "ping"}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]},
        # cumulative: these replace what message_start said, they are not added to it
        "usage": {name: message["usage"][name] for name in _FINAL_USAGE if name in message["usage"]},
    }
    yield {"type": "message_stop"}


def encode_event(event: dict[str, Any]) -> bytes:
    """Writes one event as it goes over the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def _start_of(message: dict[str, Any]) -> dict[str, Any]:
    usage = {key: value for key, value in message["usage"].items() if key != "output_tokens_details"}
    usage["output_tokens"] = min(1, usage["output_tokens"])
    return {**message, "content": [], "stop_reason": None, "usage": usage}


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "text", "text": ""}
    if block["type"] == "thinking":
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {**block, "input": {}}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        yield from ({"type": "text_delta", "text": part} for part in _parts(block["text"]))
    elif block["type"] == "thinking":
        yield from ({"type": "thinking_delta", "thinking": part} for part in _parts(block["thinking"]))
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        yield {"type": "input_json_delta", "partial_json": ""}
        arguments = json.dumps(block["input"], ensure_ascii=False)
        yield from ({"type": "input_json_delta", "partial_json": part} for part in _parts(arguments))


def _parts(text: str) -> Iterator[str]:
    return (text[start : start + _CHUNK_CHARACTERS] for start in range(0, len(text), _CHUNK_CHARACTERS))
