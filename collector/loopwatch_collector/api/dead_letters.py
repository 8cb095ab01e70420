"""Dead letters for the operator: which there are, what is in them, and once more through the pipeline."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from google.protobuf.json_format import MessageToDict

from loopwatch_collector.auth import Principal, require, require_to_change
from loopwatch_collector.journal.record import Record
from loopwatch_collector.queries.times import format_time
from loopwatch_collector.store.dead_letters import DeadLetter, find_letter, list_letters, note_redriven
from loopwatch_collector.write.decode import request_of
from loopwatch_collector.write.errors import Undecodable

router: Final = APIRouter(prefix="/api/v1/dead-letters", tags=["operations"])
Admin = Annotated[Principal, Depends(require("admin"))]
ChangingAdmin = Annotated[Principal, Depends(require_to_change("admin"))]
_GZIP_MAGIC: Final = b"\x1f\x8b"  # no protobuf message begins like that
_COMMIT_DEADLINE_S: Final = 30.0


@router.get("")
def list_dead_letters(
    request: Request,
    admin: Admin,
    redriven: Annotated[bool, Query(description="also those that were sent on again")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Lists what was acknowledged and could not be stored, the latest first."""
    letters = list_letters(request.app.state.store.connection(), admin.project, with_redriven=redriven, limit=limit)
    return {"dead_letters": [_shown(letter) for letter in letters]}


@router.get("/{letter_id}")
def show_dead_letter(request: Request, admin: Admin, letter_id: str) -> dict[str, Any]:
    """Returns one letter with what is in it, by its id or the beginning of it."""
    letter = find_letter(request.app.state.store.connection(), admin.project, letter_id)
    return {**_shown(letter), "content": _content(letter, admin.project)}


@router.post("/{letter_id}/redrive", status_code=202)
def redrive_dead_letter(request: Request, admin: ChangingAdmin, letter_id: str) -> dict[str, Any]:
    """Sends a letter through the pipeline again; what is refused once more becomes a new letter."""
    connection = request.app.state.store.connection()
    letter = find_letter(connection, admin.project, letter_id)
    request.app.state.journal.append(_record(letter, admin.project)).result(_COMMIT_DEADLINE_S)
    note_redriven(connection, admin.project, letter.id)
    return {"id": letter.id, "redriven": True}


def _shown(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "kind": letter.kind,
        "received_at": format_time(letter.received_at_ns),
        "reason": letter.reason,
        "body_bytes": letter.body_bytes,
        "redriven_at": None if letter.redriven_at is None else letter.redriven_at.isoformat(),
    }


def _content(letter: DeadLetter, project: str) -> dict[str, Any] | None:
    """The request as JSON; None when it does not decode, which the reason then says."""
    try:
        return MessageToDict(request_of(_record(letter, project)))
    except Undecodable:
        return None


def _record(letter: DeadLetter, project: str) -> Record:
    encoding = "gzip" if letter.body.startswith(_GZIP_MAGIC) else ""
    return Record(letter.kind, project, letter.received_at_ns, encoding, 1, letter.body)
