"""What the journal cannot do.

Unavailable
└── JournalUnavailable
└── JournalFull
"""

from loopwatch_collector.errors import Unavailable


class JournalUnavailable(Unavailable):
    """The journal cannot take the record just now."""

    code = "journal_unavailable"


class JournalFull(JournalUnavailable):
    """Too much is waiting for the store, or the disk is full."""

    code = "journal_full"
