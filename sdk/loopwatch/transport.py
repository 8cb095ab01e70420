"""One POST of OTLP bytes, and what the answer means."""

from collections.abc import Mapping
from typing import Any, Final

from loopwatch.faults import logger
from loopwatch.settings import Settings

RETRYABLE: Final = frozenset({408, 429, 500, 502, 503, 504})


class Transport:
    """Posts to the collector over kept-alive connections.

    Args:
        settings: the URL, headers and timeout.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: Any = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Posts one request.

        Args:
            body: the request, compressed if the headers say so.
            headers: further ones for this request.

        Returns:
            Whether the collector took it.
        """
        import urllib3

        if self._pool is None:
            self._pool = urllib3.PoolManager(maxsize=1, retries=False, timeout=self._settings.timeout_s)
        sent = {"content-type": "application/x-protobuf", **self._settings.headers, **headers}
        try:
            answer = self._pool.request("POST", self._settings.traces_url, body=body, headers=sent)
        except urllib3.exceptions.HTTPError as fault:
            logger.debug("loopwatch: the collector cannot be reached: %s", fault)
            return False
        return answer.status < 400
