"""Rules for Prometheus: it fires them and Alertmanager tells people, on what /metrics shows."""

import json
import re
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
        selector = f"project={_text(project)},rule={_text(rule.name)}"
        labels = {"severity": rule.severity, **{_label_name(name): value for name, value in rule.labels.items()}}
        lines += [
            f"      - alert: {_text(rule.name)}",
            f"        expr: {_text(f'loopwatch_rule_breached{{{selector}}} == 1')}",
            f"        for: {rule.for_s}s",
            f"        keep_firing_for: {rule.resolve_after_s}s",
            "        labels:",
            *(f"          {_text(name)}: {_text(_literal(value))}" for name, value in sorted(labels.items())),
            "        annotations:",
            f"          summary: {_text(_literal(rule.title) + ' {{ $labels.group }}')}",
            f"          description: {_text(_literal(rule.description))}",
        ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a YAML one


def _label_name(name: str) -> str:
    """The nearest name that Prometheus takes: one it does not makes it refuse the whole file."""
    return re.sub(r"^(?=\d)", "_", re.sub(r"[^a-zA-Z0-9_]", "_", name))


def _literal(text: str) -> str:
    """A text that Prometheus' templates leave as it is."""
    return text.replace("{{", '{{ "{{" }}')
