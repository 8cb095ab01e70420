"""The simulator keeps the laws that recorded exchanges with the real API keep.

Each law is checked three times: on exchanges written by hand (always), on the recorded ones when
LOOPWATCH_TEST_DATA names the folder that holds them, and on what the simulator answers.
"""

import json
import os
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from loopwatch_reference.messages_api.errors import NotFound
from loopwatch_reference.messages_api.service import MessagesService, ServiceSettings
from loopwatch_reference.messages_api.streaming import encode_event, stream_events

HAND_WRITTEN = Path(__file__).parents[3] / "data" / "anthropic_exchanges" / "exchanges.jsonl"
RECORDED = (
    Path(os.environ.get("LOOPWATCH_TEST_DATA", "/nonexistent")) / "anthropic_exchanges" / "anthropic_messages.jsonl"
)
SOURCES = [HAND_WRITTEN] + ([RECORDED] if RECORDED.exists() else [])

# s = content_block_start, d = delta, e = content_block_stop, p = ping
STREAM_ORDER = re.compile(r"message_start (s (p )?(d |p )*e )*message_delta message_stop ")
LETTERS = {"content_block_start": "s", "content_block_delta": "d", "content_block_stop": "e", "ping": "p"}
MESSAGE_KEYS = {"model", "id", "type", "role", "content", "stop_reason", "stop_sequence", "usage"}
USAGE_KEYS = {"input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"}
OPTIONAL_USAGE_KEYS = {"cache_creation", "service_tier", "inference_geo", "output_tokens_details"}
BLOCK_KEYS = {
    "text": {"type", "text"},
    "thinking": {"type", "thinking", "signature"},
    "tool_use": {"type", "id", "name", "input"},
}
DELTAS = {"text": {"text_delta"}, "thinking": {"thinking_delta", "signature_delta"}, "tool_use": {"input_json_delta"}}


