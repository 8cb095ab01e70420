"""What the SDK asks the collector for: prices and breakers. Never on the caller's thread.

Imported by `configure`, as `loopwatch.transport` is and for the same reason.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

from loopwatch.settings import Settings

TIMEOUT_S: Final = 3.0


class Reader:
    """Reads the collector's API with the process's key.

    Args:
        settings: where the collector is.
    """

    def __init__(self, settings: Settings) -> None:
        self._base = settings.api_url
        self._headers = dict(settings.headers)
        self._tls = settings.tls
        self._pool: Any = None

    def get(self, path: str) -> bytes:
        """Returns the body of a 200.

        Args:
            path: with its query.

        Raises:
            OSError: the collector cannot be reached or answers otherwise.
        """
        status, _, body = self.ask(path, {})
        if status != 200:
            raise OSError(f"GET {self._base}{path} answered {status}")
        return body

    def ask(self, path: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        """Returns status, headers and body of one GET.

        Args:
            path: with its query.
            headers: further ones.

        Raises:
            OSError: the collector cannot be reached.
        """
        if self._pool is None:
            self._pool = urllib3.PoolManager(maxsize=1, retries=False, timeout=TIMEOUT_S, **self._tls)
        try:
            answer = self._pool.request("GET", self._base + path, headers={**self._headers, **headers})
        except urllib3.exceptions.HTTPError as fault:
            raise OSError(f"{urlsplit(self._base).netloc} cannot be reached: {fault}") from fault
        return answer.status, answer.headers, answer.data
