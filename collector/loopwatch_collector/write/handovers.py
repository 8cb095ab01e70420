"""Which tool calls hand a run over to a human: for senders that know no escalation, told by the tool's name."""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final, cast

DEFAULT_PATTERNS: Final = (
    "*escalate*",
    "*transfer_to_human*",
    "*hand_off_to_human*",
    "*handoff_to_human*",
    "*hand_over_to_human*",
    "*handover_to_human*",
    "*human_handoff*",
    "*human_handover*",
)
_MAX_KNOWN: Final = 10_000
_MAX_REASON_CHARS: Final = 2_000


class Handovers:
    """Tools by whose name a run is known to be handed over.

    Args:
        patterns: shell patterns; names are compared in lower case, with `-`, `.` and spaces as `_`.
    """

    def __init__(self, patterns: Iterable[str] = DEFAULT_PATTERNS) -> None:
        self._patterns = tuple(_plain(pattern) for pattern in patterns)
        self._known: dict[str, bool] = {}

    def has(self, tool: str) -> bool:
        """Whether a call of that tool hands the run over."""
        known = self._known.get(tool)
        if known is None:
            name = _plain(tool)
            known = any(fnmatchcase(name, pattern) for pattern in self._patterns)
            if len(self._known) < _MAX_KNOWN:  # names come from strangers
                self._known[tool] = known
        return known


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(".", "_").replace(" ", "_")


DEFAULT_HANDOVERS: Final = Handovers()


def reason_of(tool: str, arguments: bytes | None) -> str:
    """The reason a hand-over gives: the first text among its arguments, else the tool's name.

    Args:
        tool: its name.
        arguments: what it was called with, as JSON; None when content was not captured.
    """
    try:
        found: object = json.loads((arguments or b"").decode())
    except ValueError:
        return tool
    if not isinstance(found, dict):
        return tool
    texts = (value for value in cast("dict[str, Any]", found).values() if isinstance(value, str) and value.strip())
    return next(texts, tool)[:_MAX_REASON_CHARS]
