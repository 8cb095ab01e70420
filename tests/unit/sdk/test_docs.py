"""Every example of the SDK's pages runs, and prints what the page says."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk_messages_api import running_messages_api
from tests.sdk_sink import running_sink

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {
    "instrument-an-agent": "all is well again\n",
    "instrument-a-tool": "NotFound False\nToolError True\ntool_timeout_s: 0.05 s\n",
    "other-providers": "",
    "limits-and-loops": (
        "identical_calls 3 3\n1 1 1000\n2 0 1000\ngoing on in spite of iterations\n3 0 1000\n4 0 1000\n"
    ),
    "when-the-collector-is-down": "done\nTrue\n",
    "testing": "",
    "privacy": "",
}


def examples(page: str) -> str:
    """The page's Python blocks, as one program."""
    return "\n".join(re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL))


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_a_page_run(page: str, tmp_path: Path) -> None:
    """The page is a program that ends well and prints what it promises."""
    program = tmp_path / "test_page.py"
    program.write_text(examples(page))
    with running_sink() as sink, running_messages_api() as api:
        environment = {
            **os.environ,
            "LOOPWATCH_ENDPOINT": sink.url,
            "LOOPWATCH_SPOOL_DIR": str(tmp_path / "spool"),
            "ANTHROPIC_BASE_URL": api,
            "ANTHROPIC_API_KEY": "k",
        }
        command = [sys.executable, str(program)]
        if page == "testing":
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(program)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if page != "testing":
        assert done.stdout == PAGES[page]


def test_privacy_example_sends_no_card_and_no_address(tmp_path: Path) -> None:
    """What the page captures arrives redacted."""
    program = tmp_path / "page.py"
    program.write_text(examples("privacy"))
    with running_sink() as sink:
        environment = {**os.environ, "LOOPWATCH_ENDPOINT": sink.url, "LOOPWATCH_SPOOL_DIR": str(tmp_path / "spool")}
        subprocess.run([sys.executable, str(program)], env=environment, timeout=60, check=True)
        run = next(span for span in sink.wait_for(2) if span.name == "invoke_agent support")
        assert run.attributes["loopwatch.input"] == '{"question":"[redacted:email] wants his money back"}'
        assert run.attributes["loopwatch.output"] == "refunded to [redacted:card]"


def test_recipes_name_what_they_import() -> None:
    """Each recipe for another library is Python, and every module it imports is of a package it says to install."""
    recipes = re.findall(r"```py\n(.*?)```", (DOCS / "other-providers.md").read_text(), re.DOTALL)
    assert len(recipes) == 3
    for recipe in recipes:
        installed = {word.replace("-", ".") for word in re.findall(r"[a-z]+-instrumentation-[a-z-]+", recipe)}
        imported = [
            node.module
            for node in ast.walk(ast.parse(recipe))
            if isinstance(node, ast.ImportFrom) and node.module != "loopwatch"
        ]
        assert imported
        assert [module for module in imported if module not in installed] == []
        assert recipe.index("loopwatch.configure(") < recipe.index(".instrument()")


def test_recipe_of_the_ai_sdk_is_the_one_that_was_run() -> None:
    """The packages the page imports are those of the workload that `make compat` runs."""
    [recipe] = re.findall(r"```js\n(.*?)```", (DOCS / "other-providers.md").read_text(), re.DOTALL)
    workload = (DOCS.parent / "tests" / "compat" / "workloads" / "vercel_ai.mjs").read_text()
    packages = re.findall(r'from "([^"]+)"', recipe)
    assert len(packages) == 4
    assert [package for package in packages if f'"{package}"' not in workload] == []
