"""One attribute of a span, from its bytes: which field of ours it fills, and with what.

Agents say the same few things over and over (who they are, which model, which tool), so what short attributes mean is
remembered by their bytes: a look-up instead of parsing.
"""

from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from loopwatch_collector.write import values
from loopwatch_collector.write.aliases import Aliases, aliases_of

NO_FIELD: Final = -1
REMEMBERED_BYTES: Final = 96
"""Attributes up to this length are remembered; longer ones hardly repeat."""

MAX_TEXT_CHARS: Final = 32_768
_MAX_REMEMBERED: Final = 20_000

Reading = tuple[int, int, Any, str, str]
"""Slot and rank of the field (see Alias), its value, and the attribute's key and text.

Where no field holds the attribute the slot is NO_FIELD; where its value is not of the field's type the value is None.
In these two cases key and text are what the row's own attributes keep; otherwise the text is left empty.
"""


class Readings(dict[bytes, Reading]):
    """What attributes mean in one dialect, by their bytes: a KeyValue on the wire.

    Args:
        aliases: the alias table as that dialect reads it.
    """

    def __init__(self, aliases: Aliases) -> None:
        super().__init__()
        self._aliases = aliases

    def __missing__(self, raw: bytes) -> Reading:
        reading = self.read(raw)
        if not isinstance(reading[2], list | dict):  # these are built further, row by row
            if len(self) >= _MAX_REMEMBERED:  # the ones that matter are back at once
                self.clear()
            self[raw] = reading
        return reading

    def read(self, raw: bytes) -> Reading:
        """Reads an attribute, without remembering it.

        Args:
            raw: the attribute.

        Raises:
            DecodeError: it is no KeyValue.
            UnicodeDecodeError: its text is not UTF-8.
        """
        key, text_at = _key_and_text(raw)
        if text_at:
            alias = self._aliases[key]
            if alias is None:
                return _unread(NO_FIELD, 0, key, raw[text_at:].decode())
            # Nearly all there is: read here, without protobuf's objects.
            slot, rank, read = alias
            if read is values.content:
                return slot, rank, raw[text_at:], key, ""
            if read is values.text:
                return slot, rank, raw[text_at:].decode()[: values.MAX_TEXT_CHARS], key, ""
        return self._read_value(KeyValue.FromString(raw))

    def _read_value(self, pair: Any) -> Reading:
        key, value = pair.key, pair.value
        alias = self._aliases[key]
        if alias is None:
            return _unread(NO_FIELD, 0, key, values.attribute_text(value))
        slot, rank, read = alias
        found = read(value)
        if found is None and rank >= 0:
            return _unread(slot, rank, key, values.attribute_text(value))
        return slot, rank, found, key, ""


def _unread(slot: int, rank: int, key: str, text: str) -> Reading:
    return slot, rank, None, key[: values.MAX_TEXT_CHARS], text[:MAX_TEXT_CHARS]


_MADE: Final[dict[str, Readings]] = {}


def readings_of(dialect: str) -> Readings:
    """What attributes mean in one dialect."""
    found = _MADE.get(dialect)
    if found is None:
        found = _MADE[dialect] = Readings(aliases_of(dialect))
    return found


_KEY: Final = 0x0A  # field 1, length-delimited
_VALUE: Final = 0x12  # field 2, length-delimited
_STRING: Final = 0x0A  # field 1 of AnyValue


def _key_and_text(raw: bytes) -> tuple[str, int]:
    """The key of an attribute as every encoder writes one whose value is a text, and where that starts; else 0."""
    try:
        key_end = 2 + raw[1]
        if raw[0] != _KEY or key_end >= 0x82 or raw[key_end] != _VALUE:
            return "", 0
        size, at = raw[key_end + 1], key_end + 2
        if size >= 0x80:
            size, at = _long_varint(raw, at - 1)
        if at + size != len(raw) or raw[at] != _STRING:
            return "", 0
        size, at = raw[at + 1], at + 2
        if size >= 0x80:
            size, at = _long_varint(raw, at - 1)
    except IndexError:
        return "", 0
    if not size or at + size != len(raw):
        return "", 0
    return raw[2:key_end].decode(), at


def _long_varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number of at least two bytes and where it ends."""
    part = raw[at + 1]
    number = raw[at] & 0x7F | (part & 0x7F) << 7
    at += 2
    shift = 14
    while part >= 0x80:
        part = raw[at]
        at += 1
        number |= (part & 0x7F) << shift
        shift += 7
    return number, at
