"""The tests of the store and its queries, once more on a server's HTTP interface."""

import importlib
import inspect
import pkgutil
from pathlib import Path

from _pytest.fixtures import FixtureFunctionDefinition  # fixtures of a test's own module are needed here too

_STORE = "tests.integration.collector.store"
_LEFT_OUT = {
    "test_loops",  # a table of cases for one question, which the others ask over HTTP too
    "test_cut_answers",  # cuts the answers of the embedded engine
}

for _module in pkgutil.iter_modules([str(Path(__file__).parents[1] / "store")]):
    if _module.name.startswith("test_") and _module.name not in _LEFT_OUT:
        _things = vars(importlib.import_module(f"{_STORE}.{_module.name}"))
        globals().update(
            {
                name: thing
                for name, thing in _things.items()
                if isinstance(thing, FixtureFunctionDefinition)
                or (name.startswith("test_") and "store" in inspect.signature(thing).parameters)
            }
        )
