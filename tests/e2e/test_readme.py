"""The README is true: its code runs, its commands work, its targets exist, its tables are the program's own."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import Running, collector, get, loopwatch, wait_for

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def _commands(program: str) -> list[str]:
    lines = [line for block in _blocks("console") for line in block.splitlines()]
    return [line[2:] for line in lines if line.startswith(f"$ {program} ")]


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("readme")) as running:
        yield running


@pytest.mark.parametrize("code", _blocks("python"))
def test_python_block_sends_its_run(code: str, receiver: Running) -> None:
    """Each Python block of the README runs as it stands, and the run it makes is stored as completed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "LOOPWATCH_ENDPOINT": receiver.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    agent = re.search(r'agent\(name="([^"]+)"', code)
    assert agent
    times = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "agent": agent.group(1)}
    runs = wait_for(lambda: get(f"{receiver.url}/api/v1/runs", **times)["runs"] or None, "the README's run is stored")
    assert runs[0]["outcome"] == "completed"


@pytest.mark.parametrize("command", _commands("loopwatch"))
def test_command_works(command: str, receiver: Running) -> None:
    """Each `loopwatch` command of the README ends with status 0 against a fresh collector."""
    done = loopwatch(*shlex.split(command)[1:], env={"LOOPWATCH_ENDPOINT": receiver.url})
    assert done.returncode == 0, done.stderr


def test_make_targets_exist() -> None:
    """Each `make` target that the README names is in the Makefile."""
    named = set(re.findall(r"make ([a-z]+)", README))
    assert named
    assert [target for target in sorted(named) if not re.search(rf"^{target}:", MAKEFILE, flags=re.MULTILINE)] == []


def test_links_and_pictures_exist() -> None:
    """Each file the README links to or shows is in the repository."""
    paths = [path for path in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in path]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_settings_table_is_the_collectors_own() -> None:
    """The table of the collector's settings is exactly what the collector says of itself."""
    said = subprocess.run(
        [sys.executable, "-m", "loopwatch_collector.settings"], capture_output=True, text=True, timeout=60, check=True
    )
    table = re.search(r"<!-- collector settings:.*?-->\n\n(.*?)\n\n<!-- end", README, flags=re.DOTALL)
    assert table
    assert table.group(1) == said.stdout.strip()


@pytest.mark.parametrize("folder", ["sdk", "collector", "dashboards", "reference_agent"])
def test_every_variable_is_documented(folder: str) -> None:
    """Each LOOPWATCH_ variable that a package reads stands in the README."""
    sources = "\n".join(module.read_text() for module in (ROOT / folder).rglob("*.py"))
    named = set(re.findall(r"\bLOOPWATCH_[A-Z_]*[A-Z]\b", sources))
    assert [name for name in sorted(named) if f"`{name}`" not in README] == []


def test_every_page_of_the_documentation_is_linked() -> None:
    """No page under docs/ is left out of the README's list."""
    pages = sorted(page.relative_to(ROOT) for page in (ROOT / "docs").glob("*.md"))
    assert [str(page) for page in pages if f"]({page})" not in README] == []
