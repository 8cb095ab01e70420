"""Asks a collector's API: the one place of these commands that talks HTTP."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

DEFAULT_ENDPOINT: Final = "http://127.0.0.1:4318"


class CollectorSilent(Exception):
    """The collector cannot be reached, or refused the request; the message is one sentence for the person asking.

    Args:
        message: the sentence.
        status: HTTP's, of the collector's answer; 0 without one.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


class Reader:
    """A collector, as a command sees it.

    Args:
        endpoint: its base URL.
        api_key: a key with the role `read`, or `admin` for what changes something; empty for a collector without keys.
    """

    def __init__(self, endpoint: str, api_key: str = "") -> None:
        self._endpoint = endpoint.rstrip("/")
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._pool = urllib3.PoolManager(retries=False)

    @classmethod
    def from_environment(cls, endpoint: str | None, environ: Mapping[str, str] = os.environ) -> "Reader":
        """Returns a reader of the named collector, else of LOOPWATCH_ENDPOINT, else of the default one."""
        return cls(
            endpoint or environ.get("LOOPWATCH_ENDPOINT") or DEFAULT_ENDPOINT, environ.get("LOOPWATCH_API_KEY", "")
        )

    def get(self, path: str, parameters: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        """Returns what the collector answers.

        Args:
            path: from /api/v1 on.
            parameters: of the URL; a name may occur more than once.

        Raises:
            CollectorSilent: it is not there, or said no.
        """
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._call("GET", f"{path}{query}", None)

    def post(self, path: str, body: Mapping[str, Any], timeout_s: float = 60) -> dict[str, Any]:
        """Returns what the collector answers to a request that changes something.

        Args:
            path: from /api/v1 on.
            body: sent as JSON.
            timeout_s: how long the answer may take.

        Raises:
            CollectorSilent: it is not there, or said no.
        """
        return self._call("POST", path, body, timeout_s)

    def delete(self, path: str) -> None:
        """Has the collector take something away.

        Args:
            path: from /api/v1 on.

        Raises:
            CollectorSilent: it is not there, or said no.
        """
        self._call("DELETE", path, None)

    def download(self, path: str, parameters: Sequence[tuple[str, str]], file: Path) -> int:
        """Writes what the collector answers into a file, whole or not at all.

        Args:
            path: from /api/v1 on.
            parameters: of the URL.
            file: where to; replaced when it exists.

        Returns:
            Its bytes.

        Raises:
            CollectorSilent: the collector is not there, said no, or broke off.
        """
        draft = file.with_name(file.name + ".part")
        url = f"{self._endpoint}/api/v1{path}?{urlencode(parameters)}"
        try:
            reply = self._pool.request("GET", url, headers=self._headers, preload_content=False)
            if reply.status != 200:
                message = _decoded(reply.data).get("error", {}).get("message")
                raise CollectorSilent(message or f"the collector answered {reply.status}", reply.status)
            with draft.open("wb") as part:
                for piece in reply.stream(1 << 20):
                    part.write(piece)
        except HTTPError as fault:
            raise CollectorSilent(f"the collector at {self._endpoint} did not answer to the end: {fault}") from fault
        draft.replace(file)
        return file.stat().st_size

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None, timeout_s: float = 60) -> dict[str, Any]:
        try:
            reply = self._pool.request(
                method,
                f"{self._endpoint}/api/v1{path}",
                headers=self._headers,
                json=body,
                timeout=urllib3.Timeout(connect=5, read=timeout_s),
            )
        except HTTPError as fault:
            raise CollectorSilent(
                f"no collector answers at {self._endpoint}: start one with 'loopwatch serve', "
                "or name another with --endpoint or LOOPWATCH_ENDPOINT"
            ) from fault
        answer = _decoded(reply.data)
        if not 200 <= reply.status < 300:
            message = answer.get("error", {}).get("message") or f"the collector answered {reply.status}"
            raise CollectorSilent(message, reply.status)
        return answer


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # JSON has no type
