"""What the writer cannot turn into rows.

CollectorError
└── Undecodable
"""

from loopwatch_collector.errors import CollectorError


class Undecodable(CollectorError):
    """A journaled body does not decode; it becomes a dead letter."""

    code = "undecodable"
