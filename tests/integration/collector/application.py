"""The collector's application, assembled from parts that are never used: to be asked for its routes."""

import inspect
from pathlib import Path
from typing import Any

from loopwatch_collector.app import create_app
from loopwatch_collector.settings import Key, Settings


def application() -> Any:
    """Returns the application, whatever parts `create_app` wants by now."""
    make: Any = create_app
    parts: dict[str, None] = {name: None for name in inspect.signature(make).parameters if name != "settings"}
    return make(Settings(Path(), "", keys=(Key("p", "admin", "k"),)), **parts)
