"""A call's arguments by name, in the order the function declares them, at the cost of two dict updates."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Bind = Callable[[tuple[Any, ...], dict[str, Any]], dict[str, Any]]


def binder(function: Callable[..., Any]) -> Bind:
    """Prepares the naming of a function's arguments.

    `inspect.Signature.bind` costs more than a whole span; the function itself rejects a wrong call anyway.

    Args:
        function: any callable.

    Returns:
        A function of the positional and named arguments, which returns them by name with defaults filled in and
        without `self` or `cls`.
    """
    parameters = _parameters(function)
    names = [name for name, parameter in parameters.items() if parameter.kind in _POSITIONAL]
    rest = next((name for name, parameter in parameters.items() if parameter.kind is parameter.VAR_POSITIONAL), None)
    skip = 1 if names and names[0] in {"self", "cls"} else 0
    template = {name: _default(parameter) for name, parameter in parameters.items() if parameter.kind not in _VARIADIC}
    if skip:
        del template[names[0]]
    positional = names[skip:]

    def bind(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        bound = template.copy()
        bound.update(zip(positional, args[skip:], strict=False))
        if rest is not None and len(args) > len(names):
            bound[rest] = args[len(names) :]
        bound.update(kwargs)
        return bound

    return bind


def accepted(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """Returns the names of the arguments a function takes, or None if it takes any."""
    parameters = _parameters(function)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return None
    return tuple(parameters)


def unknown_names(function: Callable[..., Any], names: Iterable[str]) -> list[str]:
    """Returns those of some names that no argument of a function can have; none where it takes any, or does not tell.

    Args:
        function: any callable.
        names: of arguments.
    """
    parameters = _parameters(function)
    if not parameters and not _tells(function):
        return []
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return []
    return [name for name in names if name not in parameters]


_POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
_VARIADIC = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # some built-ins do not tell
        return {}


def _tells(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function)
    except (TypeError, ValueError):
        return False
    return True


def _default(parameter: inspect.Parameter) -> Any:
    return None if parameter.default is parameter.empty else parameter.default
