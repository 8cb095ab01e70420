import random

import pytest

from loopwatch_collector.simulate import loops


def _evident_at(kind: str, calls: list[loops.LoopCall]) -> int | None:
    """The glossary's rules, read afresh: after which call the loop of that kind is there."""
    for count in range(1, len(calls) + 1):
        seen = calls[:count]
        last = seen[-1]
        same_call = [call for call in seen if (call.tool, call.arguments) == (last.tool, last.arguments)]
        same_result = [call for call in same_call if call.result == last.result]
        rules = {
            "identical_calls": last.result >= 0 and len(same_result) == 3,
            "cycle": count == 4
            and seen[:2] == [c._replace(is_evident=False) for c in seen[2:]]
            and seen[0].tool != seen[1].tool,
            "no_progress": len([c for c in seen if c.tool == last.tool and c.result == last.result >= 0]) == 3,
            "retry_storm": last.result < 0 and len(same_call) == 8,
            "polling": len(same_call) == 8 and len({call.result for call in same_call}) == 8,
        }
        if rules[kind]:
            return count
    return None


@pytest.mark.parametrize("kind", loops.KINDS)
@pytest.mark.parametrize("seed", range(8))
def test_a_loop_is_marked_where_its_rule_is_first_met(kind: str, seed: int) -> None:
    """Each kind of loop fulfils the glossary's rule, and the call that is marked is the first to do so."""
    calls = loops.calls(kind, random.Random(seed))
    assert [call.is_evident for call in calls].index(True) + 1 == _evident_at(kind, calls)
    assert sum(call.is_evident for call in calls) == 1
