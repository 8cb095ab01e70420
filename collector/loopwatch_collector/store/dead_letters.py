"""Dead letters: what the engine or the decoder refused, kept until somebody looks at it and sends it on again."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from loopwatch_collector.errors import NotFound
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.statements import statement


class DeadLetter(NamedTuple):
    """One body that was set aside.

    Attributes:
        id: SHA-256 of the body, hex.
        kind: traces, logs or metrics.
        received_at_ns: when it was received, ns since the epoch.
        reason: why it was refused.
        body_bytes: its size.
        redriven_at: when it was last sent on again; None while it waits.
        body: the export request, perhaps compressed as it came; empty in a list.
    """

    id: str
    kind: str
    received_at_ns: int
    reason: str
    body_bytes: int
    redriven_at: datetime | None
    body: bytes = b""


def list_letters(connection: Connection, project: str, *, with_redriven: bool, limit: int) -> list[DeadLetter]:
    """Returns a project's letters without their bodies, the latest first.

    Args:
        connection: this thread's.
        project: whose.
        with_redriven: those that were sent on again too.
        limit: at most so many.
    """
    parameters = {"project": project, "with_redriven": int(with_redriven), "limit": limit}
    return [_letter(found) for found in connection.records(statement("dead_letters"), parameters)]


def find_letter(connection: Connection, project: str, letter_id: str) -> DeadLetter:
    """Returns one letter with its body.

    Args:
        connection: this thread's.
        project: whose.
        letter_id: its id, or the beginning of it.

    Raises:
        NotFound: the project has none of that id.
    """
    found = connection.records(statement("dead_letter"), {"project": project, "id": letter_id})
    if not letter_id or not found:
        raise NotFound(f"there is no dead letter '{letter_id[:64]}'; list them to see their ids")
    return _letter(found[0], base64.b64decode(found[0]["body_base64"]))


def note_redriven(connection: Connection, project: str, letter_id: str) -> None:
    """Notes that a letter was sent on again.

    Args:
        connection: this thread's.
        project: whose.
        letter_id: its whole id.
    """
    connection.run(statement("note_redriven"), {"project": project, "id": letter_id})


def _letter(found: Mapping[str, Any], body: bytes = b"") -> DeadLetter:
    return DeadLetter(
        found["id"],
        found["kind"],
        found["received_at_ns"],
        found["reason"],
        found["body_bytes"],
        found["redriven_at"],
        body,
    )
