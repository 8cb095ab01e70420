"""`loopwatch restore`: a backup becomes the store of a data directory that has none."""

import argparse
import os
import sys
from pathlib import Path

from loopwatch_collector.backups import backup
from loopwatch_collector.errors import CollectorError
from loopwatch_collector.lock import DataDirectoryLock
from loopwatch_collector.settings import Settings
from loopwatch_collector.store.store import Store


def main(argv: list[str]) -> int:
    """Runs the command.

    Args:
        argv: the words after `loopwatch restore`.

    Returns:
        The exit status: 0, or 1 with a sentence on stderr.
    """
    arguments = _parser().parse_args(argv)
    environment = {**os.environ, **({"LOOPWATCH_DATA_DIR": str(arguments.data_dir)} if arguments.data_dir else {})}
    try:
        settings = Settings.from_environment(environment)
        folder = arguments.from_ or settings.backup_dir or settings.data_dir / "backups"
        counts = _restore(settings, folder.absolute(), arguments.name)
    except CollectorError as fault:
        sys.stderr.write(f"loopwatch restore: {fault}\n")
        return 1
    rows = ", ".join(f"{count} {table}" for table, count in counts.items()) or "nothing"
    sys.stdout.write(f"restored {arguments.name} into {settings.data_dir}: {rows}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loopwatch restore", description="Restore a backup into a data directory that has no store yet."
    )
    parser.add_argument("name", help="the backup's name, as 'loopwatch backup --list' shows it")
    parser.add_argument("--from", dest="from_", type=Path, metavar="DIR", help="the backup directory")
    parser.add_argument("--data-dir", type=Path, help="the new data directory (LOOPWATCH_DATA_DIR)")
    return parser


def _restore(settings: Settings, folder: Path, name: str) -> dict[str, int]:
    if not settings.dsn.startswith("chdb://"):
        raise CollectorError("only an embedded store is restored so; a ClickHouse server has its own RESTORE command")
    store = Path(settings.dsn.removeprefix("chdb://"))
    backup.require_complete(folder, name)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with DataDirectoryLock(settings.data_dir):
        if store.exists() and any(store.iterdir()):
            raise CollectorError(f"there is already a store in {store}; name an empty directory with --data-dir")
        counts = backup.restore(folder, name, settings.dsn)
        # Brings an older backup's tables to this version, and refuses a newer one's.
        Store.open(settings.dsn).close()
    return counts
