"""The simulated model answers what the conversation says, not the number of the turn."""

import json

import pytest

from loopwatch_reference.messages_api.conversation import Conversation, ToolExchange
from loopwatch_reference.messages_api.policy import reply_to

SYSTEM = "- web-frontend calls checkout-api\n- checkout-api calls orders-db\n- orders-db\n"
TOOLS = ("search_logs", "get_metrics", "list_recent_deployments", "create_incident_ticket")
NOTHING_TO_SEE = {"service": "x", "metric": "m", "usual": 1.0, "values": [1.0]}


def conversation(*exchanges, system=SYSTEM, model="claude-fable-5-2", alert="web-frontend: errors"):
    return Conversation(model, system, alert, TOOLS, exchanges)


def search(service, *messages, minutes=30):
    lines = [{"time": "t", "service": service, "level": "ERROR", "message": message} for message in messages]
    return ToolExchange("search_logs", {"query": f"{service} error", "minutes": minutes}, json.dumps(lines), False)


def metric(service, name, usual, last):
    reading = {"service": service, "metric": name, "usual": usual, "values": [usual, last]}
    return ToolExchange("get_metrics", {"service": service, "metric": name}, json.dumps(reading), False)


def answer(*exchanges, seed=1, **kwargs):
    return reply_to(conversation(*exchanges, **kwargs), seed)


def asked_about(reply):
    return " ".join(json.dumps(call.arguments) for call in reply.calls)


def test_the_blame_is_followed_to_the_next_service():
    """An error that names a callee moves the search there, as often as it takes."""
    first = search("web-frontend", "call to checkout-api failed after 900 ms")
    assert "checkout-api" in asked_about(answer(first))
    second = search("checkout-api", "call to orders-db failed after 900 ms")
    assert "orders-db" in asked_about(answer(first, second))
    assert "orders-db" in asked_about(answer(second, first)), "the order of the turns does not matter"


def test_a_cause_needs_a_second_source_before_a_ticket():
    """An error of the suspect's own is not enough; an anomaly of the same service confirms it."""
    cause = search("web-frontend", "write failed: No space left on device")
    assert {call.tool for call in answer(cause).calls} <= {"get_metrics", "list_recent_deployments"}
    confirmed = answer(cause, metric("web-frontend", "error_rate", 0.004, 0.3))
    assert [call.tool for call in confirmed.calls] == ["create_incident_ticket"]
    elsewhere = answer(cause, metric("orders-db", "error_rate", 0.004, 0.3))
    assert [call.tool for call in elsewhere.calls] != ["create_incident_ticket"]


def test_a_ticket_ends_it():
    """With cause, confirmation and ticket the model sums up and asks for nothing more."""
    ticket = ToolExchange("create_incident_ticket", {"title": "t"}, '{"ticket": "INC-1"}', False)
    cause = search("web-frontend", "write failed: No space left on device")
    reply = answer(cause, metric("web-frontend", "error_rate", 0.004, 0.3), ticket)
    assert reply.calls == ()
    assert reply.text.startswith("ROOT CAUSE: web-frontend: its data volume is full\nCONFIDENCE: 0.86\nTICKET: INC-1")


def test_a_refused_ticket_is_handed_over():
    """When the ticket cannot be created the model says what it found and gives up."""
    refused = ToolExchange("create_incident_ticket", {"title": "t"}, "not allowed", True)
    cause = search("web-frontend", "write failed: No space left on device")
    reply = answer(cause, metric("web-frontend", "error_rate", 0.004, 0.3), refused)
    assert reply.text.startswith("NO ROOT CAUSE")
    assert "could not be created" in reply.text


def test_nothing_found_is_said():
    """When every useful question is answered and explains nothing, the model says so."""
    exchanges = []
    reply = answer(system="- web-frontend\n")
    while reply.calls:
        exchanges += [
            ToolExchange(
                call.tool, call.arguments, "[]" if call.tool != "get_metrics" else json.dumps(NOTHING_TO_SEE), False
            )
            for call in reply.calls
        ]
        reply = answer(*exchanges, system="- web-frontend\n")
    assert reply.text.startswith("NO ROOT CAUSE")


@pytest.mark.parametrize(("model", "times"), [("claude-haiku-4-5", range(11, 16)), ("claude-fable-5-2", range(1, 4))])
def test_a_call_that_says_later_is_repeated_as_the_temperament_has_it(model, times):
    """An answer that says 'later' is asked for again: often by an impatient model, seldom by a careful one."""
    later = ToolExchange("search_logs", {"query": "q", "minutes": 1}, "this search may return lines later", False)
    count = 1
    while answer(*[later] * count, model=model).calls[0] == ("search_logs", {"query": "q", "minutes": 1}):
        count += 1
    assert count in times


def test_the_system_prompt_is_followed():
    """A prompt that wants the deployments first gets them first."""
    reply = answer(system=SYSTEM + "Look at recent deployments first.")
    assert reply.calls[0].tool == "list_recent_deployments"
    assert answer().calls[0].tool == "search_logs"


def test_the_same_conversation_gets_the_same_answer():
    """The answer is a function of the conversation and the seed; over seeds it varies."""
    found = search("web-frontend", "call to checkout-api failed")
    model = "claude-haiku-4-5"
    assert answer(found, seed=4, model=model) == answer(found, seed=4, model=model)
    assert len({str(answer(found, seed=seed, model=model)) for seed in range(20)}) > 2


def test_a_question_about_something_else_is_answered_in_words():
    """A request without the tools or without a known service gets a text, not an error."""
    assert "hello" in reply_to(Conversation("claude-sonnet-5-5", "", "hello", (), ()), 1).text
