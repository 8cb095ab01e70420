"""The collector's HTTP API: the only place where the dashboards do I/O.

Every question is answered by a future, so that a page asks all of its questions first and draws each answer as it
comes. The same question within a few seconds is asked once: reruns of the page, and other readers, share the answer.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx

from loopwatch_dashboards import errors
from loopwatch_dashboards.view import Window

FRESH_SECONDS = 10.0
# What filters offer and since when there are runs changes slowly.
SLOW_SECONDS = 60.0
TIMEOUT_SECONDS = 30.0
# Few, so that what a page asks first is answered first, and does not wait for the rest of it.
_PARALLEL_QUESTIONS = 4
Params = tuple[tuple[str, str], ...]


class Column(NamedTuple):
    """One column of an answer."""

    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a named query.

    Attributes:
        query: the query's name.
        columns: names and units.
        rows: one dict by column name per row.
        elapsed_ms: how long the collector took.
        next_cursor: where the next page of a list starts; None on the last.
    """

    query: str
    columns: tuple[Column, ...]
    rows: list[dict[str, Any]]
    elapsed_ms: float = 0.0
    next_cursor: str | None = None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Answer":
        """Reads what `GET /api/v1/queries/{name}` answers."""
        columns = tuple(Column(column["name"], column["unit"]) for column in body["columns"])
        names = [column.name for column in columns]
        rows = [dict(zip(names, row, strict=True)) for row in body["rows"]]
        return cls(body["query"], columns, rows, body.get("elapsed_ms", 0.0), body.get("next_cursor"))

    @property
    def first(self) -> dict[str, Any]:
        """The first row, empty where there is none: what summaries are read from."""
        return self.rows[0] if self.rows else {}

    def total(self, column: str) -> Any:
        """The sum of a column; unknown values count as nothing."""
        return sum(row[column] for row in self.rows if row[column] is not None)


NO_ANSWER = Answer("", (), [])


def question(window: Window, filters: Mapping[str, Sequence[str]], **params: Any) -> Params:
    """The parameters of a question about a window, in an order that makes equal questions equal."""
    pairs = [("from", window.start.isoformat()), ("to", window.end.isoformat())]
    pairs += [(name, value) for name, values in filters.items() for value in values]
    for name, value in params.items():
        if isinstance(value, list | tuple):
            pairs += [(name, str(one)) for one in value]
        elif value is not None:
            pairs.append((name, str(value)))
    return tuple(sorted(pairs))


