"""What the first page would wait for, fetched while nobody waits: modules, templates, and the way to the collector."""

import logging
import os
import threading
from importlib import import_module
from typing import Final

_LOG: Final = logging.getLogger(__name__)


def begin() -> None:
    """Warms up beside the server, which answers meanwhile."""
    threading.Thread(target=_guarded, name="warming", daemon=True).start()


def _guarded() -> None:
    try:
        warm()
    except Exception:  # noqa: BLE001  # nobody needs it: the first page then does the same, and says what is wrong
        _LOG.debug("warming up failed", exc_info=True)


def warm() -> None:
    """Imports the pages and what they draw with, puts one chart and one table together, and connects."""
    from datetime import UTC, datetime

    from loopwatch_dashboards import context, tables
    from loopwatch_dashboards.charts import bars
    from loopwatch_dashboards.charts.specs import spec_of
    from loopwatch_dashboards.settings import Settings
    from loopwatch_dashboards.view import View

    collector = context.collector_of(Settings.from_environment(os.environ))
    asked = collector.access()
    import_module("loopwatch_dashboards.page")
    rows = [{"name": "run", "runs": 1}]
    spec_of(lambda: bars.ranked(rows, label="name", value="runs", unit="runs", title="runs"))
    view = View()
    window = view.window(datetime.now(UTC))
    columns = {"name": ("name", "text"), "runs": ("runs", "runs")}
    tables.styled(rows, columns, context.Context(collector, view, window, UTC, {}))
    asked.exception()
