"""Sends recorded runs to a collector: the one place of the import that talks HTTP."""

import gzip
import json
from contextlib import suppress
from datetime import date
from typing import Any, cast

import urllib3
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from urllib3.exceptions import HTTPError

from loopwatch_collector.importing.errors import CollectorRefused

# The collector answers 503 while it is full or starting; the last wait is then 8 s.
_RETRY = urllib3.Retry(
    total=8, backoff_factor=0.1, backoff_max=8, status_forcelist=(429, 502, 503, 504), allowed_methods=None
)
# Who was never there is most likely not started, or elsewhere: that is said at once.
_FIRST_RETRY = _RETRY.new(connect=0)
_CONNECT_S = 2
_CONNECTIONS = 4  # kept open; a fifth thread's would be opened anew each time


class Sender:
    """A collector, as the import sees it.

    Args:
        endpoint: the collector's base URL.
        api_key: a key with the role `admin`; empty for a collector without keys.
    """

    def __init__(self, endpoint: str, api_key: str = "") -> None:
        self._endpoint = endpoint.rstrip("/")
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, timeout=urllib3.Timeout(connect=_CONNECT_S, read=60))
        self._has_answered = False

    def send(self, request: ExportTraceServiceRequest) -> None:
        """Returns when the collector has the request on disk.

        Raises:
            CollectorRefused: it is not there, said no, or kept only a part.
        """
        self.send_body(request.SerializeToString())

    def send_body(self, body: bytes) -> None:
        """The same for the bytes of an ExportTraceServiceRequest; several threads may call it."""
        reply = self._call(
            "POST",
            "/v1/traces",
            body=gzip.compress(body, compresslevel=1),
            headers={
                "content-type": "application/x-protobuf",
                "accept": "application/json",
                "content-encoding": "gzip",
                "loopwatch-import": "true",
            },
        )
        if reply.data:
            # An empty body is full success (OTLP 1.11, response); anything else says what was left out.
            raise CollectorRefused(f"the collector at {self._endpoint} kept only a part: {reply.data[:500]!r}")

    def stored_start(self, run_id: str) -> str | None:
        """When a stored run started, ISO 8601; None when the collector does not know the run.

        Raises:
            CollectorRefused: it is not there, or said no.
        """
        reply = self._call("GET", f"/api/v1/runs/{run_id}", missing_is_none=True)
        if reply is None:
            return None
        return str(cast(dict[str, Any], json.loads(reply.data))["start_time"])

    def first_kept_day(self) -> date | None:
        """The first UTC day that the collector keeps; None when it does not say.

        Raises:
            CollectorRefused: it is not there.
        """
        reply = self._call("GET", "/api/v1/system", missing_is_none=True)
        kept: Any = None if reply is None else json.loads(reply.data).get("first_kept_day")
        return date.fromisoformat(kept) if isinstance(kept, str) else None

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        missing_is_none: bool = False,
    ) -> Any:
        url = self._endpoint + path
        retries = _RETRY if self._has_answered else _FIRST_RETRY
        try:
            reply = self._pool.request(
                method, url, body=body, headers={**self._headers, **(headers or {})}, retries=retries
            )
        except HTTPError as fault:
            raise CollectorRefused(
                f"no collector answers at {self._endpoint}; "
                "start one with: loopwatch serve, or name another with --endpoint"
            ) from fault
        self._has_answered = True
        if missing_is_none and reply.status == 404:
            return None
        if reply.status != 200:
            raise CollectorRefused(
                f"{method} {url} was answered {reply.status}: {_sentence(reply)}{_hint(reply.status)}"
            )
        return reply


def _sentence(reply: Any) -> str:
    """The collector's own words: of a google.rpc.Status, or of the API's error."""
    body: bytes = reply.data
    if reply.headers.get("content-type", "").startswith("application/x-protobuf"):
        with suppress(DecodeError):
            return Status.FromString(body).message or "(no message)"
    with suppress(ValueError):
        said: Any = json.loads(body)
        if isinstance(said, dict):
            answer = cast(dict[str, Any], said)
            error = answer.get("error", answer)
            message: Any = cast(dict[str, Any], error).get("message") if isinstance(error, dict) else error
            if message:
                return str(message)
    return body[:500].decode("utf-8", "replace").strip() or "(no message)"


def _hint(status: int) -> str:
    if status in {401, 403}:
        return "; set LOOPWATCH_API_KEY to a key with the role admin"
    return ""
