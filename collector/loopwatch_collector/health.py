"""What the collector says of itself: alive, ready, its metrics, and its state as one document."""

import os
import stat
import time
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import State

from loopwatch_collector.auth import Principal, require
from loopwatch_collector.counted import counted
from loopwatch_collector.errors import CollectorError, RequestRefused
from loopwatch_collector.metrics import SenderMetrics
from loopwatch_collector.project_counts import ProjectCounts
from loopwatch_collector.settings import VARIABLES, Settings
from loopwatch_collector.write.senders import Sender, SenderKey

router: Final = APIRouter()
_LAGGING_S: Final = 60
_LISTED_SENDERS: Final = 100
_LISTED_GAPS: Final = 100


@router.get("/healthz", tags=["health"], summary="The process is up")
async def healthz() -> dict[str, str]:
    """Answers as long as the process does."""
    return {"status": "ok"}


@router.get("/readyz", tags=["health"], summary="It can receive and write", response_model=None)
def readyz(request: Request) -> Response:
    """200 when requests are taken and written, 503 with the reasons when not."""
    faults = faults_of(request.app.state)
    return JSONResponse({"status": "not ready" if faults else "ready", "faults": faults}, 503 if faults else 200)


@router.get("/metrics", tags=["health"], summary="Prometheus metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """The collector's metrics in Prometheus' text format; with a key also its project's alerts and senders."""
    state = request.app.state
    state.journal.observe()
    project = _project_of(request)
    senders = _sender_metrics([(key, sender) for key, sender in state.senders.list() if key[0] == project])
    text = state.metrics.exposition(project) + senders.exposition()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/api/v1/system", tags=["health"])
async def system(request: Request, reader: Annotated[Principal, Depends(require("read"))]) -> dict[str, Any]:
    """The collector's state: what it holds, what came and what is missing, and how it is set up.

    What came, and its senders, are the reader's own project's; the journal, disk and store are everybody's. Settings
    are for admins.
    """
    return await run_in_threadpool(_system, request.app.state, reader)


def faults_of(state: State) -> list[str]:
    """Why the collector cannot do its work, each a sentence that says what to do."""
    faults: list[str] = []
    if state.writer.fault:
        faults.append(state.writer.fault)
    if state.journal.free_bytes() < state.settings.min_free_bytes:
        faults.append("the disk is nearly full: free some space, nothing is taken until then")
    try:
        state.store.ping()
    except CollectorError as fault:
        faults.append(f"the store does not answer: {fault}")
    return faults


def _project_of(request: Request) -> str | None:
    """Whose senders may be shown; None for those who come without a key, as scrapers do."""
    try:
        return require("read")(request).project
    except RequestRefused:
        return None


def _sender_metrics(senders: Sequence[tuple[SenderKey, Sender]]) -> SenderMetrics:
    to = SenderMetrics()
    gaps = sorted(((sender.missing, key) for key, sender in senders if sender.missing), reverse=True)
    for count, key in gaps[:_LISTED_GAPS]:
        to.sequence_gaps.labels(*key).set(count)
    for (project, _, _), sender in senders:
        for reason, count in sender.dropped.items():
            to.sdk_dropped_spans.labels(project, reason).inc(count)
    return to


def _system(state: State, reader: Principal) -> dict[str, Any]:
    settings: Settings = state.settings
    journal = state.journal.backlog()
    reasons = faults_of(state)
    if journal.lag_s > _LAGGING_S:
        reasons.append(f"the oldest record has waited {journal.lag_s:.0f} s for the store")
    senders: list[tuple[SenderKey, Sender]] = state.senders.list()
    own = [(key, sender) for key, sender in senders if key[0] == reader.project]
    counts: ProjectCounts = state.metrics.by_project
    counted = counts.of(reader.project)
    return {
        "status": "degraded" if reasons else "ok",
        "reasons": reasons,
        "version": version("loopwatch"),
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(state.started_at_s)),
        "uptime_s": round(time.time() - state.started_at_s, 1),
        "store": _store(state, settings),
        "data_dir": str(settings.data_dir),
        "free_disk_bytes": state.journal.free_bytes(),
        "min_free_bytes": settings.min_free_bytes,
        "retention_days": settings.retention_days,
        "first_kept_day": settings.retention.first_day("runs", reader.project, datetime.now(UTC).date()).isoformat(),
        "journal": journal._asdict(),
        "received": {
            "spans": counted["received_spans"],
            "rejected": counts.rejected(reader.project, "traces"),
            "rejected_log_records": counts.rejected(reader.project, "logs"),
            "rejected_points": counts.rejected(reader.project, "metrics"),
        },
        **{name: counted[name] for name in ("acknowledged_spans", "written_spans", "duplicate_spans", "dead_letters")},
        "senders": [_shown(key, sender) for key, sender in own[:_LISTED_SENDERS]],
        "sender_processes": len(own),
        **({"settings": _settings(settings)} if reader.role == "admin" else {}),
    }


def _store(state: State, settings: Settings) -> dict[str, Any]:
    if not state.store.embedded:
        address = settings.dsn.rpartition("@")[2]  # without user and password
        return {"engine": "server", "dsn": f"clickhouse://{address}"}
    folder = Path(settings.dsn.removeprefix("chdb://"))
    return {"engine": "embedded", "dsn": settings.dsn, "disk_bytes": _stored_bytes(folder)}


def _stored_bytes(folder: Path) -> int:
    size = 0
    for parent, _, names in os.walk(folder):  # passes over folders that vanish meanwhile
        for name in names:
            try:
                found = os.lstat(os.path.join(parent, name))  # noqa: PTH118  # thousands of files at each look
            except OSError:
                continue  # merged away while we looked
            size += found.st_blocks * 512 if stat.S_ISREG(found.st_mode) else 0
    return size


def _shown(key: SenderKey, sender: Sender) -> dict[str, Any]:
    return {
        "service": key[1],
        "process_id": key[2],
        "last_seen": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(sender.last_seen_ns / 1e9)),
        "spans_stored": sender.spans,
        "dropped": sender.dropped,
        "gaps": sender.missing,
    }


def _settings(settings: Settings) -> list[dict[str, str]]:
    defaults = {entry.name: entry.default for entry in fields(Settings)}
    return [
        {
            "name": variable.name,
            "value": _masked(name, getattr(settings, name)),
            "source": "default" if getattr(settings, name) == defaults.get(name) else "set",
        }
        for name, variable in VARIABLES.items()
    ]


def _masked(name: str, value: Any) -> str:
    if name == "keys":
        return counted(len(value), "key") if value else "none"
    if name == "dsn" and "@" in value:
        return f"clickhouse://***@{value.rpartition('@')[2]}"
    return "" if value is None else str(value)
