"""What the collector is told by its environment, read once at the entry point."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from loopwatch_collector.errors import CannotStart
from loopwatch_collector.retention.policy import Days, RetentionPolicy, parse_projects
from loopwatch_collector.write.handovers import DEFAULT_PATTERNS

HTTP_PORT: Final = 4318
GRPC_PORT: Final = 4317
_DSN_SCHEMES: Final = ("chdb", "clickhouse", "clickhouses", "http", "https")
_SECRETS: Final = re.compile("'.*'")  # what a fault of urlsplit quotes
ROLES: Final = ("ingest", "read", "admin")


class Key(NamedTuple):
    """One entry of LOOPWATCH_KEYS."""

    project: str
    role: str
    secret: str

    def __repr__(self) -> str:
        # Settings are printed and logged; a key must never be.
        return f"Key(project={self.project!r}, role={self.role!r})"


@dataclass(frozen=True, slots=True)
class Settings:
    """The collector's settings.

    Attributes:
        data_dir: where the journal, the lock and the embedded store live.
        dsn: the store, `chdb:///path` or `clickhouse://user@host:port/db`.
        host: the address to listen on.
        port: the port; 0 lets the system choose.
        grpc_port: the port of OTLP/gRPC; 0 lets the system choose, None turns it off, "auto" is 4317 beside the
            default HTTP port and off beside any other.
        keys: who may do what; empty means one project, `default`, on loopback only.
        max_body_bytes: cap on a request's body, before and after decompression.
        max_receiving_bytes: memory of all requests being received together, as sent and as decoded; beyond it 503.
        max_journal_bytes: records not yet in the store; beyond it requests get 503.
        min_free_bytes: free disk below which requests get 503.
        retention_days: how old a live span may be, and how long the store keeps it.
        content_retention_days: how long messages, arguments and results are kept.
        project_retention: days of content and of the rest, by project, where they differ.
        backup_dir: where backups of the embedded store are written; None: `backups` under `data_dir`.
        rules_path: the operator's alert rules and channels, a TOML file; None for the delivered rules only.
        prices_path: the operator's own prices, a TOML file; None for genai-prices only.
        dashboards_url: base URL of the pages, for links in messages; "" leaves them out.
        handover_tools: patterns of the tools that hand a run over to a human, for senders that know no escalation.
    """

    data_dir: Path
    dsn: str
    host: str = "127.0.0.1"
    port: int = HTTP_PORT
    grpc_port: int | Literal["auto"] | None = "auto"
    keys: tuple[Key, ...] = ()
    max_body_bytes: int = 64 * 2**20
    max_receiving_bytes: int = 384 * 2**20
    max_journal_bytes: int = 8 * 2**30
    min_free_bytes: int = 256 * 2**20
    retention_days: int = 90
    content_retention_days: int = 30
    project_retention: Mapping[str, Days] = field(default_factory=dict[str, Days])
    backup_dir: Path | None = None
    rules_path: Path | None = None
    prices_path: Path | None = None
    dashboards_url: str = ""
    handover_tools: tuple[str, ...] = DEFAULT_PATTERNS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the settings.

        Args:
            environment: the process's variables, or a test's.

        Returns:
            The settings, defaults filled in.

        Raises:
            CannotStart: one or more variables are wrong; all of them are named.
        """
        settings, faults = cls.understood(environment)
        if faults:
            raise CannotStart("; ".join(faults))
        return settings

    @classmethod
    def understood(cls, environment: Mapping[str, str]) -> tuple["Settings", list[str]]:
        """Reads what can be read, with defaults for what cannot, and says what is wrong with the rest.

        Args:
            environment: the process's variables, or a test's.
        """
        faults: list[str] = []
        values: dict[str, Any] = {}
        for name, variable in VARIABLES.items():
            text = environment.get(variable.name, "").strip()
            if not text:
                continue
            try:
                values[name] = variable.parse(text)
            except ValueError as fault:
                faults.append(f"{variable.name}: {fault}")
        data_dir = values.setdefault("data_dir", Path("~/.local/share/loopwatch").expanduser())
        values.setdefault("dsn", f"chdb://{data_dir}/store")
        return cls(**values), faults

    @property
    def retention(self) -> RetentionPolicy:
        """How long each project's data is kept."""
        return RetentionPolicy(Days(self.content_retention_days, self.retention_days), self.project_retention)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the collector."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


class Variable(NamedTuple):
    """One environment variable: its name, its meaning for the documentation, and how it is read."""

    name: str
    meaning: str
    parse: Callable[[str], Any]


def table() -> str:
    """The settings as rows of a Markdown table: variable, default, meaning."""
    defaults = {entry.name: entry.default for entry in fields(Settings) if entry.default is not MISSING}
    shown = {
        **defaults,
        "data_dir": "~/.local/share/loopwatch",
        "dsn": "chdb://$LOOPWATCH_DATA_DIR/store",
        "keys": "none: project default, loopback only",
        "grpc_port": "4317 beside port 4318, else off",
        "project_retention": "none: all projects alike",
        "backup_dir": "$LOOPWATCH_DATA_DIR/backups",
        "rules_path": "none: the delivered rules",
        "prices_path": "none: genai-prices only",
        "dashboards_url": "none: messages have no links",
        "handover_tools": ", ".join(f"`{pattern}`" for pattern in DEFAULT_PATTERNS),
    }
    rows = (f"| `{variable.name}` | {shown[field]} | {variable.meaning} |" for field, variable in VARIABLES.items())
    return "\n".join(("| variable | default | meaning |", "|---|---|---|", *rows))


