"""The collector's own metrics, as Prometheus reads them."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from loopwatch_collector.project_counts import SPANS, ProjectCounts

_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_SPANS: Final = (1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


class Metrics:
    """One collector's metrics, in a registry of their own so that tests can have several."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self.requests = Counter(
            "loopwatch_requests",
            "Requests to ingest routes by signal and status",
            ["signal", "status"],
            registry=registry,
        )
        self.received_bytes = Counter(
            "loopwatch_received_bytes", "Body bytes received, compressed ones as they came", registry=registry
        )
        self.by_project = ProjectCounts()
        self.received_spans = Counter("loopwatch_received_spans", "Spans in readable requests", registry=registry)
        self.acknowledged_spans = Counter(
            "loopwatch_acknowledged_spans", "Spans whose sender was told they are on disk", registry=registry
        )
        self.rejected_spans = Counter(
            "loopwatch_rejected_spans", "Spans not taken, by reason", ["reason"], registry=registry
        )
        self.received_items = Counter(
            "loopwatch_received_items", "Log records and points in readable requests", ["signal"], registry=registry
        )
        self.acknowledged_items = Counter(
            "loopwatch_acknowledged_items",
            "Log records and points whose sender was told they are on disk",
            ["signal"],
            registry=registry,
        )
        self.rejected_items = Counter(
            "loopwatch_rejected_items",
            "Log records and points not taken, by reason",
            ["signal", "reason"],
            registry=registry,
        )
        self.written_spans = Counter("loopwatch_written_spans", "Spans inserted into the store", registry=registry)
        self.journaled_items = Counter(
            "loopwatch_journaled_items", "Spans, log records and points on disk in the journal", registry=registry
        )
        self.duplicate_spans = Counter(
            "loopwatch_duplicate_spans", "Written spans that had come before, among the latest", registry=registry
        )
        self.dead_letters = Counter(
            "loopwatch_dead_letters",
            "Records set aside because the store or the decoder refused them",
            registry=registry,
        )
        self.journal_records = Gauge("loopwatch_journal_records", "Records waiting for the store", registry=registry)
        self.journal_bytes = Gauge("loopwatch_journal_bytes", "Bytes waiting for the store", registry=registry)
        self.lag_seconds = Gauge(
            "loopwatch_lag_seconds", "Age of the oldest record waiting for the store", registry=registry
        )
        self.free_disk_bytes = Gauge(
            "loopwatch_free_disk_bytes", "Free disk under the data directory", registry=registry
        )
        self.acknowledge_seconds = Histogram(
            "loopwatch_acknowledge_seconds",
            "From the body's arrival to the answer",
            buckets=_SECONDS,
            registry=registry,
        )
        self.journal_commit_seconds = Histogram(
            "loopwatch_journal_commit_seconds",
            "One group commit, fsync included",
            buckets=_SECONDS,
            registry=registry,
        )
        self.batch_spans = Histogram("loopwatch_batch_spans", "Spans in one insert", buckets=_SPANS, registry=registry)
        self.write_seconds = Histogram(
            "loopwatch_write_seconds", "One batch by stage", ["stage"], buckets=_SECONDS, registry=registry
        )
        self.underived_runs = Counter(
            "loopwatch_underived_runs", "Runs the store could not derive from their spans", registry=registry
        )
        self.store_retries = Counter(
            "loopwatch_store_retries", "Batches the store could not take at once", registry=registry
        )

        self.alerts = Gauge(
            "loopwatch_alerts",
            "Alerts by rule and state",
            ["project", "rule", "severity", "state"],
            registry=registry,
        )
        self.rule_value = Gauge(
            "loopwatch_rule_value", "What a rule judged last", ["project", "rule", "group"], registry=registry
        )
        self.rule_breached = Gauge(
            "loopwatch_rule_breached",
            "1 where a rule's condition is breached, 0 where it is not",
            ["project", "rule", "group"],
            registry=registry,
        )
        self.rule_evaluations = Counter(
            "loopwatch_rule_evaluations", "Evaluations of rules by result", ["result"], registry=registry
        )
        self.rule_evaluation_seconds = Histogram(
            "loopwatch_rule_evaluation_seconds", "One evaluation of one rule", buckets=_SECONDS, registry=registry
        )
        self.notifications = Counter(
            "loopwatch_notifications",
            "Messages about alerts by channel and result",
            ["channel", "result"],
            registry=registry,
        )

    def note_received(self, signal: str, project: str, items: int) -> None:
        """Counts the items of a readable request: spans apart from log records and points."""
        if signal == SPANS:
            self.received_spans.inc(items)
            self.by_project.add(project, received_spans=items)
        else:
            self.received_items.labels(signal).inc(items)

    def note_answered(self, signal: str, project: str, taken: int, rejected: Mapping[str, int]) -> None:
        """Counts what a request's sender was told.

        Args:
            signal: traces, logs or metrics.
            project: whose request it was.
            taken: how many items are on disk.
            rejected: how many were not taken, by reason.
        """
        self.by_project.reject(project, signal, rejected)
        if signal == SPANS:
            self.acknowledged_spans.inc(taken)
            self.by_project.add(project, acknowledged_spans=taken)
        else:
            self.acknowledged_items.labels(signal).inc(taken)
        for reason, count in rejected.items():
            if signal == SPANS:
                self.rejected_spans.labels(reason).inc(count)
            else:
                self.rejected_items.labels(signal, reason).inc(count)

    def values(self) -> dict[str, float]:
        """The value of every sample, by its name and labels as Prometheus writes them."""
        samples = (sample for family in self._registry.collect() for sample in family.samples)
        return {_sample_name(sample.name, sample.labels): sample.value for sample in samples}

    def exposition(self, project: str | None) -> bytes:
        """The metrics in Prometheus' text format.

        Args:
            project: whose groups and rules may be named: labels of other projects are their data.
        """
        return generate_latest(_Visible(self._registry, project))


class _Visible(Collector):
    """A registry without the samples that another project's label names."""

    def __init__(self, registry: CollectorRegistry, project: str | None) -> None:
        self._registry = registry
        self._project = project

    def collect(self) -> Iterator[Metric]:
        """The families, their samples of other projects left out."""
        for family in self._registry.collect():
            family.samples = [
                sample for sample in family.samples if sample.labels.get("project", self._project) == self._project
            ]
            yield family


class SenderMetrics:
    """What is known of senders, for one look: its labels are the data of their projects."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.sequence_gaps = Gauge(
            "loopwatch_sequence_gaps",
            "Spans missing between the numbers a process gave them: on their way, dropped by it, or lost",
            ["project", "service", "process"],
            registry=self._registry,
        )
        self.sdk_dropped_spans = Gauge(
            "loopwatch_sdk_dropped_spans",
            "Spans SDKs say they dropped, of the processes known since the start",
            ["project", "reason"],
            registry=self._registry,
        )

    def exposition(self) -> bytes:
        """The same in Prometheus' text format."""
        return generate_latest(self._registry)


def _sample_name(name: str, labels: dict[str, str]) -> str:
    inner = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inner}}}" if inner else name
