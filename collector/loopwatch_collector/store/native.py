"""Rows as blocks of the engine's Native format, for the types our tables have.

The driver's own encoder takes any value of any type, at three times the cost. This one is for values that are already
what the column holds: whole numbers for times, days and versions, text or bytes for text, bytes for fixed strings.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from itertools import accumulate, chain
from typing import Any, Final, NamedTuple

from loopwatch_collector.store.errors import RowRefused
from loopwatch_collector.store.rows import Column

# A transposed block of this many rows stays in the processor's caches.
_BLOCK_ROWS: Final = 2_048
_NUMBERS: Final = {
    "UInt8": "B",
    "UInt32": "I",
    "UInt64": "Q",
    "Int64": "q",
    "Float64": "d",
    "Date": "H",
    "DateTime64(9, 'UTC')": "q",
}
_DICTIONARY_VERSION: Final = (1).to_bytes(8, "little")
_OWN_KEYS: Final = 1 << 9
_NEW_DICTIONARY: Final = 1 << 10
_FAULTS: Final = (TypeError, ValueError, OverflowError, ArithmeticError, AttributeError)


class _Writer(NamedTuple):
    """How a type is written: what stands before a column of it, and its values."""

    prefix: bytes
    values: Callable[[Sequence[Any]], bytes]


class Block(NamedTuple):
    """Rows by column, without the columns none of them says anything in.

    Writing a column of nothing but zeros or empty texts costs as much as any other; left out, the engine fills it.
    Two thirds of the columns of spans are such in a usual batch.

    Attributes:
        columns: those that are written.
        parts: their values, some rows at a time.
    """

    columns: list[Column]
    parts: list[list[Sequence[Any]]]

    def encoded(self) -> Iterator[bytes]:
        """The block in Native format, in pieces.

        Raises:
            RowRefused: a value is not of its column's type.
        """
        for part in self.parts:
            yield _varint(len(self.columns)) + _varint(len(part[0]))
            for column, values in zip(self.columns, part, strict=True):
                writer = _writer(column.clickhouse_type)
                yield _sized(column.name) + _sized(column.clickhouse_type) + writer.prefix
                try:
                    written = writer.values(values)
                except _FAULTS as fault:
                    raise RowRefused(f"a value is none of {column.name}'s {column.clickhouse_type}: {fault}") from fault
                yield written


def block_of(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Block:
    """Turns rows into columns.

    Args:
        columns: what the values are for, in order.
        rows: at least one.
    """
    parts = [list(zip(*rows[start : start + _BLOCK_ROWS], strict=True)) for start in range(0, len(rows), _BLOCK_ROWS)]
    said = [i for i, column in enumerate(columns) if not all(_is_empty(column, part[i]) for part in parts)] or [0]
    return Block([columns[i] for i in said], [[part[i] for i in said] for part in parts])


def _is_empty(column: Column, values: Sequence[Any]) -> bool:
    default = column.default
    is_zero = not default or (isinstance(default, bytes) and not any(default))
    return is_zero and values[0] == default and values.count(default) == len(values)


@lru_cache(maxsize=256)
def _writer(clickhouse_type: str) -> _Writer:
    if clickhouse_type in _NUMBERS:
        return _Writer(b"", partial(_numbers, _NUMBERS[clickhouse_type]))
    if clickhouse_type == "String":
        return _Writer(b"", _texts)
    name, _, inner = clickhouse_type.removesuffix(")").partition("(")
    if name == "LowCardinality" and inner == "String":
        return _Writer(_DICTIONARY_VERSION, _dictionary)
    if name == "FixedString":
        return _Writer(b"", partial(_fixed, int(inner)))
    if name == "Decimal" and int(inner.partition(",")[0]) <= 18:  # 18 digits fit 64 bits
        return _Writer(b"", partial(_decimals, Decimal(10) ** int(inner.partition(",")[2])))
    return _composite(name, inner)


def _composite(name: str, inner: str) -> _Writer:
    if name == "SimpleAggregateFunction":
        return _writer(inner.partition(", ")[2])
    if name == "Nullable":
        return _Writer(b"", partial(_nullable, _writer(inner)))
    if name == "Array":
        return _Writer(_writer(inner).prefix, partial(_arrays, _writer(inner)))
    if name == "Map":
        key_type, _, value_type = inner.partition(", ")
        keys, mapped = _writer(key_type), _writer(value_type)
        return _Writer(keys.prefix + mapped.prefix, partial(_maps, keys, mapped))
    raise LookupError(f"no writer for the type {name}({inner})")


class _Keys(dict[Any, int]):
    """Numbers texts in the order they come."""

    def __missing__(self, text: Any) -> int:
        key = self[text] = len(self)
        return key


def _texts(values: Sequence[Any]) -> bytes:
    if values and isinstance(values[0], bytes):
        return b"".join(chain.from_iterable(zip(map(_varint, map(len, values)), values, strict=True)))
    # Ids, hashes and the like are short and ASCII: all of them at once, each length being a character too.
    if max(map(len, values), default=0) < _LONG:
        joined = "".join(chain.from_iterable(zip(map(chr, map(len, values)), values, strict=True)))
        if joined.isascii():
            return joined.encode()
    return b"".join(map(_sized, values))


def _dictionary(values: Sequence[Any]) -> bytes:
    if not values:
        return b""
    known = _Keys()
    keys = list(map(known.__getitem__, values))
    width = 0 if len(known) <= 2**8 else 1 if len(known) <= 2**16 else 2
    packed = bytes(keys) if width == 0 else array("HI"[width - 1], keys).tobytes()
    head = (_OWN_KEYS | _NEW_DICTIONARY | width).to_bytes(8, "little") + len(known).to_bytes(8, "little")
    return b"".join((head, b"".join(map(_sized, known)), len(keys).to_bytes(8, "little"), packed))


def _numbers(code: str, values: Sequence[Any]) -> bytes:
    return array(code, values).tobytes()


def _decimals(scale: Decimal, values: Sequence[Any]) -> bytes:
    return array("q", [int(value * scale) if value else 0 for value in values]).tobytes()


def _fixed(size: int, values: Sequence[bytes]) -> bytes:
    if values and set(map(len, values)) != {size}:
        raise ValueError(f"not {size} bytes")
    return b"".join(values)


def _nullable(element: _Writer, values: Sequence[Any]) -> bytes:
    missing = bytes([value is None for value in values])
    return missing + element.values([0 if value is None else value for value in values])


def _arrays(element: _Writer, values: Sequence[Sequence[Any]]) -> bytes:
    return _offsets(values) + element.values(list(chain.from_iterable(values)))


def _maps(keys: _Writer, mapped: _Writer, values: Sequence[dict[Any, Any]]) -> bytes:
    names = list(chain.from_iterable(values))
    texts = list(chain.from_iterable([value.values() for value in values]))
    return _offsets(values) + keys.values(names) + mapped.values(texts)


def _offsets(values: Sequence[Any]) -> bytes:
    return array("Q", accumulate(map(len, values))).tobytes()


def _sized(text: Any) -> bytes:
    raw: bytes = text if isinstance(text, bytes) else text.encode()
    return _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    if number < _LONG:
        return _SHORT[number]
    if number < _LONG * _LONG:  # most texts that are not short
        return bytes((number & 0x7F | 0x80, number >> 7))
    out = bytearray()
    while number >= _LONG:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_LONG: Final = 0x80  # a length from here on takes more than one byte
_SHORT: Final = tuple(bytes((number,)) for number in range(_LONG))
