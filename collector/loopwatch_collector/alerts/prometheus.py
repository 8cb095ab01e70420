"""Rules for Prometheus: it fires them and Alertmanager tells people, on what /metrics shows."""

import json
from collections.abc import Iterable

from loopwatch_collector.alerts.rule import Rule


def prometheus_rules(project: str, rules: Iterable[Rule]) -> str:
    """Writes a rules file.

    The condition is judged here, with baselines and confidence; Prometheus looks at the outcome, waits for `for`
    and does the rest.

    Args:
        project: whose rules.
        rules: those that are on.

    Returns:
        YAML, as `rule_files` in prometheus.yml takes it.
    """
    lines = ["groups:", f"  - name: {_text(f'loopwatch-{project}')}", "    rules:"]
    for rule in rules:
        selector = f"project={json.dumps(project)},rule={json.dumps(rule.name)}"
        labels = {"severity": rule.severity, **rule.labels}
        lines += [
            f"      - alert: {_text(rule.name)}",
            f"        expr: {_text(f'loopwatch_rule_breached{{{selector}}} == 1')}",
            f"        for: {rule.for_s}s",
            f"        keep_firing_for: {rule.resolve_after_s}s",
            "        labels:",
            *(f"          {_text(name)}: {_text(value)}" for name, value in sorted(labels.items())),
            "        annotations:",
            f"          summary: {_text(rule.title + ' {{ $labels.group }}')}",
            f"          description: {_text(rule.description)}",
        ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a YAML one
