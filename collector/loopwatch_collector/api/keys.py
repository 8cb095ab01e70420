"""Routes that tell what a key may do and what keys were used for; a key itself is never in an answer."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from loopwatch_collector.auth import KnownKey, Principal, require
from loopwatch_collector.key_use import fingerprint

router: Final = APIRouter(prefix="/api/v1", tags=["operations"])


class UsedKey(BaseModel):
    """One key, and what it was used for since the collector started."""

    fingerprint: str = Field(description="a mark to know the key by, always the same; the key cannot be told from it")
    project: str
    role: str = Field(description="ingest, read or admin")
    last_used_at: datetime | None = Field(description="when its last request came; null for never")
    requests: int = Field(description="requests that came with it")
    refused_requests: int = Field(description="of these, refused: by its role, its body, or for want of room")
    accepted_spans: int = Field(description="spans acknowledged")
    rejected_spans: int = Field(description="spans of readable requests that were not taken")


class UsedKeys(BaseModel):
    """The keys of a project."""

    since: datetime = Field(description="when the collector started: counts begin there")
    keys: list[UsedKey] = Field(description="in the order of LOOPWATCH_KEYS; empty where there are none")
    unknown_requests: int = Field(description="requests with no key or an unknown one, whoever they meant")


class Access(BaseModel):
    """What the key of a request stands for."""

    project: str
    role: str = Field(description="read or admin; admin for everybody where there are no keys")


@router.get("/access")
def show_access(reader: Annotated[Principal, Depends(require("read"))]) -> Access:
    """Tells the project and the role of the key that came with the request, for pages that offer what it may do."""
    return Access(project=reader.project, role=reader.role)


@router.get("/keys")
def list_keys(request: Request, admin: Annotated[Principal, Depends(require("admin"))]) -> UsedKeys:
    """Lists the keys of the project by fingerprint and role, with their last use and what they brought."""
    keyring = request.app.state.keyring
    return UsedKeys(
        since=datetime.fromtimestamp(int(request.app.state.started_at_s), UTC),
        keys=[_shown(known) for known in keyring.known if known.principal.project == admin.project],
        unknown_requests=keyring.unknown.requests,
    )


def _shown(known: KnownKey) -> UsedKey:
    use = known.principal.use
    return UsedKey(
        fingerprint=fingerprint(known.secret),
        project=known.principal.project,
        role=known.principal.role,
        last_used_at=datetime.fromtimestamp(use.last_used_ns // 10**9, UTC) if use.last_used_ns else None,
        requests=use.requests,
        refused_requests=use.refused_requests,
        accepted_spans=use.accepted_spans,
        rejected_spans=use.rejected_spans,
    )
