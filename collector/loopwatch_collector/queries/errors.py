"""What can be wrong with a question; branches of the collector's tree.

CollectorError
└── RequestRefused
    ├── InvalidParameter    400  a value that is missing, or not of its type
    └── UnknownQuery        404  no query of that name
"""

from loopwatch_collector.errors import NotFound, RequestRefused


class InvalidParameter(RequestRefused):
    """A parameter of the request is missing, unknown or not of its type."""

    code = "invalid_parameter"


class UnknownQuery(NotFound):
    """There is no query of that name."""

    code = "unknown_query"
