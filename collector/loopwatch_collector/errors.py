"""Everything the collector refuses or cannot do, by who must act.

    CollectorError
    ├── RequestRefused          400  the caller
    │   ├── Unauthenticated     401
    │   ├── Forbidden           403
    │   ├── NotFound            404
    │   ├── MethodNotAllowed    405
    │   ├── TooLarge            413
    │   └── Unsupported         415
    ├── Unavailable             503  nobody for now: the same request succeeds later
    └── CannotStart                  the operator: `loopwatch serve` ends with this sentence

A class knows its HTTP status; one handler turns it into an answer, so that no route holds a `try`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class CollectorError(Exception):
    """The root: `str()` of it is a sentence that names the thing and says what to do."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "unavailable"
    retry_after_s: ClassVar[int | None] = None

    @property
    def answer(self) -> str:
        """The sentence a caller is told; the same as `str()` but where that is the engine's own text."""
        return str(self)

    @property
    def details(self) -> Mapping[str, Any]:
        """What an answer says beside code and message, for programs."""
        return {}


class RequestRefused(CollectorError):
    """The request is wrong, and stays wrong when it is sent again."""

    status = 400
    code = "bad_request"


class Unauthenticated(RequestRefused):
    """No key, or one that is not known."""

    status = 401
    code = "unauthenticated"


class Forbidden(RequestRefused):
    """The key is known, but its role does not reach this far."""

    status = 403
    code = "forbidden"


class NotFound(RequestRefused):
    """What was asked for is not there."""

    status = 404
    code = "not_found"


class MethodNotAllowed(RequestRefused):
    """The path is there, but not for this method."""

    status = 405
    code = "method_not_allowed"


class TooLarge(RequestRefused):
    """The body exceeds the cap, before or after decompression."""

    status = 413
    code = "too_large"


class Unsupported(RequestRefused):
    """The body's type or encoding is not one we read."""

    status = 415
    code = "unsupported_media_type"


class Unavailable(CollectorError):
    """Not now: full, overloaded or stopping. Senders keep the data and come back."""

    # OpenTelemetry's Python exporter gives up at once when Retry-After exceeds what is left of its
    # ten seconds, so this stays small.
    retry_after_s = 2


class CannotStart(CollectorError):
    """`loopwatch serve` cannot start; the sentence says what to change."""

    code = "cannot_start"
