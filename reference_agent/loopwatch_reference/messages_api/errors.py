"""The errors the API answers with.

ApiError
├── InvalidRequest       400 invalid_request_error
├── AuthenticationFailed 401 authentication_error
├── NotFound             404 not_found_error
├── RequestTooLarge      413 request_too_large
├── RateLimited          429 rate_limit_error, with retry-after
└── Overloaded           529 overloaded_error
"""

from typing import Any


class ApiError(Exception):
    """A refusal: its status, its type in the body, and the headers it adds."""

    status = 500
    type = "api_error"

    def headers(self) -> dict[str, str]:
        """The headers that only this error has."""
        return {}

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON body, as the real API writes it."""
        return {"type": "error", "error": {"type": self.type, "message": str(self)}, "request_id": request_id}


class InvalidRequest(ApiError):
    """The request says something the protocol does not allow."""

    status = 400
    type = "invalid_request_error"


class AuthenticationFailed(ApiError):
    """The key is missing."""

    status = 401
    type = "authentication_error"


class NotFound(ApiError):
    """No such route or model."""

    status = 404
    type = "not_found_error"


class RequestTooLarge(ApiError):
    """The body is over 32 MB."""

    status = 413
    type = "request_too_large"


class RateLimited(ApiError):
    """Too many requests; the headers say when to come back.

    Args:
        message: the sentence.
        retry_after_s: the seconds to wait.
    """

    status = 429
    type = "rate_limit_error"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        """Adds when to try again, and that trying again is right."""
        return {"retry-after": str(self.retry_after_s), "x-should-retry": "true"}


class Overloaded(ApiError):
    """The service is overloaded for everybody; no time to come back is given."""

    status = 529
    type = "overloaded_error"

    def headers(self) -> dict[str, str]:
        """Adds that trying again is right."""
        return {"x-should-retry": "true"}
