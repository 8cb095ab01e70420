"""Parameters of statements, those of thousands of ids written without the driver's pass over every character."""

from collections.abc import Mapping
from typing import Any, Final

_MANY: Final = 16


class _Literal:
    """A value as the engine reads it; the driver binds what it does not know as its text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def bound(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Prepares parameters for the driver: long lists of texts without anything to escape, and the rest as it is.

    Args:
        parameters: values for the `{name:Type}` places of a statement.
    """
    return {name: _written(value) for name, value in (parameters or {}).items()}


def _written(value: Any) -> Any:
    if not isinstance(value, list) or len(value) < _MANY:  # pyright: ignore[reportUnknownArgumentType]  # a list of anything
        return value  # pyright: ignore[reportUnknownVariableType]  # the same
    try:
        is_plain = "".join(value).isalnum()  # pyright: ignore[reportUnknownArgumentType]  # the same
    except TypeError:  # of numbers, or of lists
        return value  # pyright: ignore[reportUnknownVariableType]  # the same
    return _Literal("['" + "','".join(value) + "']") if is_plain else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # the same
