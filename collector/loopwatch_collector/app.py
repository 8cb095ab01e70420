"""The collector as one ASGI application."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from loopwatch_collector.alerts.errors import InvalidRule
from loopwatch_collector.alerts.routes import answer_invalid_rule
from loopwatch_collector.alerts.routes import router as alerts_router
from loopwatch_collector.api.custody import router as custody_router
from loopwatch_collector.api.dead_letters import router as dead_letters_router
from loopwatch_collector.api.routes import router as api_router
from loopwatch_collector.auth import Keyring
from loopwatch_collector.errors import CollectorError
from loopwatch_collector.journal.journal import Journal
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.receive import status
from loopwatch_collector.receive.receiver import Receiver
from loopwatch_collector.receive.routes import OTLP_PATHS
from loopwatch_collector.receive.routes import router as receive_router
from loopwatch_collector.settings import Settings
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.writer import Writer


def create_app(
    settings: Settings, *, journal: Journal, store: Store, pricer: Pricer, writer: Writer, metrics: Metrics
) -> FastAPI:
    """Assembles the routes around the parts that were opened.

    Args:
        settings: the caps and keys.
        journal: what was acknowledged and is not in the store yet.
        store: what the API reads.
        pricer: the prices the API shows.
        writer: asked whether it is alive.
        metrics: what `/metrics` shows.
    """
    app = FastAPI(title="Loopwatch collector", version="0.1.0", redoc_url=None)
    app.state.settings = settings
    app.state.journal = journal
    app.state.store = store
    app.state.pricer = pricer
    app.state.writer = writer
    app.state.metrics = metrics
    app.state.keyring = Keyring(settings.keys)
    app.state.receiver = Receiver(settings, journal, metrics)
    app.include_router(receive_router)
    app.include_router(api_router)
    app.include_router(custody_router)
    app.include_router(dead_letters_router)
    app.include_router(alerts_router)
    _add_health(app)
    app.add_exception_handler(CollectorError, _answer)
    app.add_exception_handler(InvalidRule, answer_invalid_rule)
    return app


async def _answer(request: Request, error: Exception) -> Response:
    if not isinstance(error, CollectorError):
        raise error
    if request.url.path in OTLP_PATHS:
        return status.refused(error, status.media_type_of(request.headers.get("content-type")))
    headers = {} if error.retry_after_s is None else {"retry-after": str(error.retry_after_s)}
    return JSONResponse({"error": {"code": error.code, "message": str(error)}}, error.status, headers)


def _add_health(app: FastAPI) -> None:
    @app.get("/healthz", tags=["health"], summary="The process is up")
    async def healthz() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]  # FastAPI calls it
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], summary="It can receive and write", response_model=None)
    async def readyz(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]  # the same
        faults = await run_in_threadpool(_faults, request)
        return JSONResponse({"status": "not ready" if faults else "ready", "faults": faults}, 503 if faults else 200)

    @app.get("/metrics", tags=["health"], summary="Prometheus metrics", response_class=Response)
    async def metrics(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]  # the same
        await run_in_threadpool(request.app.state.journal.observe)
        return Response(request.app.state.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _faults(request: Request) -> list[str]:
    state = request.app.state
    faults: list[str] = []
    if not state.writer.is_alive:
        faults.append("the writer has stopped; see the log and restart the collector")
    if state.journal.free_bytes() < state.settings.min_free_bytes:
        faults.append("the disk is nearly full; free some space")
    try:
        state.store.ping()
    except CollectorError as fault:
        faults.append(f"the store does not answer: {fault}")
    return faults
