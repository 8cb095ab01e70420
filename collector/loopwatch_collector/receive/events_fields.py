"""Fields of events that nobody reads, but that their senders may have meant to be read.

Senders may add fields of their own, so these refuse nothing. What looks like a known field, or like a number of
tokens or a cost, is named in the answer: else a misspelt one would be counted as 0 without a word.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, Field

_MAX_NAMED: Final = 20
_MAX_EXAMINED: Final = 200  # of one body: comparing names takes its time
_MAX_CHARS: Final = 60
_COUNTS: Final = re.compile(r"token|usage|cost", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[^a-z0-9]")
# Words others use for a field of ours.
_SYNONYMS: Final = {
    "usage": ("tokensUsed",),
    "tokens": ("tokensUsed",),
    "inputtokens": ("input", "input_tokens"),
    "prompttokens": ("input", "input_tokens"),
    "outputtokens": ("output", "output_tokens"),
    "completiontokens": ("output", "output_tokens"),
    "cachereadinputtokens": ("cacheRead",),
    "cachereadtokens": ("cacheRead",),
    "cachedtokens": ("cacheRead",),
    "cachecreationinputtokens": ("cacheWrite",),
    "cachewritetokens": ("cacheWrite",),
    "duration": ("latencyMs", "latency_ms"),
    "durationms": ("latencyMs", "latency_ms"),
    "type": ("eventType",),
    "sessionid": ("conversationId",),
    "tenantid": ("customerId",),
}


class Ignored(BaseModel):
    """A field that was not read."""

    field: str
    events: int = Field(description="how many events of the body have it")
    index: int = Field(description="the first of them, from 0")
    hint: str


class Known(NamedTuple):
    """The fields of one form.

    Attributes:
        names: as they are read.
        plain: from their letters alone to the name.
        names_all: whether every other field is worth a word.
    """

    names: frozenset[str]
    plain: Mapping[str, str]
    names_all: bool

    @classmethod
    def of(cls, form: type[BaseModel], *, names_all: bool = False) -> "Known":
        """The fields of a model, by the names on the wire and, where both are read, in Python."""
        fields = form.model_fields
        shown = {name: field.alias or name for name, field in fields.items()}
        names = frozenset((*shown, *shown.values()))
        return cls(names, {_plain(alias): alias for alias in shown.values()}, names_all)


class IgnoredFields:
    """The fields of one body that nobody reads and somebody may have meant to be read."""

    def __init__(self) -> None:
        self._named: dict[str, Ignored] = {}
        self._examined: set[str] = set()

    def list(self) -> list[Ignored]:
        """Those that were noted."""
        return list(self._named.values())

    def note(self, index: int, said: Mapping[str, Any], known: Known, prefix: str = "") -> None:
        """Notes fields of one object.

        Args:
            index: the event's place in the body.
            said: the object.
            known: the fields that are read.
            prefix: what the object is in, ending in a dot.
        """
        for name in said.keys() - known.names:
            field = prefix + name[:_MAX_CHARS]
            if field in self._named:
                self._named[field].events += 1
            elif field not in self._examined and len(self._examined) < _MAX_EXAMINED:
                self._examined.add(field)
                hint = _hint(name[:_MAX_CHARS], known, prefix)
                if hint and len(self._named) < _MAX_NAMED:
                    self._named[field] = Ignored(field=field, events=1, index=index, hint=hint)


def _hint(name: str, known: Known, prefix: str) -> str:
    plain = _plain(name)
    found = [known.plain[plain]] if plain in known.plain else []
    found = found or [one for one in _SYNONYMS.get(plain, ()) if one in known.names]
    found = found or [known.plain[one] for one in get_close_matches(plain, known.plain, 1, 0.8)]
    if found:
        return f"it is not read; did you mean {prefix}{found[0]}?"
    return "it is not read" if known.names_all or _COUNTS.search(name) else ""


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name.lower())
