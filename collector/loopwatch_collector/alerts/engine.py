"""The engine: evaluates every rule when it is due, as long as this collector holds the lease."""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loopwatch_collector.alerts.arrivals import Arrival, Arrivals
from loopwatch_collector.alerts.book import AlertBook
from loopwatch_collector.alerts.channels import Channels
from loopwatch_collector.alerts.conditions import Group, Verdict
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.errors import OutOfTime
from loopwatch_collector.alerts.evaluation import LATE_S, Surroundings, evaluate
from loopwatch_collector.alerts.lease import Lease
from loopwatch_collector.alerts.notifier import Notifier
from loopwatch_collector.alerts.own_health import OwnHealth
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.read_ahead import Answers, read_ahead
from loopwatch_collector.alerts.reading import RuleReader
from loopwatch_collector.alerts.records import AlertRecords
from loopwatch_collector.alerts.remarks import Remarks, arrange
from loopwatch_collector.alerts.replay import Replay, default_step_s, moments, replay
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.rulebook import Rulebook
from loopwatch_collector.alerts.schedule import Key, Schedule
from loopwatch_collector.errors import CollectorError, Unavailable
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.store.errors import QueryTooLarge, StoreUnavailable
from loopwatch_collector.store.store import Store

_LOG = logging.getLogger(__name__)
_TICK_S: Final = 1.0
_LEASE_EVERY_S: Final = 4.0
_RELOAD_EVERY_S: Final = 10.0
_SHOW_EVERY_S: Final = 5.0  # every series is set anew, and nobody scrapes more often
_WORKERS: Final = 4
_SLOW_WORKERS: Final = 2
_PROMPT_S: Final = 5.0
_UNSEEN_NS: Final = 900 * NS  # what the collector before us may have stored without having looked at it
_MAX_SHOWN_GROUPS: Final = 100


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """How a rule's last evaluation went."""

    evaluated_at_ns: int
    duration_s: float
    error: str
    verdicts: Mapping[Group, Verdict]


