"""What the simulated API refuses, and with which words."""

import pytest

from loopwatch_reference.messages_api.errors import InvalidRequest, NotFound
from loopwatch_reference.messages_api.validation import check_request


def request(**changes):
    body = {"model": "claude-sonnet-5-5", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
    return {**body, **changes}


def tool_turn(*results):
    """A conversation whose model asked for tool call toolu_1, answered with the given result ids."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    blocks = [{"type": "tool_result", "tool_use_id": one, "content": "x"} for one in results]
    return [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [*blocks, {"type": "text", "text": "go on"}]},
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "claude-sonnet-5-5", "messages": []}, "max_tokens: Field required"),
        (request(thread={"type": "create"}), "thread: Extra inputs are not permitted"),
        (request(messages=[]), "messages: at least one message is required"),
        (request(max_tokens=0), "max_tokens: Input should be greater than or equal to 1"),
        (request(max_tokens="ten"), "max_tokens: Input should be a valid integer"),
        (request(temperature=1.5), "temperature: range: 0..1"),
        (request(messages=[{"role": "robot", "content": "x"}]), "messages.0.role: Input should be"),
        (request(messages=[{"role": "system", "content": "x"}]), 'Unexpected role "system"'),
        (request(messages=[{"role": "assistant", "content": "x"}]), 'first message must use the "user" role'),
        (request(messages=[{"role": "user", "content": ""}]), "all messages must have non-empty content"),
        (request(messages=[{"role": "user", "content": [{"type": "smell"}]}]), "Input tag 'smell'"),
        (request(messages=tool_turn()), "`tool_use` ids were found without `tool_result` blocks"),
        (
            request(messages=tool_turn("toolu_1", "toolu_2")),
            "unexpected `tool_use_id` found in `tool_result` blocks: toolu_2",
        ),
        (request(messages=tool_turn()[:2]), "`tool_use` ids were found without `tool_result` blocks"),
        (request(tools=[{"name": "a b", "input_schema": {"type": "object"}}]), "String should match pattern"),
        (request(tools=[{"name": "a", "input_schema": {"type": "object"}}] * 2), "Tool names must be unique"),
        (request(tools=[{"name": "a", "input_schema": {}}]), "input_schema.type: Field required"),
    ],
)
def test_a_bad_request_is_refused_by_name(body, message):
    """A request that breaks a rule is a 400 whose message names the place, as the real API's does."""
    with pytest.raises(InvalidRequest) as refusal:
        check_request(body)
    assert message in str(refusal.value)
    assert (refusal.value.status, refusal.value.type) == (400, "invalid_request_error")


def test_five_cache_marks_are_one_too_many():
    """At most four blocks may carry cache_control, wherever they stand."""
    block = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    assert check_request(request(system=[block] * 4))
    with pytest.raises(InvalidRequest, match="maximum of 4 blocks"):
        check_request(request(system=[block] * 4, messages=[{"role": "user", "content": [block]}]))


def test_an_unknown_model_is_not_found():
    """A model that does not exist is a 404 that repeats its name."""
    with pytest.raises(NotFound, match="model: gpt-4"):
        check_request(request(model="gpt-4"))


def test_a_complete_tool_turn_is_accepted():
    """Each tool_use followed by its tool_result passes."""
    assert check_request(request(messages=tool_turn("toolu_1")))