class Collector:
    """A client of one collector.

    Args:
        endpoint: its base URL.
        api_key: sent as Bearer; empty for none.
        transport: stands in for the network in tests of this class.
    """

    def __init__(self, endpoint: str, api_key: str = "", transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.endpoint = endpoint
        self._client = httpx.Client(base_url=endpoint, headers=headers, timeout=TIMEOUT_SECONDS, transport=transport)
        self._pool = ThreadPoolExecutor(_PARALLEL_QUESTIONS, thread_name_prefix="question")
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, Params], tuple[float, Future[Any]]] = {}

    def query(
        self,
        name: str,
        window: Window,
        filters: Mapping[str, Sequence[str]],
        *,
        fresh_seconds: float = FRESH_SECONDS,
        after: "Future[Any] | None" = None,
        **params: Any,
    ) -> "Future[Answer]":
        """Asks a named query.

        Args:
            name: the query's name.
            window: the stretch of time.
            filters: values by dimension.
            fresh_seconds: how old an answer to the same question may be.
            after: an answer to come that is wanted sooner: this question is not sent before it is there, or has failed.
            **params: what the query takes besides; None leaves one out.

        Returns:
            The answer to come. Its `result()` raises a DashboardsError where there is none.
        """
        path = f"/api/v1/queries/{name}"
        return self._ask(path, question(window, filters, **params), Answer.from_json, fresh_seconds, after)

    def runs(self, window: Window, filters: Mapping[str, Sequence[str]], **params: Any) -> "Future[dict[str, Any]]":
        """Asks for a page of runs, newest first: {"runs", "next_cursor"}."""
        return self._ask("/api/v1/runs", question(window, filters, **params), dict)

    def run(self, run_id: str) -> "Future[dict[str, Any]]":
        """Asks for one run's summary, its nested runs with it."""
        return self._ask(f"/api/v1/runs/{_segment(run_id)}", (), dict)

    def spans(self, run_id: str) -> "Future[dict[str, Any]]":
        """Asks for one run's spans with their content: {"run_id", "spans", "contents"}."""
        return self._ask(f"/api/v1/runs/{_segment(run_id)}/spans", (("content", "true"),), dict)

    def access(self) -> "Future[dict[str, Any]]":
        """Asks what the key stands for: {"project", "role"}."""
        return self._ask("/api/v1/access", (), dict, SLOW_SECONDS)

    def ask(self, path: str, **params: Any) -> "Future[Any]":
        """Asks a route that is about no window, such as `/api/v1/rules`; None and "" leave a parameter out."""
        pairs = [
            (name, str(one))
            for name, value in params.items()
            for one in (value if isinstance(value, list | tuple) else (value,))
            if one not in (None, "")
        ]
        return self._ask(path, tuple(sorted(pairs)), lambda body: body)

    def download(
        self, query: str, window: Window, filters: Mapping[str, Sequence[str]], file_format: str, **params: Any
    ) -> bytes:
        """A named query's answer as a file.

        Args:
            query: the query's name.
            window: the stretch of time.
            filters: values by dimension.
            file_format: "csv", "parquet" or "arrow".
            **params: what the query takes besides; None leaves one out.

        Returns:
            The file's bytes.

        Raises:
            DashboardsError: there is no answer.
        """
        return self._send(
            "GET", f"/api/v1/queries/{query}", question(window, filters, format=file_format, **params)
        ).content

    def change(self, method: str, path: str, body: Mapping[str, Any] | None = None, **params: str) -> Any:
        """Changes something in the collector; what was asked before is asked anew afterwards.

        Args:
            method: "POST", "PUT" or "DELETE".
            path: the route.
            body: sent as JSON.
            params: of the query string.

        Returns:
            The answer's JSON; None where there is none.

        Raises:
            DashboardsError: the collector refuses, or cannot be reached.
        """
        response = self._send(method, path, tuple(params.items()), body)
        with self._lock:
            self._asked.clear()
        return response.json() if response.content else None

    def close(self) -> None:
        """Ends the connections."""
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _ask(
        self,
        path: str,
        params: Params,
        read: Callable[[Any], Any],
        fresh_seconds: float = FRESH_SECONDS,
        after: "Future[Any] | None" = None,
    ) -> "Future[Any]":
        """Starts a question, or joins the same one if it was asked a moment ago and has not failed."""
        key, now = (path, params), time.monotonic()
        with self._lock:
            self._asked = {k: asked for k, asked in self._asked.items() if now < asked[0]}
            if key in self._asked and not _failed(self._asked[key][1]):
                return self._asked[key][1]
            future = self._begun(lambda: read(self._send("GET", path, params).json()), after)
            self._asked[key] = (now + fresh_seconds, future)
            return future

    def _begun(self, work: Callable[[], Any], after: "Future[Any] | None") -> "Future[Any]":
        """Work under way, at once or when another's is done."""
        if after is None or after.done():
            return self._pool.submit(work)
        future: Future[Any] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except Exception as fault:  # noqa: BLE001  # whoever waits for the answer gets it
                future.set_exception(fault)

        def begin(_: "Future[Any]") -> None:
            try:
                self._pool.submit(run)
            except RuntimeError:  # closed meanwhile
                future.cancel()

        after.add_done_callback(begin)
        return future

    def _send(self, method: str, path: str, params: Params, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            response = self._client.request(method, path, params=list(params), json=body)
        except httpx.TimeoutException as fault:
            raise errors.CollectorBusy(
                f"The collector at {self.endpoint} did not answer within {TIMEOUT_SECONDS:.0f} s."
            ) from fault
        except httpx.HTTPError as fault:
            raise errors.CollectorUnreachable(f"No collector answers at {self.endpoint}.") from fault
        if response.is_success:
            return response
        raise _refusal(response)


def _segment(run_id: str) -> str:
    # A run id of a URL goes into a path: httpx quotes it, but a slash or dots would walk to another route.
    return "".join(character for character in run_id if character.isalnum() or character in "-_") or "-"


def _failed(future: "Future[Any]") -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)


def _refusal(response: httpx.Response) -> errors.DashboardsError:
    status = response.status_code
    kinds: dict[int, type[errors.DashboardsError]] = {
        401: errors.KeyRefused,
        403: errors.KeyRefused,
        404: errors.NotFound,
        408: errors.CollectorBusy,
        429: errors.CollectorBusy,
    }
    kind = kinds.get(status, errors.CollectorBusy if status >= 500 else None)
    said = _said(response)
    sentence = said.get("message") or f"The collector answered {status} to {response.request.url.path}."
    return (
        kind(sentence) if kind else errors.QuestionRefused(sentence, said.get("position"), said.get("suggestion") or "")
    )


def _said(response: httpx.Response) -> dict[str, Any]:
    """The `error` object of an answer; empty for an answer of another form, such as a proxy's page."""
    try:
        said = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return said if isinstance(said, dict) else {}
