from pathlib import Path

from loopwatch_collector.simulate.incidents import KINDS

PAGE = (Path(__file__).parents[4] / "docs" / "simulated-fleet.md").read_text()


def test_every_incident_is_described() -> None:
    """The page has a row for each incident and none for others."""
    rows = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert rows == list(KINDS)
