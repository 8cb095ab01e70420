"""What can be wrong with a backup.

RequestRefused
├── InvalidBackup         400  a name that is none, or a base that does not exist
└── BackupsNotHere        400  the store is a server: its own BACKUP command knows its disks
"""

from loopwatch_collector.errors import RequestRefused


class InvalidBackup(RequestRefused):
    """The name cannot be a backup's, is taken, or the base is not there."""

    code = "invalid_backup"


class BackupsNotHere(RequestRefused):
    """A ClickHouse server is backed up by its own BACKUP command, to a disk its operator gave it."""

    code = "backups_not_here"
