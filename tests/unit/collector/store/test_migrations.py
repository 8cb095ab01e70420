"""The migrations as files: what a store may have applied is never changed."""

from pathlib import Path

from loopwatch_collector.store import migrate

_APPLIED = Path(__file__).with_name("migrations.sha256")


def test_no_migration_is_changed_once_it_is_there() -> None:
    """Each file's text is the one noted when it was added, for a store that applied another is refused.

    A new one gets a line at the end, as `sha256sum` writes it.
    """
    noted = [line.split("  ") for line in _APPLIED.read_text(encoding="utf-8").splitlines()]
    found = [[one.checksum, f"{one.number:04d}_{one.name}.sql"] for one in migrate.load()]
    assert found == noted
