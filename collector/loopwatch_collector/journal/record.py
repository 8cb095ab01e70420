"""One acknowledged request, as the journal keeps it."""

from typing import NamedTuple


class Record(NamedTuple):
    """One request body of one project.

    Attributes:
        kind: traces, logs or metrics.
        project: whose it is.
        received_at_ns: when it arrived, ns since the epoch; rises strictly from record to record.
        encoding: "" or "gzip": how the body is compressed.
        items: how many spans, log records or data points the body holds.
        body: an OTLP export request in protobuf, compressed as it came.
        raw: the body decompressed, when this process has it; None after a restart.
        id: its place in the journal; 0 before it is appended.
        memory_bytes: what the decoded body needs in memory, estimated; 0 when nobody estimated it.
        damage: why the body is not what was written; "" for a sound record.
    """

    kind: str
    project: str
    received_at_ns: int
    encoding: str
    items: int
    body: bytes
    raw: bytes | None = None
    id: int = 0
    memory_bytes: int = 0
    damage: str = ""
