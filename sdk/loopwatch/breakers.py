"""The fleet's switches: polled in the background, matched here, and ignored when the collector cannot be asked.

A breaker that is not closed holds for the runs its scope names (environment, service, agent, version, customer; what is
absent matches all). `refuse_new` refuses new runs, `stop_running` ends running ones too, at their next iteration or
model call, and `throttle` spreads the starts of runs. A run inside a run is part of it and never refused.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from loopwatch import names
from loopwatch.errors import BreakerOpen
from loopwatch.faults import logger, swallow
from loopwatch.forks import renew_in_children

Ask = Callable[[str, Mapping[str, str]], tuple[int, Mapping[str, str], bytes]]
PATH: Final = "/api/v1/breakers"
DEFAULT_POLL_S: Final = 5.0
POLLS_TRUSTED: Final = 3
"""So many polls may fail before what was known is forgotten: agents keep running without their collector."""
LONGEST_WAIT_S: Final = 60.0
"""A throttled start that would have to wait longer is refused."""
_SCOPE_NAMES: Final = {
    "environment": names.ENVIRONMENT,
    "service": names.SERVICE_NAME,
    "agent": names.AGENT_NAME,
    "version": names.AGENT_VERSION,
    "customer": names.CUSTOMER_ID,
}


@dataclass(frozen=True, slots=True)
class Breaker:
    """One switch that is not closed.

    Args:
        name: its name.
        state: open or half_open.
        action: refuse_new, stop_running or throttle.
        scope: attribute values a run must have.
        reason: why it was opened.
        until: ISO 8601, or None while it is held.
        until_s: the same in seconds since the epoch; infinite while it is held.
        runs_per_minute: of a throttle.
        trial_share: of new runs that a half-open one lets through, 0..1.
    """

    name: str
    state: str
    action: str
    scope: tuple[tuple[str, str], ...]
    reason: str
    until: str | None
    until_s: float
    runs_per_minute: float
    trial_share: float

    def holds(self, attributes: Mapping[str, Any], now: float) -> bool:
        """Whether it is in force for a run with these attributes."""
        return now < self.until_s and all(attributes.get(name) == value for name, value in self.scope)

    def refusal(self) -> BreakerOpen:
        """Returns what a refused or stopped run raises."""
        return BreakerOpen(self.reason or self.name, self.until)


def parse(body: bytes) -> tuple[Breaker, ...]:
    """Reads the collector's answer.

    Raises:
        ValueError: it is not what the contract says.
    """
    answer: Any = json.loads(body)
    listed: list[dict[str, Any]] = answer["breakers"]
    return tuple(_breaker(entry) for entry in listed if entry.get("state") != "closed")


def _breaker(entry: dict[str, Any]) -> Breaker:
    scope: dict[str, Any] = entry.get("scope") or {}
    until: str | None = entry.get("until")
    return Breaker(
        name=str(entry.get("name", "")),
        state=str(entry.get("state", "open")),
        action=str(entry.get("action", "refuse_new")),
        scope=tuple((_SCOPE_NAMES[key], str(value)) for key, value in scope.items() if key in _SCOPE_NAMES and value),
        reason=str(entry.get("reason") or ""),
        until=until,
        until_s=float("inf") if not until else _seconds(until),
        runs_per_minute=float(entry.get("runs_per_minute") or 0),
        trial_share=float(entry.get("trial_share") or 0),
    )


def _seconds(text: str) -> float:
    time_of = datetime.fromisoformat(text)
    return (time_of if time_of.tzinfo else time_of.replace(tzinfo=UTC)).timestamp()


class Breakers:
    """The switches that are not closed, as far as they are known.

    Args:
        ask: asks the collector: path and headers give status, headers and body; raises OSError.
        service: the process's service name, which scopes may name.
        poll_s: seconds between polls; each is moved by up to a fifth either way.
    """

    def __init__(self, ask: Ask | None, service: str, poll_s: float = DEFAULT_POLL_S) -> None:
        self._ask = ask
        self._service = service
        self._poll_s = poll_s
        self._etag = ""
        self._failed = 0
        self._known: tuple[Breaker, ...] = ()
        self._next_start: dict[str, float] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        if ask is not None:
            self._begin()
            renew_in_children(self)

    def _begin(self) -> None:
        threading.Thread(target=self._work, args=(self._stopping,), name="loopwatch-breakers", daemon=True).start()

    def renew(self) -> None:
        """In a forked child: polls from a thread of its own."""
        self._lock = threading.Lock()
        if not self._stopping.is_set():
            self._stopping = threading.Event()
            self._begin()

    def stop(self) -> None:
        """Polls no more and forgets what it knew."""
        self._stopping.set()
        self._known = ()

    def _work(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                self.poll()
            except Exception as fault:  # noqa: BLE001 - the thread must outlive any fault
                swallow("breakers", fault)
            stopping.wait(self._poll_s * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load, guards nothing

    def poll(self) -> None:
        """Asks the collector once; an answer that cannot be had or read counts as failed."""
        if self._ask is None:
            return
        try:
            status, headers, body = self._ask(PATH, {"if-none-match": self._etag} if self._etag else {})
            if status == 200:
                self._take(parse(body))
                self._etag = headers.get("etag", "")
            elif status != 304:
                raise OSError(f"the collector answered {status}")
            self._failed = 0
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            self._miss(fault)

    def _take(self, breakers: tuple[Breaker, ...]) -> None:
        new = {breaker.name for breaker in breakers} - {breaker.name for breaker in self._known}
        for breaker in breakers:
            if breaker.name in new:
                logger.warning("loopwatch: breaker %s is %s (%s)", breaker.name, breaker.state, breaker.reason)
        self._known = breakers

    def _miss(self, fault: Exception) -> None:
        self._failed += 1
        logger.debug("loopwatch: breakers cannot be asked: %s", fault)
        if self._failed >= POLLS_TRUSTED and self._known:
            logger.warning("loopwatch: breakers cannot be asked; agents run on without them")
            self._known, self._etag = (), ""

    def refused(self, attributes: Mapping[str, Any]) -> BreakerOpen | None:
        """Returns why a new run may not begin, or None if it may.

        Args:
            attributes: those of the run.
        """
        for breaker in self._holding(attributes):
            if breaker.action == "throttle":
                continue
            if breaker.state == "half_open" and random.random() < breaker.trial_share:  # noqa: S311 - a share, no secret
                continue
            return breaker.refusal()
        return None

    def stopped(self, attributes: Mapping[str, Any]) -> BreakerOpen | None:
        """Returns why a running run must end, or None if it need not."""
        for breaker in self._holding(attributes):
            if breaker.action == "stop_running" and breaker.state == "open":
                return breaker.refusal()
        return None

    def wait_s(self, attributes: Mapping[str, Any]) -> float:
        """Reserves the next start of a throttled run.

        Args:
            attributes: those of the run.

        Returns:
            Seconds to wait before it.

        Raises:
            BreakerOpen: the wait would be longer than a minute.
        """
        wait_s = 0.0
        for breaker in self._holding(attributes):
            if breaker.action == "throttle" and breaker.runs_per_minute > 0:
                wait_s = max(wait_s, self._reserve(breaker))
        return wait_s

    def _reserve(self, breaker: Breaker) -> float:
        with self._lock:
            now = time.monotonic()
            start = max(self._next_start.get(breaker.name, now), now)
            if start - now > LONGEST_WAIT_S:
                raise breaker.refusal()
            self._next_start[breaker.name] = start + 60.0 / breaker.runs_per_minute
            return start - now

    def _holding(self, attributes: Mapping[str, Any]) -> list[Breaker]:
        if not self._known:
            return []
        now = time.time()
        whole = {names.SERVICE_NAME: self._service, **attributes}
        return [breaker for breaker in self._known if breaker.holds(whole, now)]

    @property
    def any_known(self) -> bool:
        """Whether any switch is not closed."""
        return bool(self._known)