def parse_keys(text: str) -> tuple[Key, ...]:
    """Reads `project:role:key,...`.

    Raises:
        ValueError: an entry is malformed; it is named by its position, never by its text, for it holds a key.
    """
    keys: list[Key] = []
    for position, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), start=1):
        project, _, rest = entry.partition(":")
        role, _, secret = rest.partition(":")
        if not project or not secret or role not in ROLES:
            raise ValueError(f"entry {position} is not project:role:key with a role of {', '.join(ROLES)}")
        keys.append(Key(project, role, secret))
    if len({key.secret for key in keys}) < len(keys):
        raise ValueError("the same key stands for two entries; give each its own")
    return tuple(keys)


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _dsn(text: str) -> str:
    """The store's address; faults never repeat it, for it may hold a password."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as fault:
        raise ValueError(f"it is no address: {_SECRETS.sub('...', str(fault))}") from None
    if parts.scheme not in _DSN_SCHEMES:
        raise ValueError(
            f"'{parts.scheme}' is no kind of store; it begins with chdb:///, clickhouse:// or clickhouses://"
        )
    if parts.scheme == "chdb" and not parts.path.strip("/"):
        raise ValueError("chdb:/// wants the directory of the store after it")
    return text


def parse_port(text: str) -> int:
    """Reads a port.

    Raises:
        ValueError: it is none; the message says what is.
    """
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ValueError(f"'{text}' is not a port between 0 and 65535")
    return int(text)


def parse_grpc_port(text: str) -> int | Literal["auto"] | None:
    """Reads the gRPC port: a port, `auto`, or `off`; raises ValueError as `parse_port` does."""
    if text == "auto":
        return "auto"
    return None if text == "off" else parse_port(text)


def _web_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"'{text}' is not an http:// or https:// URL")
    return text


def _patterns(text: str) -> tuple[str, ...]:
    patterns = tuple(part.strip() for part in text.split(",") if part.strip())
    if "*" in patterns:
        raise ValueError("'*' would take every tool call for a hand-over; name the tools")
    return patterns


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError(f"'{text}' is not a whole number above 0")
    return int(text)


VARIABLES: Final[dict[str, Variable]] = {
    "data_dir": Variable("LOOPWATCH_DATA_DIR", "where journal, lock and embedded store live", _path),
    "dsn": Variable("LOOPWATCH_DSN", "the store: chdb:///path or clickhouse://user@host:port/db", _dsn),
    "host": Variable("LOOPWATCH_HOST", "the address to listen on", str),
    "port": Variable("LOOPWATCH_PORT", "the HTTP port; 0 lets the system choose", parse_port),
    "grpc_port": Variable("LOOPWATCH_GRPC_PORT", "the OTLP/gRPC port; off for none", parse_grpc_port),
    "keys": Variable(
        "LOOPWATCH_KEYS",
        "project:role:key, separated by commas; any admin key may take backups, which hold all projects",
        parse_keys,
    ),
    "max_body_bytes": Variable("LOOPWATCH_MAX_BODY_BYTES", "cap on a request's body, decompressed", _positive),
    "max_receiving_bytes": Variable(
        "LOOPWATCH_MAX_RECEIVING_BYTES", "memory of all requests being received, as sent and as decoded", _positive
    ),
    "max_journal_bytes": Variable("LOOPWATCH_MAX_JOURNAL_BYTES", "records waiting for the store", _positive),
    "min_free_bytes": Variable("LOOPWATCH_MIN_FREE_BYTES", "free disk below which nothing is taken", _positive),
    "retention_days": Variable("LOOPWATCH_RETENTION_DAYS", "how long spans and runs are kept", _positive),
    "content_retention_days": Variable(
        "LOOPWATCH_CONTENT_RETENTION_DAYS", "how long messages, arguments and results are kept", _positive
    ),
    "project_retention": Variable(
        "LOOPWATCH_PROJECT_RETENTION", "project:content_days:days, separated by commas", parse_projects
    ),
    "backup_dir": Variable("LOOPWATCH_BACKUP_DIR", "where backups of the embedded store are written", _path),
    "rules_path": Variable("LOOPWATCH_RULES", "alert rules and channels, a TOML file", _path),
    "prices_path": Variable("LOOPWATCH_PRICES", "own models and negotiated prices, a TOML file", _path),
    "dashboards_url": Variable("LOOPWATCH_DASHBOARDS_URL", "base URL of the pages, for links in messages", _web_url),
    "handover_tools": Variable(
        "LOOPWATCH_HANDOVER_TOOLS", "shell patterns of tools that hand a run to a human, separated by commas", _patterns
    ),
}


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
