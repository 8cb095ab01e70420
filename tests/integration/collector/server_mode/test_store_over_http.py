"""The tests of the store and its queries, once more on a server's HTTP interface."""

import importlib
import inspect
import pkgutil
from pathlib import Path

_STORE = "tests.integration.collector.store"
_LONG = {"test_loops"}  # a table of cases for one question, which the others ask over HTTP too

for _module in pkgutil.iter_modules([str(Path(__file__).parents[1] / "store")]):
    if _module.name.startswith("test_") and _module.name not in _LONG:
        _tests = vars(importlib.import_module(f"{_STORE}.{_module.name}"))
        globals().update(
            {
                name: test
                for name, test in _tests.items()
                if name.startswith("test_") and "store" in inspect.signature(test).parameters
            }
        )
