"""What leaves the process of a span: the filter, the cap and the redaction, in that order. Pure functions of values."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.sdk.trace import Event

from loopwatch import names, otlp, snapshots
from loopwatch.capture import ERRORS, KIND_OF, Capture, kind_of
from loopwatch.redaction import Redactor
from loopwatch.snapshots import Snapshot, cut_text, type_of

HASH_OF: Final = {
    names.INPUT: (names.INPUT_HASH, names.INPUT_BYTES),
    names.OUTPUT: (names.OUTPUT_HASH, names.OUTPUT_BYTES),
    names.TOOL_ARGUMENTS: (names.TOOL_ARGUMENTS_HASH, names.TOOL_ARGUMENTS_BYTES),
    names.TOOL_RESULT: (names.TOOL_RESULT_HASH, names.TOOL_RESULT_BYTES),
}
_WORTH_PARSING: Final = 8  # times the cap; what is longer is cut as text
_SHORTER_STRINGS: Final = (16_000, 4_000, 1_000, 200)


def digest(text: bytes) -> str:
    """Returns 16 hexadecimal digits that are equal for equal content."""
    return hashlib.blake2b(text, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class ContentRules:
    """What may leave a process, and in what shape.

    Args:
        capture: the kinds that may leave, where a run or tool does not say otherwise.
        redact: takes secrets out of a text.
        max_chars: of one attribute; more is cut, with a mark.
        kept_prefixes: further attribute names, of other libraries, that carry no content.
    """

    capture: Capture
    redact: Callable[[str], str] = Redactor().redact
    max_chars: int = 256 * 1024
    kept_prefixes: tuple[str, ...] = ()

    def text(self, text: str) -> str:
        """Returns a text as it may leave."""
        return self.redact(cap(text, self.max_chars))

    def settle(self, contents: Mapping[str, Snapshot], capture: Capture) -> dict[str, Any]:
        """Spells our own contents out.

        Args:
            contents: snapshots by attribute name.
            capture: the kinds that may leave.

        Returns:
            Attributes: hash and size of each content, always; the content itself where it may leave.
        """
        settled: dict[str, Any] = {}
        for name, snapshot in contents.items():
            text = snapshots.as_text(snapshot)
            if name in HASH_OF:
                hash_name, bytes_name = HASH_OF[name]
                data = otlp.utf8(text)
                settled[hash_name] = digest(data)
                settled[bytes_name] = len(data)
            if KIND_OF[name] in capture:
                settled[name] = self.text(text)
        return settled

    def attributes(self, attributes: Mapping[str, Any], capture: Capture) -> dict[str, Any]:
        """Returns those of somebody else's attributes that may leave."""
        kept: dict[str, Any] = {}
        for name, value in attributes.items():
            kind = kind_of(name)
            if kind is None or _is_number(value) or name.startswith(self.kept_prefixes or " "):
                kept[name] = value
            elif kind in capture:
                kept[name] = self._redacted(value)
        return kept

    def _redacted(self, value: Any) -> Any:
        kind = type_of(value)
        if kind is str:
            return self.text(value)
        if issubclass(kind, Mapping):
            return {key: self._redacted(item) for key, item in value.items()}
        if issubclass(kind, (list, tuple)):
            return tuple(self._redacted(item) for item in value)
        return value

    def events(self, events: Iterable[Event], capture: Capture) -> list[Event]:
        """Returns events with what may leave of their attributes; what an agent says about itself always may."""
        return [Event(event.name, self._event(event, capture), event.timestamp) for event in events]

    def _event(self, event: Event, capture: Capture) -> dict[str, Any]:
        attributes = event.attributes or {}
        if event.name.startswith("loopwatch.") or event.name == names.EVALUATION_EVENT:
            return {name: self._redacted(value) for name, value in attributes.items()}
        return self.attributes(attributes, capture)

    def message(self, description: str | None, capture: Capture) -> str:
        """Returns a status's description as it may leave."""
        return self.text(description) if description and ERRORS in capture else ""


def _is_number(value: Any) -> bool:
    if type(value) in {list, tuple}:
        return all(isinstance(item, (int, float)) for item in value)
    return isinstance(value, (bool, int, float))


def cap(text: str, max_chars: int) -> str:
    """Cuts a text to a size, JSON inside its strings and lists so that it stays JSON.

    Args:
        text: any text.
        max_chars: what it may have.

    Returns:
        The text, or a shorter one with marks that say what was cut.
    """
    if len(text) <= max_chars:
        return text
    if text[:1] in {"{", "["} and len(text) <= _WORTH_PARSING * max_chars:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return cut_text(text, max_chars)
        for max_string in _SHORTER_STRINGS:
            shorter = json.dumps(_shortened(value, max_string), ensure_ascii=False, separators=(",", ":"))
            if len(shorter) <= max_chars:
                return shorter
    return cut_text(text, max_chars)


def _shortened(value: Any, max_string: int) -> Any:
    kind = type_of(value)
    if kind is str:
        return cut_text(value, max_string)
    if kind is dict:
        return {key: _shortened(item, max_string) for key, item in value.items()}
    if kind is list:
        return [_shortened(item, max_string) for item in value]
    return value
