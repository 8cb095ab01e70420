"""Backups of the embedded store, whole or only what changed since an earlier one."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final

from loopwatch_collector.backups.errors import BackupsNotHere, InvalidBackup
from loopwatch_collector.store.client import Clients, Connection
from loopwatch_collector.store.store import Store

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_BASE: Final = re.compile(r"<base_backup>File\('([^']+)'\)</base_backup>")
_MANIFEST: Final = ".backup"
_MANIFEST_HEAD_CHARS: Final = 4096


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup on disk.

    Attributes:
        name: its directory under the backup directory.
        base: the backup it continues; None when it is whole.
        taken_at: when it was complete.
        bytes_on_disk: what it takes by itself, its base apart.
    """

    name: str
    base: str | None
    taken_at: datetime
    bytes_on_disk: int


def take(store: Store, folder: Path, name: str = "", base: str = "") -> Backup:
    """Takes a backup while the collector runs; what is written meanwhile belongs to the next one.

    Args:
        store: the embedded store.
        folder: the backup directory.
        name: the backup's; the time when empty.
        base: an earlier backup to continue; empty takes a whole one.

    Returns:
        The backup, complete.

    Raises:
        BackupsNotHere: the store is a server.
        InvalidBackup: the name cannot be one or is taken, or there is no such base.
    """
    if not store.embedded:
        raise BackupsNotHere("the store is a ClickHouse server: back it up with its own BACKUP command")
    name = name or datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
    _check(folder, name, base)
    if base:
        store.connection().run(_statement("incremental"), {"name": name, "base": base})
    else:
        store.connection().run(_statement("full"), {"name": name})
    return _read(folder / name)


def existing(folder: Path) -> list[Backup]:
    """The complete backups of a directory, the latest first."""
    found = [_read(path.parent) for path in folder.glob(f"*/{_MANIFEST}")]
    return sorted(found, key=lambda backup: backup.taken_at, reverse=True)


def require_complete(folder: Path, name: str) -> None:
    """Refuses a backup that cannot be restored, before anything is made for it.

    Args:
        folder: the backup directory, with the bases of the backup in it.
        name: the backup's.

    Raises:
        InvalidBackup: there is no such backup, or one of its bases is gone.
    """
    for missing in _missing(folder, name):
        raise InvalidBackup(f"there is no backup '{missing}' in {folder}")


def restore(folder: Path, name: str, dsn: str) -> dict[str, int]:
    """Restores a backup into a store that does not exist yet.

    Args:
        folder: the backup directory, with the bases of the backup in it.
        name: the backup's.
        dsn: the new store, `chdb:///directory`.

    Returns:
        Rows by table.

    Raises:
        InvalidBackup: there is no such backup, or one of its bases is gone.
    """
    require_complete(folder, name)
    clients = Clients(dsn, backup_dir=folder)
    try:
        clients.get().run(_statement("restore"), {"name": name})
        return row_counts(clients.get())
    finally:
        clients.close()


def row_counts(connection: Connection) -> dict[str, int]:
    """Stored rows by table, duplicates that are not merged yet included."""
    return {table: int(rows) for table, rows in connection.rows(_statement("counts"))}


def _check(folder: Path, name: str, base: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidBackup(f"'{name}' is no name for a backup; use letters, digits, '-', '_' and '.'")
    if (folder / name).exists():
        raise InvalidBackup(f"there is already a backup '{name}'; choose another name")
    if base and not (_NAME.fullmatch(base) and (folder / base / _MANIFEST).exists()):
        raise InvalidBackup(f"there is no complete backup '{base}' to continue")


def _missing(folder: Path, name: str) -> list[str]:
    wanted: str | None = name
    while wanted:
        if not _NAME.fullmatch(wanted) or not (folder / wanted / _MANIFEST).exists():
            return [wanted]
        wanted = _read(folder / wanted).base
    return []


def _read(path: Path) -> Backup:
    manifest = path / _MANIFEST
    with manifest.open(encoding="utf-8") as text:
        base = _BASE.search(text.read(_MANIFEST_HEAD_CHARS))  # what follows lists every file
    return Backup(
        name=path.name,
        base=base.group(1) if base else None,
        taken_at=datetime.fromtimestamp(manifest.stat().st_mtime, UTC),
        bytes_on_disk=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
    )


def _statement(name: str) -> str:
    return (resources.files("loopwatch_collector.backups") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
