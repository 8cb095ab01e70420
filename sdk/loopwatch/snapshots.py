"""A value as it was when it was seen, taken cheaply on the caller's thread and spelled out on ours.

Arguments and results may be changed by the agent the moment after, so they are copied at once; but the
JSON, the hash and the redaction they need can wait for the exporter's thread. `marshal` copies plain
data (None, numbers, text, lists, dicts) about six times faster than JSON spells it. Version 2 of its format
is used because later ones depend on reference counts, so that equal values would differ. The bytes never leave the
process.
"""

import json
import marshal
from collections.abc import Callable, Mapping
from typing import Any, Final

MARSHAL_VERSION: Final = 2
type_of: Callable[[Any], type[Any]] = type
"""The built-in, typed so that looking at a value's type does not narrow what may be done with the value."""
_SMALL: Final = frozenset({str, int, float, bool, type(None)})
_SEQUENCES: Final = frozenset({list, tuple, set, frozenset})
_CONTAINERS: Final = frozenset({list, dict})
_SIZED: Final = frozenset({str, bytes, bytearray, list, dict})
MAX_TEXT: Final = 1_000_000
"""Characters of one string that are looked at; of a longer one the head is kept, with a mark."""
MAX_ITEMS: Final = 10_000
"""Items of one container that are looked at."""
MAX_DEPTH: Final = 40


class Packed(bytes):
    """Plain data packed by marshal; equal values have equal bytes. Nothing the garbage collector has to look at."""

    __slots__ = ()


Snapshot = str | int | float | bool | None | bytes
"""An immutable stand-in for a value: itself where it is small and immutable, else `Packed`."""


def cut_text(text: str, max_chars: int) -> str:
    """Returns the text, or its head and a mark that says how much is missing."""
    if len(text) <= max_chars:
        return text
    return f"{text[:max_chars]}… [cut by loopwatch: {len(text) - max_chars} of {len(text)} characters]"


def take(value: Any) -> Snapshot:
    """Copies a value as it is now. Never raises for a value of any kind, and never runs long.

    Args:
        value: any object.

    Returns:
        The value itself if it is small and immutable; else its packed copy, in which objects that are not
        plain data are replaced by a description.
    """
    kind = type_of(value)
    if kind in _SMALL:
        return cut_text(value, MAX_TEXT) if kind is str and len(value) > MAX_TEXT else value
    if (kind is dict or kind in _SEQUENCES) and not _is_oversized(value.values() if kind is dict else value):
        try:
            return Packed(marshal.dumps(value, MARSHAL_VERSION))
        except ValueError:
            pass
    return Packed(marshal.dumps(_plain(value, 0, [MAX_ITEMS]), MARSHAL_VERSION))


def _is_oversized(items: Any) -> bool:
    """Whether copying could take long, judged at the surface: nested giants are caught by the exporter's cap."""
    if len(items) > MAX_ITEMS:
        return True
    for item in items:
        if type(item) in _SIZED and len(item) > MAX_ITEMS and (len(item) > MAX_TEXT or type(item) in _CONTAINERS):
            return True
    return False


def _plain(value: Any, depth: int, budget: list[int]) -> Any:
    """Rebuilds a value of plain data, describing what is not; `budget` counts down over the whole value."""
    budget[0] -= 1
    if type(value) in _SMALL:
        return cut_text(value, MAX_TEXT) if type(value) is str else value
    if budget[0] < 0:
        return "… [cut by loopwatch: too many items]"
    if depth >= MAX_DEPTH:
        return "… [cut by loopwatch: nested too deeply]"
    try:
        return _plain_object(value, depth, budget)
    except Exception as fault:  # noqa: BLE001 - the object is the host's and may do anything when looked at
        return f"<{type(value).__name__}: cannot be described ({type(fault).__name__})>"


def _plain_object(value: Any, depth: int, budget: list[int]) -> Any:
    kind = type_of(value)
    if issubclass(kind, str):
        return cut_text(str.__str__(value), MAX_TEXT)
    if issubclass(kind, (int, float)):
        return int(value) if issubclass(kind, int) else float(value)
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if issubclass(kind, Mapping):
        return _plain_mapping(value, depth, budget)
    if issubclass(kind, (list, tuple, set, frozenset)):
        return _plain_items(value, depth, budget)
    return _described(value, depth, budget)


def _plain_mapping(value: Mapping[Any, Any], depth: int, budget: list[int]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key in value:
        if budget[0] <= 0:
            plain["…"] = f"[cut by loopwatch: {len(value)} items]"
            break
        plain[str(_plain(key, MAX_DEPTH - 1, budget))] = _plain(value[key], depth + 1, budget)
    return plain


def _plain_items(value: Any, depth: int, budget: list[int]) -> list[Any]:
    plain: list[Any] = []
    for item in value:
        if budget[0] <= 0:
            plain.append(f"… [cut by loopwatch: {len(value)} items]")
            break
        plain.append(_plain(item, depth + 1, budget))
    return plain


def _described(value: Any, depth: int, budget: list[int]) -> Any:
    kind = type_of(value)
    dump = getattr(kind, "model_dump", None)  # pydantic, and the Anthropic client's own types
    if dump is not None:
        return _plain(dump(value), depth + 1, budget)
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        return _plain({name: getattr(value, name, None) for name in fields}, depth + 1, budget)
    if kind.__repr__ is object.__repr__:
        return f"<{kind.__name__}>"
    return cut_text(repr(value), 1_000)


def size(snapshot: Snapshot) -> int:
    """Returns the UTF-8 bytes of what `as_text` would spell out; exact where it is small, else a lower bound."""
    if isinstance(snapshot, bytes) and len(snapshot) > 1_000:
        return len(snapshot) // 10  # marshal takes at most 5 bytes more than JSON per item
    return len(as_text(snapshot).encode("utf-8", "replace"))


def identity(snapshot: Snapshot) -> object:
    """Returns a hashable value that is equal for equal snapshots, within this process."""
    return snapshot if isinstance(snapshot, bytes) else (type(snapshot), snapshot)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=repr).encode


def as_text(snapshot: Snapshot) -> str:
    """Spells a snapshot out: text as it is, everything else as JSON.

    Args:
        snapshot: what `take` returned.

    Returns:
        The text. Infinite numbers, which JSON lacks, are spelled as strings.
    """
    if type(snapshot) is str:
        return snapshot
    value = marshal.loads(snapshot) if isinstance(snapshot, bytes) else snapshot  # noqa: S302 - our own bytes, made above in this process
    try:
        return _strict_json(value)
    except ValueError:
        return _encode(_plain(_finite(value), 0, [MAX_ITEMS]))
    except TypeError:
        return _encode(_plain(value, 0, [MAX_ITEMS]))


_strict_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _finite(value: Any) -> Any:
    kind = type_of(value)
    if kind is float:
        return value if value - value == 0 else str(value)
    if kind is dict:
        return {key: _finite(item) for key, item in value.items()}
    if kind in _SEQUENCES:
        return [_finite(item) for item in value]
    return value
