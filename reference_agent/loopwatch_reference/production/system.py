"""The system as its operators see it: logs, metrics, deployments, tickets."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from loopwatch_reference.errors import InvalidQuestion
from loopwatch_reference.production.faults import FAULT_KINDS, Fault
from loopwatch_reference.production.logs import LogLine, log_lines, matches
from loopwatch_reference.production.metrics import METRICS, MetricReading, read_metric
from loopwatch_reference.production.topology import SERVICES
from loopwatch_reference.seeding import seeded

SEVERITIES = ("critical", "high", "medium", "low")
_MAX_LINES = 15
_MAX_MINUTES = 240
_OLD_RELEASES = 3


@dataclass(frozen=True)
class ProductionSystem:
    """One simulated system at one moment.

    Args:
        seed: decides noise and chatter.
        now: an aware time; readings count back from it.
        fault: what is wrong, or None when the alert was a false one.
    """

    seed: int
    now: datetime
    fault: Fault | None
    tickets: list[dict[str, Any]] = field(default_factory=list)

    def search_logs(self, query: str, minutes: int) -> list[LogLine]:
        """Finds the newest lines in which every word of the query occurs, at most 15."""
        if not 1 <= minutes <= _MAX_MINUTES:
            raise InvalidQuestion(f"minutes must be between 1 and {_MAX_MINUTES}, not {minutes}")
        lines = log_lines(self.seed, self.fault, self.now, minutes)
        return list(islice((line for line in lines if matches(line, query)), _MAX_LINES))

    def read_metric(self, service: str, metric: str) -> MetricReading:
        """Reads a metric over the last two hours."""
        if service not in SERVICES:
            raise InvalidQuestion(f"there is no service '{service}'; services are {', '.join(SERVICES)}")
        if metric not in METRICS:
            raise InvalidQuestion(f"there is no metric '{metric}'; metrics are {', '.join(METRICS)}")
        return read_metric(self.seed, self.fault, service, metric)

    def deployments(self) -> list[dict[str, str]]:
        """Lists the releases of the last day, newest first."""
        rng = seeded(self.seed, "deployments")
        quiet = [name for name in SERVICES if self.fault is None or name != self.fault.service]
        releases = [
            (rng.randrange(200, 1400), name, f"{rng.randrange(2, 9)}.{rng.randrange(30)}.0")
            for name in rng.sample(quiet, _OLD_RELEASES)
        ]
        if self.fault is not None and FAULT_KINDS[self.fault.kind].deployed:
            releases.append((self.fault.age_minutes + 2, self.fault.service, f"4.{rng.randrange(30)}.1"))
        return [
            {"service": name, "version": version, "deployed_at": f"{self.now - timedelta(minutes=age):%Y-%m-%dT%H:%MZ}"}
            for age, name, version in sorted(releases)
        ]

    def create_ticket(self, title: str, severity: str) -> dict[str, Any]:
        """Opens an incident ticket; its severity is one of `SEVERITIES`."""
        if severity not in SEVERITIES:
            raise InvalidQuestion(f"there is no severity '{severity}'; severities are {', '.join(SEVERITIES)}")
        ticket = {"ticket": f"INC-{4000 + self.seed % 5000 + len(self.tickets)}", "title": title, "severity": severity}
        self.tickets.append(ticket)
        return ticket
