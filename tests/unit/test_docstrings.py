"""Each test says what it proves."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def _undocumented(module: Path) -> list[str]:
    functions = (
        node
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [
        f"{module.relative_to(TESTS)}: {function.name}"
        for function in functions
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]


def test_every_test_states_the_behaviour_it_proves() -> None:
    """No test function is without a docstring."""
    assert [line for module in sorted(TESTS.rglob("test_*.py")) for line in _undocumented(module)] == []
