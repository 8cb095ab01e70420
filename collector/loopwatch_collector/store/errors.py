"""What the store can refuse, by who must act.

```
StoreError
├── StoreUnavailable    nobody for now: the engine cannot be reached or is out of memory; try again (503)
│   └── StoreFull       the disk is full: stored data is intact, inserts work again when there is room (503)
├── RowRefused          the writer: the engine will never take this body; bisect it, or dead-letter it (400)
├── QueryTooLarge       the caller: the question hit its limit of time or memory; ask for less (422)
└── SchemaMismatch      the operator: the stored schema is not one this version can use (500)
```
"""

from typing import ClassVar


class StoreError(Exception):
    """The store cannot do what was asked."""

    http_status: ClassVar[int] = 500
    code: ClassVar[str] = "store_error"


class StoreUnavailable(StoreError):
    """The engine cannot be reached, or cannot work just now; the same call may succeed later."""

    http_status = 503
    code = "store_unavailable"


class StoreFull(StoreUnavailable):
    """There is no room on the disk; what is stored is intact."""

    code = "store_full"


class RowRefused(StoreError):
    """The engine refuses these rows whenever they come; one of them is at fault."""

    http_status = 400
    code = "row_refused"


class QueryTooLarge(StoreError):
    """A question ran into its limit of time, memory or rows."""

    http_status = 422
    code = "query_too_large"


class SchemaMismatch(StoreError):
    """The tables were made by a newer version, or a migration file was changed after it was applied."""

    code = "schema_mismatch"
