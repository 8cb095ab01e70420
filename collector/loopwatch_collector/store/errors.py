"""What the store can refuse, by who must act; branches of the collector's tree.

CollectorError
├── Unavailable
│   └── StoreUnavailable    503  nobody for now: the engine cannot be reached or is out of memory
│       └── StoreFull       503  the disk is full: stored data is intact, inserts work again with room
├── RequestRefused
│   └── QueryTooLarge       422  the caller: the question hit its limit of time, memory or rows
├── RowRefused                   the writer: the engine will never take these rows; bisect, or dead-letter
├── StatementFailed         500  us: the engine does not take one of our own statements
├── StoreAddressInvalid          the operator: LOOPWATCH_DSN says something it cannot say
└── SchemaMismatch               the operator: the stored schema is not one this version can use
"""

from typing import ClassVar, Self

from loopwatch_collector.errors import CannotStart, CollectorError, RequestRefused, Unavailable


class EngineFault(CollectorError):
    """A fault whose text may be the engine's: it goes into the log, and callers are told a sentence of ours.

    Attributes:
        is_engine_text: whether `str()` is what the engine said.
    """

    plainly: ClassVar[str] = "the store failed at this; the collector's log says why"
    is_engine_text = False

    def from_engine(self) -> Self:
        """Marks the text as the engine's, and returns the same fault."""
        self.is_engine_text = True
        return self

    @property
    def answer(self) -> str:
        """The sentence a caller is told."""
        return self.plainly if self.is_engine_text else str(self)


class StoreUnavailable(EngineFault, Unavailable):
    """The engine cannot be reached, or cannot work just now; the same call may succeed later."""

    code = "store_unavailable"
    plainly = "the store cannot answer just now; the collector's log says why"


class StoreFull(StoreUnavailable):
    """There is no room on the disk; what is stored is intact."""

    code = "store_full"


class QueryTooLarge(EngineFault, RequestRefused):
    """A question ran into its limit of time, memory or rows: ask for a shorter range, or filter it."""

    status = 422
    code = "query_too_large"
    plainly = "the question ran into its limit of time, memory or rows: ask for a shorter range, or filter it"


class RowRefused(CollectorError):
    """The engine refuses these rows whenever they come; one of them is at fault."""

    code = "row_refused"


class StatementFailed(EngineFault):
    """The engine does not take one of our own statements: a fault of ours, or a version that differs from ours.

    It is 500, without a time to come back: the same question fails again. Where data is sent it is 503 (answers.py),
    because senders drop what is answered with 500.
    """

    status = 500
    code = "statement_failed"
    plainly = "the collector failed at this question, and will again: it is a fault of its own; its log says more"


class StoreAddressInvalid(CannotStart):
    """The store's address has an option that does not exist."""

    code = "store_address_invalid"


class SchemaMismatch(CannotStart):
    """The tables were made by a newer version, or a migration file was changed after it was applied."""

    code = "schema_mismatch"
