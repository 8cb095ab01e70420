"""What can be wrong with a request to delete.

RequestRefused
└── InvalidDeletion   400  the field is none that runs belong to, or the value is empty
"""

from loopwatch_collector.errors import RequestRefused


class InvalidDeletion(RequestRefused):
    """The request names nobody whose data could be deleted."""

    code = "invalid_deletion"
