"""A reply as the API writes it: the message's JSON, cut at max_tokens, and its usage."""

from random import Random
from typing import Any

from loopwatch_reference.messages_api.policy import Reply
from loopwatch_reference.messages_api.prompt_cache import CacheUse
from loopwatch_reference.messages_api.tokens import count_block, count_text

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def new_id(prefix: str, rng: Random) -> str:
    """Makes an identifier of the API's form, such as `msg_01` and 22 characters."""
    return f"{prefix}_01{''.join(rng.choices(_ALPHABET, k=22))}"


def build_message(request: dict[str, Any], reply: Reply, cache_use: CacheUse, rng: Random) -> dict[str, Any]:
    """Builds the body of a successful answer.

    Args:
        request: the validated request.
        reply: what the model says.
        cache_use: how the prompt's tokens split.
        rng: decides identifiers.
    """
    content = _content(request, reply, rng)
    stop_reason = "tool_use" if any(block["type"] == "tool_use" for block in content) else "end_turn"
    if sum(count_content(block) for block in content) > request["max_tokens"]:
        content, stop_reason = _cut(content, request["max_tokens"]), "max_tokens"
    return {
        "model": request["model"],
        "id": new_id("msg", rng),
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": _usage(content, cache_use),
    }


def _content(request: dict[str, Any], reply: Reply, rng: Random) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    if reply.thinking and (request.get("thinking") or {}).get("type") in {"enabled", "adaptive"}:
        signature = "".join(rng.choices(_ALPHABET, k=120))
        content.append({"type": "thinking", "thinking": reply.thinking, "signature": signature})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    return content + [
        {"type": "tool_use", "id": new_id("toolu", rng), "name": call.tool, "input": call.arguments}
        for call in reply.calls
    ]


def count_content(block: dict[str, Any]) -> int:
    """Counts the output tokens of one block; a thinking block's signature is free."""
    if block["type"] == "thinking":
        return count_text(block["thinking"])
    if block["type"] == "text":
        return count_text(block["text"])
    return count_block({"name": block["name"], "input": block["input"]})


def _cut(content: list[dict[str, Any]], max_tokens: int) -> list[dict[str, Any]]:
    """Keeps what fits; the text that crosses the bound is cut, a tool call that crosses it is left out."""
    kept: list[dict[str, Any]] = []
    left = max_tokens
    for block in content:
        tokens = count_content(block)
        if tokens > left:
            if block["type"] == "text" and left:
                kept.append({"type": "text", "text": block["text"][: left * 3]})
            break
        kept.append(block)
        left -= tokens
    return kept


def _usage(content: list[dict[str, Any]], cache_use: CacheUse) -> dict[str, Any]:
    thinking = sum(count_content(block) for block in content if block["type"] == "thinking")
    usage: dict[str, Any] = {
        "input_tokens": cache_use.uncached,
        "cache_creation_input_tokens": cache_use.written,
        "cache_read_input_tokens": cache_use.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": cache_use.written_5m,
            "ephemeral_1h_input_tokens": cache_use.written_1h,
        },
        "output_tokens": max(1, sum(count_content(block) for block in content)),
        "service_tier": "standard",
        "inference_geo": "global",
    }
    if thinking:
        usage["output_tokens_details"] = {"thinking_tokens": thinking}
    return usage
