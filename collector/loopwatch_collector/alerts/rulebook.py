"""All rules in force: those delivered, those of the operator's file, those made through the API, the latter winning."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from loopwatch_collector.alerts.channel_parsing import ChannelSettings
from loopwatch_collector.alerts.errors import Fault, UnknownRule
from loopwatch_collector.alerts.records import AlertRecords, StoredRule
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.rule_parsing import RulesFile, parse_rules

_LOG = logging.getLogger(__name__)


def delivered_rules() -> list[Rule]:
    """Returns the rules that come with Loopwatch."""
    text = (resources.files("loopwatch_collector.alerts") / "delivered.toml").read_text(encoding="utf-8")
    return parse_rules(text, "delivered").rules


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules and channels at one moment.

    Attributes:
        common: rules of every project, by name.
        own: rules of single projects, by project and name.
        channels: where messages can go.
        faults: what is wrong in the operator's file.
    """

    common: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    own: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict[str, Mapping[str, Rule]])
    channels: tuple[ChannelSettings, ...] = ()
    faults: tuple[Fault, ...] = ()

    def rules_of(self, project: str) -> dict[str, Rule]:
        """The rules in force for a project, those turned off included."""
        return {**self.common, **self.own.get(project, {})}


class Rulebook:
    """Reads the rules again when they change.

    Args:
        records: where rules made through the API are.
        path: the operator's file; None for none.
        environment: what `${NAME}` in the file stands for.
    """

    def __init__(self, records: AlertRecords, path: Path | None, environment: Mapping[str, str]) -> None:
        self._records = records
        self._path = path
        self._environment = environment
        self._stamp: tuple[int, int] | None = None
        self._file = RulesFile()
        self._delivered = delivered_rules()
        self._current = RuleSet()
        self._lock = threading.Lock()

    @property
    def current(self) -> RuleSet:
        """The rules as they were read last."""
        return self._current

    def reload(self) -> RuleSet:
        """Reads file and store again; a file that is unchanged is not parsed again."""
        with self._lock:
            self._read_file()
            delivered = self._delivered if self._file.delivered else []
            common = {rule.name: rule for rule in (*delivered, *self._file.rules)}
            own: dict[str, dict[str, Rule]] = {}
            for stored in self._records.rules():
                rule = _stored(stored, common)
                if rule is not None:
                    own.setdefault(stored.project, {})[rule.name] = rule
            self._current = RuleSet(common, own, tuple(self._file.channels), tuple(self._file.faults))
            return self._current

    def rule(self, project: str, name: str) -> Rule:
        """Returns a rule by name.

        Raises:
            UnknownRule: there is none.
        """
        rule = self._current.rules_of(project).get(name)
        if rule is None:
            raise UnknownRule(f"there is no rule '{name[:80]}'; GET /api/v1/rules lists them")
        return rule

    def _read_file(self) -> None:
        if self._path is None:
            return
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            unread = [Fault(None, f"the rules file {self._path} cannot be read: {fault}")]
            if self._file.faults != unread:  # said once, not at every look
                _LOG.error("%s; the rules read before stay in force", unread[0].message)
            self._file = RulesFile(self._file.rules, self._file.channels, unread, self._file.delivered)
            self._stamp = None
            return
        self._stamp = stamp
        self._file = parse_rules(text, "file", self._environment)
        for fault in self._file.faults:
            _LOG.error("%s: %s", self._path, fault)


def _stored(stored: StoredRule, common: Mapping[str, Rule]) -> Rule | None:
    if not stored.toml:  # only turned on or off
        rule = common.get(stored.name)
        return None if rule is None else replace(rule, enabled=stored.enabled)
    parsed = parse_rules(stored.toml, "stored")
    for fault in parsed.faults:
        _LOG.error("the stored rule %s of project %s: %s", stored.name, stored.project, fault)
    return replace(parsed.rules[0], enabled=stored.enabled) if parsed.rules else None
