"""The collector as one ASGI application."""

import time

from fastapi import FastAPI

from loopwatch_collector.alerts.errors import InvalidRule
from loopwatch_collector.alerts.routes import answer_invalid_rule
from loopwatch_collector.alerts.routes import router as alerts_router
from loopwatch_collector.answers import RESPONSES, add_answers
from loopwatch_collector.api.custody import router as custody_router
from loopwatch_collector.api.dead_letters import router as dead_letters_router
from loopwatch_collector.api.keys import router as keys_router
from loopwatch_collector.api.routes import router as api_router
from loopwatch_collector.auth import Keyring
from loopwatch_collector.event_lookup import event_lookup
from loopwatch_collector.health import router as health_router
from loopwatch_collector.journal.journal import Journal
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.receive.events import router as events_router
from loopwatch_collector.receive.receiver import Receiver
from loopwatch_collector.receive.request_starts import RequestStarts
from loopwatch_collector.receive.routes import router as receive_router
from loopwatch_collector.reference import router as reference_router
from loopwatch_collector.settings import Settings
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.senders import Senders
from loopwatch_collector.write.writer import Writer


def create_app(
    settings: Settings,
    *,
    journal: Journal,
    store: Store,
    pricer: Pricer,
    writer: Writer,
    senders: Senders,
    metrics: Metrics,
) -> FastAPI:
    """Assembles the routes around the parts that were opened.

    Args:
        settings: the caps and keys.
        journal: what was acknowledged and is not in the store yet.
        store: what the API reads.
        pricer: the prices the API shows.
        writer: asked whether it is alive.
        senders: the account of who sent what.
        metrics: what `/metrics` shows.
    """
    app = FastAPI(title="Loopwatch collector", version="0.1.0", docs_url=None, redoc_url=None, responses=RESPONSES)
    app.router.redirect_slashes = False  # senders do not follow: the path is served, or it is not there
    app.state.settings = settings
    app.state.journal = journal
    app.state.store = store
    app.state.pricer = pricer
    app.state.writer = writer
    app.state.senders = senders
    app.state.metrics = metrics
    app.state.started_at_s = time.time()
    app.state.keyring = Keyring(settings.keys)
    app.state.receiver = Receiver(settings, journal, metrics)
    app.state.request_starts = RequestStarts(event_lookup(store))
    app.include_router(receive_router)
    app.include_router(events_router)
    app.include_router(api_router)
    app.include_router(custody_router)
    app.include_router(dead_letters_router)
    app.include_router(keys_router)
    app.include_router(alerts_router)
    app.include_router(health_router)
    app.include_router(reference_router)
    add_answers(app)
    app.add_exception_handler(InvalidRule, answer_invalid_rule)
    return app
