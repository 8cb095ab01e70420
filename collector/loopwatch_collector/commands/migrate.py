"""`loopwatch migrate --to clickhouse://...`: an embedded store moves to a ClickHouse server."""

import argparse
import os
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

from loopwatch_collector.errors import CollectorError
from loopwatch_collector.lock import DataDirectoryLock
from loopwatch_collector.moving.errors import NotMovable
from loopwatch_collector.moving.move import move, pieces
from loopwatch_collector.settings import Settings
from loopwatch_collector.store.store import Store


def main(argv: list[str]) -> int:
    """Runs the command.

    Args:
        argv: the words after `loopwatch migrate`.

    Returns:
        The exit status: 0 when every row is there, or 1 with a sentence on stderr. Doing it again goes on.
    """
    arguments = _parser().parse_args(argv)
    environment = {**os.environ, **({"LOOPWATCH_DATA_DIR": str(arguments.data_dir)} if arguments.data_dir else {})}
    try:
        _migrate(Settings.from_environment(environment), arguments.to, quiet=arguments.quiet)
    except CollectorError as fault:
        sys.stderr.write(f"loopwatch migrate: {fault}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loopwatch migrate",
        description="Copy the embedded store of a stopped collector to a ClickHouse server, and compare every row. "
        "The embedded store is only read. Broken off, the same command goes on.",
    )
    parser.add_argument(
        "--to", required=True, metavar="DSN", help="clickhouse://user:password@host:port/database[?cluster=NAME]"
    )
    parser.add_argument("--data-dir", type=Path, help="the collector's data directory (LOOPWATCH_DATA_DIR)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def _migrate(settings: Settings, to: str, *, quiet: bool) -> None:
    if not settings.dsn.startswith("chdb://"):
        raise NotMovable("only an embedded store is moved; LOOPWATCH_DSN names a server")
    if not to.startswith(("clickhouse://", "clickhouses://")):
        raise NotMovable(f"--to names a server, clickhouse://user:password@host:port/database; not {to.split('@')[-1]}")
    if not Path(settings.dsn.removeprefix("chdb://")).is_dir():
        raise NotMovable(f"there is no store in {settings.data_dir}; name its data directory with --data-dir")
    with ExitStack() as stack:
        stack.enter_context(DataDirectoryLock(settings.data_dir))
        source, target = Store.open(settings.dsn), Store.open(to)
        stack.callback(source.close)
        stack.callback(target.close)
        _report(_move(source, target, quiet=quiet))
    sys.stdout.write("every row is there; start the collectors with LOOPWATCH_DSN set to the server\n")


def _move(source: Store, target: Store, *, quiet: bool) -> tuple[Counter[str], Counter[str]]:
    copied: Counter[str] = Counter()
    found: Counter[str] = Counter()
    wanted = pieces(source.connection())
    with tqdm(total=sum(piece.rows for piece in wanted), unit=" rows", unit_scale=True, disable=quiet) as progress:
        for piece, was_copied in move(source.connection(), target.connection(), wanted):
            (copied if was_copied else found)[piece.table] += piece.rows
            progress.update(piece.rows)
    return copied, found


def _report(counts: tuple[Counter[str], Counter[str]]) -> None:
    copied, found = counts
    for table in [*copied, *(table for table in found if table not in copied)]:
        sys.stdout.write(f"{table}: {copied[table]} rows copied, {found[table]} were there already; compared\n")