def read_exchanges(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_events(sse):
    """Reads a stream; every event's name must be its data's type."""
    events = []
    for block in sse.replace("\r\n", "\n").strip().split("\n\n"):
        name, data = block.split("\n", 1)
        events.append(json.loads(data.removeprefix("data:")))
        assert name.removeprefix("event:").strip() == events[-1]["type"]
    return events


def whole_message(events):
    """Puts a stream together: what message_delta says of usage replaces what message_start said."""
    order = "".join(f"{LETTERS.get(event['type'], event['type'])} " for event in events)
    assert STREAM_ORDER.fullmatch(order), order
    start, final = events[0]["message"], events[-2]
    assert (start["content"], start["stop_reason"], start["stop_sequence"]) == ([], None, None)
    assert start["usage"]["output_tokens"] <= final["usage"]["output_tokens"]
    for name in final["usage"].keys() & {"input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"}:
        assert final["usage"][name] == start["usage"][name]
    blocks = _blocks(events)
    return {**start, **final["delta"], "content": blocks, "usage": {**start["usage"], **final["usage"]}}


def _blocks(events):
    blocks, parts = [], []
    for event in events:
        if event["type"] == "content_block_start":
            assert event["index"] == len(blocks)
            blocks.append(dict(event["content_block"]))
            parts = []
        elif event["type"] == "content_block_delta":
            assert event["delta"]["type"] in DELTAS[blocks[-1]["type"]]
            parts.append(event["delta"])
        elif event["type"] == "content_block_stop":
            _fill(blocks[-1], parts)
    return blocks


def _fill(block, deltas):
    joined = Counter()
    for delta in deltas:
        name = next(key for key in delta if key != "type")
        joined[name] = (joined[name] or "") + delta[name]
    if block["type"] == "tool_use":
        assert block["input"] == {}
        block["input"] = json.loads(joined["partial_json"] or "{}")
    else:
        block.update(joined)


def check_message(message):
    """The laws of one successful answer."""
    assert message.keys() - {"stop_details"} == MESSAGE_KEYS
    assert (message["type"], message["role"]) == ("message", "assistant")
    assert message["id"].startswith("msg_")
    assert message["usage"].keys() >= {"input_tokens", "output_tokens"}
    assert message["usage"].keys() <= USAGE_KEYS | OPTIONAL_USAGE_KEYS
    for block in message["content"]:
        assert block.keys() - {"caller"} == BLOCK_KEYS[block["type"]]
    kinds = [block["type"] for block in message["content"]]
    assert (message["stop_reason"] == "tool_use") == ("tool_use" in kinds)
    split = message["usage"].get("cache_creation")
    if split:
        assert sum(split.values()) == message["usage"]["cache_creation_input_tokens"]


def check_error(status, body):
    """The laws of one refusal."""
    assert body.keys() == {"type", "error", "request_id"}
    assert body["type"] == "error"
    assert body["error"].keys() == {"type", "message"}
    assert {404: "not_found_error", 400: "invalid_request_error"}[status] == body["error"]["type"]
    assert body["request_id"].startswith("req_")


def answered(exchange):
    return whole_message(read_events(exchange["sse"])) if "sse" in exchange else exchange["response"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parent.parent.name)
def test_exchanges_keep_the_laws(path):
    """Every exchange, streamed or not, refused or not, keeps the laws the simulator is held to."""
    for exchange in read_exchanges(path):
        if exchange["status"] == 200:
            check_message(answered(exchange))
        else:
            check_error(exchange["status"], exchange["response"])


def test_hand_written_exchanges_add_up_to_the_hand_count():
    """Reading message_delta's usage as cumulative gives the token totals counted by hand."""
    messages = [answered(exchange) for exchange in read_exchanges(HAND_WRITTEN) if exchange["status"] == 200]
    assert totals(messages) == {"input": 945, "output": 150, "cache_write": 1500, "cache_read": 3000}
    assert Counter(message["stop_reason"] for message in messages) == {"end_turn": 7, "tool_use": 2, "max_tokens": 2}


@pytest.mark.skipif(not RECORDED.exists(), reason="LOOPWATCH_TEST_DATA names no folder with recorded exchanges")
def test_recorded_exchanges_add_up_to_their_ground_truth():
    """Reading message_delta's usage as cumulative gives the recordings' own totals."""
    truth = json.loads((RECORDED.parent / "ground_truth.json").read_text())
    exchanges = read_exchanges(RECORDED)
    messages = [answered(exchange) for exchange in exchanges if exchange["status"] == 200]
    expected = truth["usage_totals"]
    assert len(exchanges) == truth["records"]
    assert totals(messages) == {
        "input": expected["input_tokens"],
        "output": expected["output_tokens"],
        "cache_write": expected["cache_creation_input_tokens"],
        "cache_read": expected["cache_read_input_tokens"],
    }
    assert Counter(message["stop_reason"] for message in messages) == truth["stop_reasons"]


def totals(messages):
    usages = [message["usage"] for message in messages]
    return {
        "input": sum(usage["input_tokens"] for usage in usages),
        "output": sum(usage["output_tokens"] for usage in usages),
        "cache_write": sum(usage.get("cache_creation_input_tokens") or 0 for usage in usages),
        "cache_read": sum(usage.get("cache_read_input_tokens") or 0 for usage in usages),
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parent.parent.name)
def test_the_simulator_answers_every_exchanges_request_within_the_laws(path):
    """Each request of the exchanges is accepted (or refused as it was), and the answer keeps the laws both ways."""
    service = MessagesService(ServiceSettings(seed=3))
    for exchange in read_exchanges(path):
        if exchange["status"] == 404:
            with pytest.raises(NotFound) as refusal:
                service.answer(exchange["request"], "", Random(1))
            check_error(404, refusal.value.body("req_01x"))
            continue
        message = service.answer(exchange["request"], "", Random(1))
        check_message(message)
        stream = b"".join(encode_event(event) for event in stream_events(message)).decode()
        streamed = whole_message(read_events(stream))
        check_message(streamed)
        assert streamed == message
