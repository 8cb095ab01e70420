"""The loop detector against the table of cases that specifies it."""

import json
from importlib.resources import files
from typing import Any

import pytest

from loopwatch.loops import LoopDetector

CASES = json.loads(files("loopwatch").joinpath("loop_cases.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case_of_the_table(case: dict[str, Any]) -> None:
    """The detector finds exactly the loops of the case, at the calls that complete them."""
    detector = LoopDetector(case["identical_calls"])
    found: list[dict[str, Any]] = []
    for number, call in enumerate(case["calls"], start=1):
        result = call.get("result")
        answer = None if result is None else hash(result)
        size = len((result or "").encode())
        loop = detector.add(call["tool"], hash(call["arguments"]), answer, lambda size=size: size)
        if loop is not None:
            found.append({"at": number, "kind": loop.kind, "tool": loop.tool, "calls": loop.calls})
            assert loop.tool in loop.explanation or loop.kind == "cycle"
    assert found == case["loops"], case["why"]


def test_memory_is_bounded() -> None:
    """A run that makes ever different calls does not fill the memory of its detector."""
    detector = LoopDetector()
    for number in range(30_000):
        detector.add("tool", number, number)
    assert len(detector._seen) == 10_000
