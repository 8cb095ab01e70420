"""What the dashboards are told by their environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loopwatch_dashboards.errors import CannotStart

DEFAULT_ENDPOINT = "http://127.0.0.1:4318"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the collector is and how to ask it.

    Attributes:
        endpoint: the collector's base URL, without a slash at its end.
        api_key: sent as Bearer; empty for a collector without keys.
    """

    endpoint: str = DEFAULT_ENDPOINT
    api_key: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads LOOPWATCH_ENDPOINT and LOOPWATCH_API_KEY.

        Args:
            environment: the process's variables, or a test's.

        Returns:
            The settings, defaults filled in.

        Raises:
            CannotStart: the endpoint is not an http or https URL.
        """
        endpoint = environment.get("LOOPWATCH_ENDPOINT", "").strip() or DEFAULT_ENDPOINT
        parts = urlsplit(endpoint)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CannotStart(f"LOOPWATCH_ENDPOINT is not an http or https URL: {endpoint}")
        return cls(endpoint.rstrip("/"), environment.get("LOOPWATCH_API_KEY", "").strip())
