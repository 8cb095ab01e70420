"""Rows as one Parquet file, read and written slice by slice so that its size does not matter."""

# pyarrow ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownParameterType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

import io
from collections.abc import Generator, Iterator
from datetime import date, timedelta
from importlib import resources
from typing import Final

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from loopwatch_collector.retention.sweep import stored_partitions
from loopwatch_collector.store.client import Connection

TABLES: Final = ("spans", "runs", "contents")
_SLICE_NS: Final = timedelta(hours=1) // timedelta(microseconds=1) * 1_000
_DAY_NS: Final = 24 * _SLICE_NS
_EPOCH: Final = date(1970, 1, 1)
_SETTINGS: Final = {"output_format_arrow_string_as_string": 1, "max_execution_time": 120}


class _Outbox(io.RawIOBase):
    """What the Parquet writer wrote since it was last emptied."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Always: the parts are kept in memory until they are taken."""
        return True

    def write(self, part: object) -> int:
        """Keeps one part."""
        data = bytes(part)  # pyright: ignore[reportArgumentType]  # the writer passes buffers
        self._parts.append(data)
        return len(data)

    def take(self) -> bytes:
        """Everything since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def parquet(connection: Connection, table: str, project: str, from_ns: int, to_ns: int) -> Generator[bytes]:
    """The rows of one project and range.

    Args:
        connection: this thread's.
        table: one of `TABLES`.
        project: whose rows.
        from_ns: start of the range, ns since the epoch, included.
        to_ns: its end, excluded.

    Yields:
        The bytes of one Parquet file; a range without rows is a file without rows.
    """
    outbox = _Outbox()
    # An empty slice first: it knows the columns, whatever is stored.
    writer = pq.ParquetWriter(outbox, _rows(connection, table, project, from_ns, from_ns).schema, compression="zstd")
    for start_ns, end_ns in _slices(connection, table, project, from_ns, to_ns):
        rows = _rows(connection, table, project, start_ns, end_ns)
        if rows.num_rows:
            writer.write_table(rows)
            yield outbox.take()
    writer.close()
    yield outbox.take()


def _slices(connection: Connection, table: str, project: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, int]]:
    """The stored hours of the range, or its stored days where rows have no time of their own."""
    step_ns = _DAY_NS if table == "contents" else _SLICE_NS
    for partition in stored_partitions(connection):
        if (partition.table, partition.project) != (table, project):
            continue
        day_ns = (partition.day - _EPOCH).days * _DAY_NS
        for start_ns in range(day_ns, day_ns + _DAY_NS, step_ns):
            if start_ns < to_ns and start_ns + step_ns > from_ns:
                yield max(start_ns, from_ns), min(start_ns + step_ns, to_ns)


def _rows(connection: Connection, table: str, project: str, from_ns: int, to_ns: int) -> pa.Table:
    sql = (resources.files("loopwatch_collector.export") / "sql" / f"{table}.sql").read_text(encoding="utf-8")
    parameters = {"project": project, "from_ns": from_ns, "to_ns": to_ns}
    with ipc.open_stream(connection.raw(sql, parameters, _SETTINGS, "ArrowStream")) as reader:
        return reader.read_all()
