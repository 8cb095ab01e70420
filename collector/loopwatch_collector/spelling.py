"""Variables named LOOPWATCH_* that nothing reads: most likely a known one, misspelt."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from loopwatch_collector.settings import VARIABLES

_PREFIX: Final = "LOOPWATCH_"
# Read by the SDK, the dashboards and the commands, or by compose.yaml and the project's own tests; prefix left out.
_OTHERS: Final = frozenset(
    {
        "ADMIN_KEY", "API_KEY", "BENCH_DATA", "BENCH_RANGES", "BENCH_SIZES", "BENCH_SPANS", "BENCH_STORE",
        "BREAKER_POLL_S", "CAPTURE", "CHROMIUM", "CLICKHOUSE_PASSWORD", "COMPAT_CACHE", "DASHBOARDS_KEY", "ENDPOINT",
        "ENVIRONMENT", "INGEST_KEY", "MAX_CONTENT_CHARS", "MAX_QUEUE_BYTES", "MAX_QUEUE_SPANS", "MAX_SPOOL_BYTES",
        "READ_KEY", "REDACT", "SERVICE_NAME", "SERVICE_VERSION", "SPOOL_DIR", "TEST_CLICKHOUSE_URL", "TEST_DATA",
    }
)  # fmt: skip
KNOWN: Final = {_PREFIX + name for name in _OTHERS} | {variable.name for variable in VARIABLES.values()}


class Unknown(NamedTuple):
    """A variable that nothing reads.

    Attributes:
        name: its name; its value may be a secret.
        near: the known one it is like; "" when it is like none, and may be somebody's own.
    """

    name: str
    near: str

    def __str__(self) -> str:
        hint = f"; did you mean {self.near}?" if self.near else ""
        return f"nothing reads {self.name}{hint}"


def unknown_variables(environment: Mapping[str, str]) -> list[Unknown]:
    """Returns the variables of ours by name that are none of ours.

    Args:
        environment: the process's variables, or a test's.
    """
    names = sorted(name for name in environment if name.startswith(_PREFIX) and name not in KNOWN)
    return [Unknown(name, _near(name)) for name in names]


def _near(name: str) -> str:
    bare = {known.removeprefix(_PREFIX): known for known in sorted(KNOWN)}
    close = get_close_matches(name.removeprefix(_PREFIX), bare, n=1, cutoff=0.7)
    return bare[close[0]] if close else ""
