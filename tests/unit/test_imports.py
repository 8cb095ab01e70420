"""The import direction of the packages, and of the rooms inside the collector."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "loopwatch": "sdk",
    "loopwatch_collector": "collector",
    "loopwatch_dashboards": "dashboards",
    "loopwatch_reference": "reference_agent",
}
# What a package may import of ours, besides itself.
ALLOWED = {
    "loopwatch": (),
    "loopwatch_collector": ("loopwatch.names",),
    "loopwatch_dashboards": (),
    "loopwatch_reference": ("loopwatch",),
}
# The rooms in the order data meets them, then those beside the pipeline: a room may import those named with it, so
# that data has one way through and nothing imports upwards.
ROOMS = {
    "journal": (),
    "receive": ("journal",),
    "store": (),
    "prices": ("store",),
    "write": ("journal", "prices", "store"),
    "queries": ("store",),
    "retention": ("journal", "store", "write"),
    "repricing": ("prices", "store"),
    "backups": ("store",),
    "moving": ("store",),
    "export": ("retention", "store"),
    "importing": (),
    "simulate": ("importing",),
    "api": ("backups", "export", "journal", "prices", "queries", "repricing", "retention", "store", "write"),
    "commands": ("backups", "moving", "store"),
    "alerts": ("commands", "queries", "store"),
}


def _modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _of_ours(name: str) -> bool:
    return name.split(".")[0] in FOLDERS


def _is_within(name: str, allowed: str) -> bool:
    # `from loopwatch import names` reads as "loopwatch" and "loopwatch.names": the package alone gives nothing away.
    return name == allowed or name.startswith(allowed + ".") or name == allowed.split(".")[0]


@pytest.mark.parametrize("package", FOLDERS)
def test_package_imports_only_what_the_design_allows(package: str) -> None:
    """No package imports another of ours beyond what the design's table of imports says."""
    allowed = (package, *ALLOWED[package])
    wrong = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in _modules(ROOT / FOLDERS[package] / package)
        for name in _imported(module)
        if _of_ours(name) and not any(_is_within(name, one) for one in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_collector_room_imports_nothing_above_it(room: str) -> None:
    """A room of the pipeline imports only the rooms below it, so that data has one way through."""
    collector = ROOT / "collector" / "loopwatch_collector"
    others = set(ROOMS) - {room, *ROOMS[room]}
    wrong = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in _modules(collector / room)
        for name in _imported(module)
        if any(_is_within(name, f"loopwatch_collector.{other}") and name != "loopwatch_collector" for other in others)
    ]
    assert wrong == []


def test_every_room_is_checked() -> None:
    """Each folder of the collector has a line in the table above: a new room has to say what it imports."""
    folders = {path.parent.name for path in (ROOT / "collector" / "loopwatch_collector").glob("*/__init__.py")}
    assert folders == set(ROOMS)


def test_every_package_is_checked() -> None:
    """Each package folder named here exists and holds modules: a renamed package cannot slip past the rules."""
    assert all(_modules(ROOT / folder / package) for package, folder in FOLDERS.items())
