"""What `loopwatch doctor` sees in the files of an installation: data directory, journal, prices and rules."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from loopwatch_collector.alerts.rule_parsing import parse_rules
from loopwatch_collector.errors import CannotStart
from loopwatch_collector.finding import Finding
from loopwatch_collector.prices.override import read_own_prices
from loopwatch_collector.settings import Settings

_MAX_CHECKED_BYTES: Final = 1 << 30


def examine_files(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Looks at the files that the settings name.

    Args:
        settings: where they are.
        environment: what `${NAME}` in the rules file stands for.

    Yields:
        What was found.
    """
    yield from _data_dir(settings)
    yield from _journal(settings.data_dir / "journal.sqlite")
    yield from _prices(settings.prices_path)
    yield from _rules(settings.rules_path, environment)


def _data_dir(settings: Settings) -> Iterator[Finding]:
    yield from _folder("data directory", "LOOPWATCH_DATA_DIR", settings.data_dir, settings.min_free_bytes)
    if settings.dsn.startswith("chdb:"):
        store = Path(urlsplit(settings.dsn).path)
        yield from _folder("store", "LOOPWATCH_DSN", store, settings.min_free_bytes)
    yield from _holder(settings.data_dir / "lock")


def _folder(subject: str, variable: str, folder: Path, min_free_bytes: int) -> Iterator[Finding]:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir():
        yield Finding("problem", subject, f"{existing} is a file, not a directory", f"move it away, or set {variable}")
    elif not os.access(existing, os.W_OK):
        yield Finding("problem", subject, f"{existing} cannot be written", f"make it writable, or set {variable}")
    else:
        yield _room(subject, folder, existing, min_free_bytes)


def _room(subject: str, folder: Path, existing: Path, min_free_bytes: int) -> Finding:
    free = shutil.disk_usage(existing).free
    if free < min_free_bytes:
        text = f"{free >> 20} MiB are free under {existing}, {min_free_bytes >> 20} MiB are needed"
        return Finding(
            "problem", subject, text, "free some space; the collector does not start or takes nothing until then"
        )
    return Finding("ok", subject, f"{folder}, {free >> 30} GiB free")


def _holder(lock: Path) -> Iterator[Finding]:
    try:
        held = json.loads(lock.read_text(encoding="utf-8"))
        pid = int(held["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if Path(f"/proc/{pid}").exists() or not Path("/proc").exists():
        yield Finding(
            "ok", "data directory", f"held by process {pid}, listening on {held.get('url', 'an unknown port')}"
        )
    else:
        text = f"was last held by process {pid}, which has ended"
        yield Finding("note", "data directory", text, "nothing: the next start takes it over")


def _journal(path: Path) -> Iterator[Finding]:
    """Reads the journal without changing it, also while a collector writes it."""
    if not path.is_file():
        return
    if path.stat().st_size > _MAX_CHECKED_BYTES:
        yield Finding("note", "journal", f"{path} is too large to be read through here", "look at the collector's lag")
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as fault:
        said = str(fault)
    if said == "ok":
        yield Finding("ok", "journal", "is whole")
    else:
        mend = "restart the collector: it keeps every record that can be read, and sets the file aside"
        yield Finding("problem", "journal", f"{path} is damaged: {said[:200]}", mend)


def _prices(path: Path | None) -> Iterator[Finding]:
    if path is None:
        return
    try:
        read_own_prices(path)
    except CannotStart as fault:
        yield Finding("problem", "prices", str(fault), "correct the file: the collector does not start with it")
    else:
        yield Finding("ok", "prices", f"{path} is understood")


def _rules(path: Path | None, environment: Mapping[str, str]) -> Iterator[Finding]:
    if path is None:
        return
    mend = "correct the file: rules with faults are not evaluated"
    try:
        faults = parse_rules(path.read_text(encoding="utf-8"), "file", environment).faults
    except (OSError, UnicodeDecodeError) as fault:
        yield Finding("problem", "rules", f"{path} cannot be read: {fault}", mend)
        return
    for fault in faults:
        yield Finding("problem", "rules", f"{path}: {fault}", mend)
    if not faults:
        yield Finding("ok", "rules", f"{path} is understood")
