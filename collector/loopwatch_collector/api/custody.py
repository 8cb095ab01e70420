"""Routes for the operator: deletions, backups and export."""

from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from loopwatch_collector.auth import Principal, require, require_to_change
from loopwatch_collector.backups import backup
from loopwatch_collector.export.parquet import parquet
from loopwatch_collector.queries.times import parse_range
from loopwatch_collector.retention import deletion

router: Final = APIRouter(prefix="/api/v1", tags=["operations"])
Admin = Annotated[Principal, Depends(require("admin"))]
Changer = Annotated[Principal, Depends(require_to_change("admin"))]
Reader = Annotated[Principal, Depends(require("read"))]


class DeletionRequest(BaseModel):
    """Whose data is to be deleted."""

    model_config = ConfigDict(extra="forbid")
    field: str = Field(description="conversation, customer or user")
    value: str = Field(description="its id", max_length=4096)


class BackupRequest(BaseModel):
    """Which backup is to be taken."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="", description="the backup's name; the time when empty", max_length=100)
    base: str = Field(default="", description="an earlier backup to continue; empty takes a whole one", max_length=100)


@router.post("/deletions", status_code=202)
def request_deletion(request: Request, admin: Changer, wanted: DeletionRequest) -> dict[str, Any]:
    """Deletes a conversation, a customer or a user; the answer comes before it is done."""
    return asdict(request.app.state.custodian.request(admin.project, wanted.field, wanted.value))


@router.get("/deletions")
def list_deletions(request: Request, admin: Admin) -> dict[str, Any]:
    """Lists the requests to delete, how far they are, and whether a count after a restart proved them."""
    found = deletion.requests(request.app.state.store.connection(), admin.project)
    return {"deletions": [asdict(one) for one in found]}


@router.post("/backups", status_code=201)
def take_backup(request: Request, admin: Changer, wanted: BackupRequest) -> dict[str, Any]:
    """Takes a backup of the embedded store, all projects included, and answers when it is complete."""
    return asdict(backup.take(request.app.state.store, request.app.state.backup_dir, wanted.name, wanted.base))


@router.get("/export/{table}", response_class=StreamingResponse)
def export_rows(
    request: Request,
    reader: Reader,
    table: Literal["spans", "runs", "contents"],
    from_: Annotated[str, Query(alias="from", description="start of the range: ISO 8601 or epoch ms, included")],
    to: Annotated[str, Query(description="end of the range: ISO 8601 or epoch ms, excluded")],
) -> StreamingResponse:
    """Returns the stored rows of a range as one Parquet file; contents are told apart by day only."""
    from_ns, to_ns = parse_range(from_, to)
    rows = parquet(request.app.state.store.connection(), table, reader.project, from_ns, to_ns)
    return StreamingResponse(rows, media_type="application/vnd.apache.parquet")


@router.get("/backups")
def list_backups(request: Request, admin: Admin) -> dict[str, Any]:
    """Lists the complete backups, the latest first."""
    return {"backups": [asdict(one) for one in backup.existing(request.app.state.backup_dir)]}
