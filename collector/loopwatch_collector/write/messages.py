"""Messages spelt out over many attributes, put together again."""

from typing import Any, Final

from loopwatch_collector.write.aliases import SLOTS
from loopwatch_collector.write.values import json_text

_FLAT: Final = SLOTS["flat"]
_ROLE_OF: Final = (
    ("llm.input_messages.", "input"),
    ("gen_ai.prompt.", "input"),
    ("llm.output_messages.", "output"),
    ("gen_ai.completion.", "output"),
    ("llm.tools.", "tools"),
    ("llm.request.functions.", "tools"),
)
_MAX_DEPTH: Final = 16


def unflatten(row: list[Any]) -> None:
    """Fills the content slots of a row in the making from attributes such as `llm.input_messages.0.message.role`."""
    flat: dict[str, Any] = row[_FLAT]
    for prefix, role in _ROLE_OF:
        leaves = {key[len(prefix) :]: value for key, value in flat.items() if key.startswith(prefix)}
        if leaves and not row[SLOTS[role]]:
            row[SLOTS[role]] = json_text([_unwrapped(element) for element in _elements(leaves)]).encode()


def _elements(leaves: dict[str, Any]) -> list[Any]:
    tree: dict[str, Any] = {}
    for path, value in leaves.items():
        node = tree
        *parents, last = path.split(".", _MAX_DEPTH)
        for step in parents:
            node = _branch(node, step)
        node[last] = value
    listed = _listed(tree)
    return listed if isinstance(listed, list) else [listed]  # pyright: ignore[reportUnknownVariableType]  # the same


def _branch(node: dict[str, Any], step: str) -> dict[str, Any]:
    inner: Any = node.get(step)
    if not isinstance(inner, dict):
        inner = node[step] = {} if inner is None else {"": inner}
    return inner  # pyright: ignore[reportUnknownVariableType]  # a tree of any shape


def _listed(node: Any) -> Any:
    """Turns maps whose keys are all numbers into lists."""
    if not isinstance(node, dict):
        return node
    inner: dict[str, Any] = {key: _listed(value) for key, value in node.items()}  # pyright: ignore[reportUnknownVariableType]  # the same
    if inner and all(key.isascii() and key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def _unwrapped(element: Any) -> Any:
    """OpenInference puts each message under `message`."""
    if isinstance(element, dict) and list(element) == ["message"]:  # pyright: ignore[reportUnknownArgumentType]  # the same
        return element["message"]  # pyright: ignore[reportUnknownVariableType]  # the same
    return element  # pyright: ignore[reportUnknownVariableType]  # the same
