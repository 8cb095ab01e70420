"""What the store can refuse, by who must act; branches of the collector's tree.

CollectorError
├── Unavailable
│   └── StoreUnavailable    503  nobody for now: the engine cannot be reached or is out of memory
│       └── StoreFull       503  the disk is full: stored data is intact, inserts work again with room
├── RequestRefused
│   └── QueryTooLarge       422  the caller: the question hit its limit of time, memory or rows
├── RowRefused                   the writer: the engine will never take these rows; bisect, or dead-letter
├── StatementFailed              us: the engine does not take one of our own statements
├── StoreAddressInvalid          the operator: LOOPWATCH_DSN says something it cannot say
└── SchemaMismatch               the operator: the stored schema is not one this version can use
"""

from loopwatch_collector.errors import CannotStart, CollectorError, RequestRefused, Unavailable


class StoreUnavailable(Unavailable):
    """The engine cannot be reached, or cannot work just now; the same call may succeed later."""

    code = "store_unavailable"


class StoreFull(StoreUnavailable):
    """There is no room on the disk; what is stored is intact."""

    code = "store_full"


class QueryTooLarge(RequestRefused):
    """A question ran into its limit of time, memory or rows: ask for a shorter range, or filter it."""

    status = 422
    code = "query_too_large"


class RowRefused(CollectorError):
    """The engine refuses these rows whenever they come; one of them is at fault."""

    code = "row_refused"


class StatementFailed(CollectorError):
    """The engine does not take one of our own statements: a fault of ours, or a version that differs from ours."""

    code = "statement_failed"


class StoreAddressInvalid(CannotStart):
    """The store's address has an option that does not exist."""

    code = "store_address_invalid"


class SchemaMismatch(CannotStart):
    """The tables were made by a newer version, or a migration file was changed after it was applied."""

    code = "schema_mismatch"
