"""Every metric is documented, and nothing else is."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from loopwatch_collector.metrics import Metrics

DOCUMENT = Path(__file__).parents[3] / "docs" / "ingest.md"


def test_documentation_lists_every_metric() -> None:
    """The table of docs/ingest.md names each metric of the collector."""
    families = text_string_to_metric_families(Metrics().exposition(None).decode())
    exposed = {family.name for family in families if not family.name.endswith("_created")}
    documented = set(re.findall(r"`(loopwatch_\w+)`", DOCUMENT.read_text()))
    assert exposed - documented == set()


def test_values_are_found_by_name_and_labels() -> None:
    """A sample is looked up as Prometheus writes it."""
    metrics = Metrics()
    metrics.rejected_spans.labels("too old").inc(3)
    metrics.written_spans.inc(2)
    values = metrics.values()
    assert values["loopwatch_written_spans_total"] == 2
    assert values['loopwatch_rejected_spans_total{reason="too old"}'] == 3


def test_another_projects_groups_are_not_shown() -> None:
    """A rule's groups are customers and agents: only their own project's exposition names them."""
    metrics = Metrics()
    metrics.rule_breached.labels("shop", "budget", "acme").set(1)
    metrics.written_spans.inc(3)
    shown = {project: metrics.exposition(project).decode() for project in ("shop", "bank", None)}
    assert [("acme" in text) for text in shown.values()] == [True, False, False]
    assert all("loopwatch_written_spans_total 3.0" in text for text in shown.values())
