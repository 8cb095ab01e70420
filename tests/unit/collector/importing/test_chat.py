import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.importing.chat import ChatOptions, transcripts
from loopwatch_collector.importing.errors import InvalidRecord
from loopwatch_collector.importing.transcript import Transcript

DATA = Path(__file__).parents[3] / "data" / "chat"


def _read(records: Any, **options: Any) -> list[Transcript]:
    return list(transcripts(records, ChatOptions(**{"agent": "support", **options})))


def _exchange(**assistant: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello", **assistant}]


def _calls(*names: str, ids: bool = True) -> list[dict[str, Any]]:
    return [
        {"id": f"c{index}" if ids else None, "function": {"name": name, "arguments": "{}"}}
        for index, name in enumerate(names)
    ]


def test_hand_counted_transcripts() -> None:
    """The dozen hand-counted transcripts give the iterations, tool calls, errors and hand-overs counted by hand."""
    found = _read(json.loads((DATA / "support.json").read_text()), outcome_key="reward")
    expected = json.loads((DATA / "expected.json").read_text())
    calls = [call for run in found for turn in run.turns for call in turn.tool_calls]
    assert len(found) == expected["runs"]
    assert sum(len(run.turns) for run in found) == expected["iterations"]["sum"]
    assert len(calls) == expected["tool_calls"]
    assert sum(call.outcome == "error" for call in calls) == expected["tool_errors"]
    assert sum(run.hand_over is not None for run in found) == expected["escalated"]


@pytest.mark.skipif("LOOPWATCH_TEST_DATA" not in os.environ, reason="the recorded runs are not part of the repository")
def test_recorded_airline_runs() -> None:
    """The 200 recorded airline runs give the counts that were computed independently of this project."""
    folder = Path(os.environ["LOOPWATCH_TEST_DATA"]) / "tau_bench_airline"
    truth = json.loads((folder / "ground_truth.json").read_text())
    found = _read(json.loads((folder / "gpt-4o-airline.json").read_text()), outcome_key="reward")
    calls = [call for run in found for turn in run.turns for call in turn.tool_calls]
    assert len(found) == truth["runs"]
    assert sum(len(run.turns) for run in found) == truth["iterations_per_run"]["sum"]
    assert len(calls) == truth["tool_calls_total"]
    assert sum(call.outcome == "error" for call in calls) == truth["tool_errors_total"]
    assert sum(run.hand_over is not None for run in found) == truth["runs_with_transfer"]
    assert sum(run.outcome == "completed" for run in found) == truth["success"]


def test_parallel_calls_are_paired_by_id() -> None:
    """Two calls of one message get their own results although the results come in the other order."""
    messages = [
        *_exchange(tool_calls=_calls("first", "second")),
        {"role": "tool", "tool_call_id": "c1", "content": "of second"},
        {"role": "tool", "tool_call_id": "c0", "content": "of first"},
    ]
    (run,) = _read([messages])
    assert [call.result for call in run.turns[0].tool_calls] == ["of first", "of second"]


def test_calls_without_ids_are_paired_by_name() -> None:
    """A result without an id goes to the call of its name; a repeated name takes them in order."""
    messages = [
        *_exchange(tool_calls=_calls("look", "look", "ask", ids=False)),
        *(
            {"role": "tool", "name": name, "content": text}
            for name, text in [("ask", "C"), ("look", "A"), ("look", "B")]
        ),
    ]
    (run,) = _read([messages])
    assert [call.result for call in run.turns[0].tool_calls] == ["A", "B", "C"]


def test_call_without_result_is_an_error() -> None:
    """A call whose result the file does not hold could not tell anything: its outcome is `error`, its result None."""
    (run,) = _read([_exchange(tool_calls=_calls("look"))])
    assert (run.turns[0].tool_calls[0].outcome, run.turns[0].tool_calls[0].result) == ("error", None)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Error: no seats", "error"),
        ("error", "error"),
        ("Errors: 0", "success"),
        ("No error", "success"),
        ("[]", "not_found"),
    ],
)
def test_tool_outcome_is_read_from_the_results_start(text: str, outcome: str) -> None:
    """Only a result that starts as the pattern says is an error or empty; the same words further on are not."""
    messages = [
        *_exchange(tool_calls=_calls("look")),
        {"role": "tool", "tool_call_id": "c0", "content": text},
    ]
    (run,) = _read([messages], tool_not_found=re.compile(r"\[\]$"))
    assert run.turns[0].tool_calls[0].outcome == outcome


@pytest.mark.parametrize(
    ("tool", "hands_over"),
    [
        ("transfer_to_human_agents", True),
        ("escalate_to_human", True),
        ("handoff_to_agent", True),
        ("transfer_money", False),
        ("list_human_agents", False),
    ],
)
def test_hand_over_is_known_by_the_tools_name(tool: str, hands_over: bool) -> None:
    """Tools named like a transfer to a person hand over; tools that only share a word with it do not."""
    messages = [*_exchange(tool_calls=_calls(tool)), {"role": "tool", "tool_call_id": "c0", "content": "ok"}]
    (run,) = _read([messages])
    assert (run.hand_over is not None) is hands_over


def test_identity_survives_reordering_and_tells_equal_runs_apart() -> None:
    """Two equal transcripts are two runs, and another order of the file gives the same identities."""
    one, other = _exchange(), _exchange(content="Good day")
    first = {run.identity for run in _read([one, one, other])}
    assert len(first) == 3
    assert first == {run.identity for run in _read([other, one, one])}


def test_identity_from_named_fields_survives_growth() -> None:
    """A run named by its fields keeps its identity when the file holds more of its messages."""
    (short,) = _read([{"n": 7, "messages": _exchange()}], id_keys=("n",))
    (long,) = _read([{"n": 7, "messages": [*_exchange(), *_exchange()]}], id_keys=("n",))
    assert short.identity == long.identity


def test_times_of_every_form_are_one_clock() -> None:
    """Seconds, milliseconds and ISO 8601 of one moment are the same time, and such a run needs no start."""
    moment = datetime(2026, 1, 31, 9, tzinfo=UTC)
    seconds = int(moment.timestamp())
    forms = [seconds, seconds * 1000, "2026-01-31T09:00:00Z", "2026-01-31T10:00:00+01:00"]
    runs = _read([[{"role": "assistant", "content": "x", "timestamp": form}] for form in forms])
    assert {run.times_ns for run in runs} == {(seconds * 1_000_000_000,)}
    assert all(run.has_times for run in runs)


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (7, "not a list"),
        ({"other": []}, "name the field with --messages"),
        ({"messages": "Hi"}, "its messages are str, not a list"),
        (["Hi"], "message 0 is str, not an object"),
        ([{"role": "robot"}], "message 0 has the role 'robot'"),
        ([{"role": "assistant", "tool_calls": ["x"]}], "a tool call of message 0 is not an object"),
        ([{"role": "assistant", "tool_calls": [{}]}], "has no function name"),
        ([{"role": "assistant", "content": "x", "time": "soon"}], "'soon' is not a time"),
    ],
)
def test_invalid_record_is_named(record: Any, fault: str) -> None:
    """A record that is not a transcript is reported by its position and what is wrong with it."""
    with pytest.raises(InvalidRecord, match=f"record 1: .*{re.escape(fault)}"):
        _read([_exchange(), record])
