"""`loopwatch export`: stored rows as Parquet files."""

import argparse
import sys
from pathlib import Path

from loopwatch_collector.commands.reader import CollectorSilent, Reader
from loopwatch_collector.counted import counted


def main(argv: list[str]) -> int:
    """Runs the command.

    Args:
        argv: the words after `loopwatch export`.

    Returns:
        The exit status: 0, or 1 with a sentence on stderr.
    """
    arguments = _parser().parse_args(argv)
    reader = Reader.from_environment(arguments.endpoint)
    file = arguments.out or Path(f"{arguments.table}.parquet")
    try:
        size = reader.download(f"/export/{arguments.table}", [("from", arguments.from_), ("to", arguments.to)], file)
    except CollectorSilent as fault:
        sys.stderr.write(f"loopwatch export: {fault}\n")
        return 1
    except OSError as fault:
        missing = "" if file.parent.is_dir() else f"; there is no folder {file.parent}"
        sys.stderr.write(f"loopwatch export: {file} cannot be written: {fault.strerror}{missing}\n")
        return 1
    rows = _rows(file)
    sys.stdout.write(f"{file}: {counted(rows, 'row')}, {size} bytes\n")
    return 0


def _rows(file: Path) -> int:
    """How many rows a Parquet file says it has."""
    import pyarrow.parquet as pq  # pyright: ignore[reportMissingTypeStubs]  # dear to import, and of no use before

    # pyarrow has no types
    return int(pq.read_metadata(file).num_rows)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loopwatch export", description="Write stored rows as a Parquet file.")
    parser.add_argument("table", choices=["runs", "spans", "contents"])
    parser.add_argument("--from", dest="from_", metavar="TIME", required=True, help="ISO 8601 or epoch ms, included")
    parser.add_argument("--to", metavar="TIME", required=True, help="ISO 8601 or epoch ms, excluded")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: the table's name, .parquet")
    parser.add_argument("--endpoint", metavar="URL", help="the collector; default LOOPWATCH_ENDPOINT")
    return parser
