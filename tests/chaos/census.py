"""What is in a store, against what was acknowledged: `python -m tests.chaos.census PLAN DSN` prints it as JSON.

A process of its own, because an embedded engine lives once per process and must not outlive the count.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from loopwatch_collector.store.store import Store
from tests.chaos.load import INPUT_TOKENS, OUTPUT_TOKENS, Load
from tests.chaos.sender import Plan

_READ_SPANS = "SELECT trace_id, span_id, count() FROM spans FINAL GROUP BY trace_id, span_id"
# As every question of ours reads them: a run that straddles midnight has a tombstone on the other day.
_READ_RUN_TOTALS = """
SELECT sum(spans), sum(input_tokens + output_tokens) FROM runs FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
"""
_READ_MISSING_CONTENTS = """
SELECT count() FROM (SELECT DISTINCT trace_id, arrayJoin(content_hashes) AS hash FROM spans)
WHERE (trace_id, hash) NOT IN (SELECT trace_id, hash FROM contents)
"""
_READ_DEAD_LETTERS = "SELECT count() FROM dead_letters FINAL"


@dataclass(frozen=True)
class Census:
    """The comparison, by span id.

    Attributes:
        acknowledged: spans whose sender was told they are on disk.
        stored: spans that readers see.
        lost: acknowledged and not stored.
        double: seen more than once.
        invented: stored though no sender ever made them.
        missing_contents: contents that spans refer to and that are not there.
        runs_disagree: whether the derived runs count other spans or tokens than the spans.
        dead_letters: records set aside.
    """

    acknowledged: int
    stored: int
    lost: int
    double: int
    invented: int
    missing_contents: int
    runs_disagree: bool
    dead_letters: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is lost, double, invented or at odds."""
        faults = self.lost, self.double, self.invented, self.missing_contents, self.dead_letters
        return not any(faults) and not self.runs_disagree


def take(plan: Plan, dsn: str) -> Census:
    """Counts a store that no collector holds open.

    Args:
        plan: the sender's, with what it noted.
        dsn: the store.
    """
    path = plan.write()
    command = [sys.executable, "-m", "tests.chaos.census", str(path), dsn]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"the census failed: {done.stderr[-2000:]}")
    return Census(**json.loads(done.stdout))


def _possible(load: Load, acknowledged: set[int], threads: int) -> set[bytes]:
    """Every span id a sender can have sent: what it noted, and what each thread had under way."""
    highest = max(acknowledged, default=0) + threads + 1
    return {span_id for batch in range(highest) for span_id in load.span_ids(batch)}


def _count(plan: Plan, store: Store) -> Census:
    connection = store.connection()
    acknowledged = plan.acknowledged()
    expected = {span_id for batch in acknowledged for span_id in plan.load.span_ids(batch)}
    rows = connection.rows(_READ_SPANS)
    found = {bytes(span_id) for _, span_id, _ in rows}
    run_spans, run_tokens = connection.rows(_READ_RUN_TOTALS)[0]
    return Census(
        acknowledged=len(expected),
        stored=len(found),
        lost=len(expected - found),
        double=sum(count > 1 for _, _, count in rows),
        invented=len(found - _possible(plan.load, acknowledged, plan.threads)),
        missing_contents=connection.rows(_READ_MISSING_CONTENTS)[0][0],
        runs_disagree=(run_spans, run_tokens) != (len(found), len(found) * (INPUT_TOKENS + OUTPUT_TOKENS)),
        dead_letters=connection.rows(_READ_DEAD_LETTERS)[0][0],
    )


def main(argv: list[str]) -> int:
    """Prints the census of a plan and a store."""
    plan = Plan(**json.loads(Path(argv[0]).read_text()))
    store = Store.open(argv[1], migrate_schema=False)
    census = _count(plan, store)
    store.close()
    sys.stdout.write(json.dumps(asdict(census)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
