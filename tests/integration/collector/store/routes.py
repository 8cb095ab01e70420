"""The read routes and verdicts on a store, without the rest of a collector."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from loopwatch_collector.api.routes import router
from loopwatch_collector.auth import Keyring
from loopwatch_collector.errors import CollectorError
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.settings import Key
from loopwatch_collector.store.store import Store

INGEST, READ, ADMIN, OTHER = ({"authorization": f"Bearer {name}"} for name in ("ingest", "read", "admin", "other"))


def routes(store: Store) -> TestClient:
    """A client of the routes; its keys are `INGEST`, `READ` and `ADMIN`, and `OTHER` of another project."""
    app = FastAPI()
    app.include_router(router)
    app.state.store, app.state.pricer = store, Pricer()
    app.state.keyring = Keyring(
        [Key("default", role, role) for role in ("ingest", "read", "admin")] + [Key("elsewhere", "read", "other")]
    )
    app.add_exception_handler(CollectorError, _answer)
    return TestClient(app)


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, CollectorError)
    return JSONResponse({"error": {"code": error.code, "message": str(error), **error.details}}, error.status)