class AlertEngine:
    """Rules, evaluated in threads of its own.

    Args:
        store: whose queries are asked, and where alerts are kept.
        metrics: the collector's.
        projects: those of the keys.
        rules_path: the operator's file, or None.
        dashboards_url: base URL of the pages, for links in messages; "" when it is not known.
        environment: what `${NAME}` in the file stands for.
        shares_store: other engines of this process use the store too; engines on a served store always may.
        prompt_s: how long an evaluation may take before it goes on where it keeps no other waiting.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        projects: Sequence[str],
        rules_path: Path | None = None,
        dashboards_url: str = "",
        environment: Mapping[str, str] | None = None,
        *,
        shares_store: bool = False,
        prompt_s: float = _PROMPT_S,
    ) -> None:
        self.records = AlertRecords(store)
        self.rulebook = Rulebook(self.records, rules_path, environment or {})
        self.projects = tuple(dict.fromkeys(projects))
        self.health = OwnHealth(metrics)
        self._store = store
        self._metrics = metrics
        self._dashboards_url = dashboards_url
        self._prompt_s = prompt_s
        holder = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        # nobody else can open an embedded store
        self._lease = Lease(store.connection, "alerts", holder, is_exclusive=store.embedded and not shares_store)
        self._book = AlertBook(self.records)
        self._channels = Channels((), dashboards_url)
        self._notifier = Notifier(self._book, lambda: self._channels, lambda: self._lease.is_held, metrics)
        self._remarks = Remarks({}, {})
        self._readers = {project: RuleReader(store.connection, project, self.health) for project in self.projects}
        self._arrivals = Arrivals()
        self._late: dict[Key, list[Range]] = {}
        self._unwatched_since_ns = 0
        self.looks = 0
        self._next_show_s = 0.0
        self._schedule = Schedule()
        self._status: dict[Key, RuleStatus] = {}
        self._prompt = ThreadPoolExecutor(_WORKERS, thread_name_prefix="rules")
        self._slow = ThreadPoolExecutor(_SLOW_WORKERS, thread_name_prefix="slow-rules")
        self._replays = ThreadPoolExecutor(_WORKERS, thread_name_prefix="replays")
        self._wake = threading.Event()
        self._stopping = False
        self._changed = True
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def start(self) -> None:
        """Begins to evaluate."""
        self._notifier.start()
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Ends evaluations and deliveries, and gives the lease up."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout_s)
        self._prompt.shutdown(wait=True, cancel_futures=True)
        self._slow.shutdown(wait=True, cancel_futures=True)
        self._replays.shutdown(wait=True, cancel_futures=True)
        self._notifier.stop(timeout_s)
        try:
            self._lease.release()
        except CollectorError as fault:
            _LOG.warning("the alerts' lease could not be given up, it will run out: %s", fault)

    def changed(self) -> None:
        """Says that rules or remarks were changed, so that they count at once."""
        self._changed = True
        self._wake.set()

    def replay(self, project: str, rule: Rule, stretch: Range, step_s: int | None) -> Replay:
        """Replays a rule over history, many ranges asked for in one question.

        Args:
            project: whose data.
            rule: the rule.
            stretch: from when to when.
            step_s: time between evaluations; None for what suits the rule's window.
        """
        # a reader of its own, so that old ranges do not push out what evaluations need
        reader, now_ns = RuleReader(self._store.connection, project, self.health), time.time_ns()
        step_s = step_s or default_step_s(rule, stretch)

        def read_each(stretches: list[Range]) -> Answers:
            return reader.read_each(rule, now_ns, stretches)

        known = read_ahead(rule, moments(stretch, step_s), read_each, self._replays.map)
        return replay(rule, project, stretch, lambda _: known.__getitem__, step_s)

    def status(self, project: str, rule: str) -> RuleStatus | None:
        """How a rule's last evaluation in this process went; None when there was none."""
        return self._status.get((project, rule))

    @property
    def channels(self) -> Channels:
        """Where messages can go."""
        return self._channels

    @property
    def is_evaluating(self) -> bool:
        """Whether this collector is the one that evaluates."""
        return self._lease.is_held

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop; evaluations then end with the question they are at."""
        return self._stopping

    def _run(self) -> None:
        next_lease_s = next_reload_s = 0.0
        was_held = False
        while not self._stopping:
            now_s = time.monotonic()
            try:
                if now_s >= next_lease_s:
                    is_held, next_lease_s = self._lease.hold(), now_s + _LEASE_EVERY_S
                    if is_held and not was_held:
                        self._take_over()
                    was_held = is_held
                if self._changed or now_s >= next_reload_s:
                    self._changed, next_reload_s = False, now_s + _RELOAD_EVERY_S
                    self._reload()
                self._tick(was_held)
            except Unavailable as fault:
                _LOG.warning("rules wait because the store cannot answer: %s", fault)
            except Exception:  # noqa: BLE001 alerts must go on whatever one tick met
                _LOG.exception("a fault in the alerts; they go on with the next tick")
            self._wake.wait(_TICK_S)
            self._wake.clear()

    def _take_over(self) -> None:
        self._book.load()
        self._arrivals = Arrivals()
        self._late.clear()
        self._unwatched_since_ns = max(self._lease.left_at_ns - _UNSEEN_NS, time.time_ns() - LATE_S * NS)

    def _reload(self) -> None:
        rules = self.rulebook.reload()
        self._channels = Channels(rules.channels, self._dashboards_url)
        self._remarks = arrange(self.records.remarks())
        for project, reader in self._readers.items():
            reader.share(rule for rule in rules.rules_of(project).values() if rule.enabled)

    def _tick(self, is_held: bool) -> None:
        self.health.sample(time.time_ns())
        if not is_held:
            self._forget_readings(set())  # whoever evaluates shows them
            return
        arrival = self._arrivals.look(self._store.connection(), time.time_ns())
        self.looks += 1
        self._note(arrival)
        now_s = time.monotonic()
        active = {(alert.project, alert.rule) for alert in self._book.all() if alert.state in {"pending", "firing"}}
        wanted: set[Key] = set()
        for project in self.projects:
            for rule in self.rulebook.current.rules_of(project).values():
                if rule.enabled:
                    key = (project, rule.name)
                    wanted.add(key)
                    if arrival.concerns(project, rule):
                        self._schedule.note_news(key)
                    if self._schedule.begin(key, rule, now_s, is_active=key in active):
                        self._start(key, rule)
        self._schedule.keep_only(wanted)
        self._close_orphans(wanted)
        self._forget_readings(wanted)
        if now_s >= self._next_show_s:
            self._next_show_s = now_s + _SHOW_EVERY_S
            self._show()

    def _note(self, arrival: Arrival) -> None:
        """Lets no answer stand that what came made old."""
        if arrival.is_empty:
            return
        for reader in self._readers.values():
            reader.forget(arrival.late, time.time_ns())
        for waiting in list(self._late.values()):
            waiting.extend(arrival.late)

    def _start(self, key: Key, rule: Rule) -> None:
        since = self._readers[key[0]].arrived
        if self._schedule.is_slow(key):
            self._slow.submit(self._evaluate, key, rule, since)
        else:
            self._prompt.submit(self._evaluate_promptly, key, rule, since)

    def _evaluate_promptly(self, key: Key, rule: Rule, since: int) -> None:
        """Evaluates a rule, and has it go on in the slow lane when that takes long."""
        if not self._evaluate(key, rule, since, time.monotonic() + self._prompt_s):
            self._schedule.set_slow(key, is_slow=True)
            self._slow.submit(self._evaluate, key, rule, since)

    def _evaluate(self, key: Key, rule: Rule, since: int, until_s: float | None = None) -> bool:
        """Evaluates a rule; False when it could not be done in time, and is still to be done."""
        project = key[0]
        started = time.perf_counter()
        verdicts: Mapping[Group, Verdict] = {}
        error = ""
        # what came while no collector was at work is as late as what comes late now
        late = self._late.get(key, [Range(self._unwatched_since_ns, time.time_ns())])
        self._late[key] = []
        surroundings = Surroundings(
            self._store.connection,
            self._book,
            self._channels,
            self._remarks,
            lambda: self._lease.is_held,
            late,
            until_s,
            since,
            lambda: self.is_stopping,
        )
        try:
            verdicts = evaluate(project, rule, self._readers[project], surroundings)
        except CollectorError as fault:
            if self._stopping:
                return True  # who comes after looks at all of it again
            is_late = isinstance(fault, OutOfTime | QueryTooLarge) or (until_s or 0.0) <= time.monotonic()
            if until_s is not None and is_late:
                self._late[key] = late + self._late[key]
                return False
            error = str(fault)
            _LOG.warning("rule %s of project %s could not be evaluated: %s", rule.name, project, fault)
            if isinstance(fault, StoreUnavailable):  # the next try has to look at what this one was begun for
                self._late[key] = late + self._late[key]
                self._schedule.note_news(key)
        except Exception as fault:  # noqa: BLE001 one rule's fault is not the others'
            error = f"{type(fault).__name__}: {fault}"
            _LOG.exception("rule %s of project %s", rule.name, project)
        duration_s = time.perf_counter() - started
        if until_s is None and duration_s < self._prompt_s / 2:
            self._schedule.set_slow(key, is_slow=False)
        self._status[key] = RuleStatus(time.time_ns(), duration_s, error, verdicts)
        self._schedule.end(key, found_nothing=not verdicts and not error, duration_s=duration_s, now_s=time.monotonic())
        self._metrics.rule_evaluations.labels("error" if error else "done").inc()
        self._metrics.rule_evaluation_seconds.observe(duration_s)
        self._notifier.wake()
        return True

    def _close_orphans(self, wanted: set[Key]) -> None:
        """Ends alerts whose rule is gone or turned off: nobody would ever say that they are over."""
        now_ns = time.time_ns()
        orphans = [
            alert
            for alert in self._book.all()
            if alert.state in {"pending", "firing"} and (alert.project, alert.rule) not in wanted
        ]
        self._book.put([alert.closed(now_ns, "the rule was removed or turned off") for alert in orphans], now_ns)

    def _forget_readings(self, wanted: set[Key]) -> None:
        """Shows rules that are not evaluated any more at once as what they are: without a reading."""
        if gone := self._status.keys() - wanted:
            for key in gone:
                del self._status[key]
            self._show()

    def _show(self) -> None:
        counts: dict[tuple[str, str, str, str], int] = {}
        for alert in self._book.all() if self._lease.is_held else ():
            if alert.state in {"pending", "firing"}:
                key = (alert.project, alert.rule, str(alert.snapshot.get("severity", "")), alert.state)
                counts[key] = counts.get(key, 0) + 1
        self._metrics.alerts.clear()
        for key, count in counts.items():
            self._metrics.alerts.labels(*key).set(count)
        self._metrics.rule_breached.clear()
        self._metrics.rule_value.clear()
        for (project, rule), status in list(self._status.items()):
            for group, verdict in _shown(status.verdicts):
                self._metrics.rule_breached.labels(project, rule, group).set(verdict.state == "breach")
                if verdict.value is not None:
                    self._metrics.rule_value.labels(project, rule, group).set(verdict.value)


def _shown(verdicts: Mapping[Group, Verdict]) -> list[tuple[Group, Verdict]]:
    """The groups that are worth a time series: those in breach first, and never thousands."""
    return sorted(verdicts.items(), key=lambda item: item[1].state != "breach")[:_MAX_SHOWN_GROUPS]
