"""Who a run is for: given around it, or by the agent's arguments; and carried into threads."""

import contextvars
import functools
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from loopwatch import names
from loopwatch.errors import ConfigurationError
from loopwatch.scopes import IDENTITY_KEY, SCOPE_KEY, current_scope

P = ParamSpec("P")
R = TypeVar("R")

ATTRIBUTE_OF = {
    "conversation_id": names.CONVERSATION_ID,
    "customer_id": names.CUSTOMER_ID,
    "user_id": names.USER_ID,
    "environment": names.ENVIRONMENT,
    "tags": names.TAGS,
    "prompt_name": names.PROMPT_NAME,
    "prompt_version": names.PROMPT_VERSION,
}


def attributes_of(fields: dict[str, Any]) -> dict[str, Any]:
    """Returns identity fields as clean attributes; those that are None or empty are left out."""
    attributes: dict[str, Any] = {}
    for field, value in fields.items():
        if value is None or value == "" or value == ():
            continue
        attributes[ATTRIBUTE_OF[field]] = tuple(str(tag) for tag in value) if field == "tags" else str(value)
    return attributes


def check_tags(tags: object) -> None:
    """Refuses one text where a list of words is wanted: it would be taken apart into its letters.

    Args:
        tags: what the author gave.

    Raises:
        ConfigurationError: it is a text, or no list.
    """
    if isinstance(tags, (str, bytes)):
        raise ConfigurationError(f"tags={tags!r}: write a list: tags=[{tags!r}]")
    if tags is not None and not callable(tags) and not isinstance(tags, Iterable):
        raise ConfigurationError(f"tags={tags!r:.80}: write a list of words")


@contextmanager
def context(
    *,
    conversation_id: str | None = None,
    customer_id: str | None = None,
    user_id: str | None = None,
    environment: str | None = None,
    tags: Sequence[str] | None = None,
    prompt_name: str | None = None,
    prompt_version: str | None = None,
) -> Generator[None]:
    """Says whom the runs opened inside are for; inside a run, its further spans too.

    Args:
        conversation_id: the conversation they belong to, if there is one.
        customer_id: the tenant who is billed.
        user_id: the person who asked.
        environment: where they run, if not where the process says.
        tags: words to find them by; they replace those of an outer context.
        prompt_name: the prompt's name.
        prompt_version: the prompt's version.

    Raises:
        ConfigurationError: `tags` is one text instead of a list.
    """
    check_tags(tags)
    given = attributes_of(
        {
            "conversation_id": conversation_id,
            "customer_id": customer_id,
            "user_id": user_id,
            "environment": environment,
            "tags": tags,
            "prompt_name": prompt_name,
            "prompt_version": prompt_version,
        }
    )
    token = otel_context.attach(_with_identity(otel_context.get_current(), given))
    try:
        yield
    finally:
        otel_context.detach(token)


def _with_identity(current: Context, given: dict[str, Any]) -> Context:
    outer: Any = current.get(IDENTITY_KEY) or {}
    values: dict[str, object] = {**current, IDENTITY_KEY: {**outer, **given}}
    scope = current_scope(current)
    if scope is not None:
        values[SCOPE_KEY] = scope.with_attributes(given)
    return Context(values)


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Binds a function to the run it was handed over from: for thread pools and threads, which start without one.

    `pool.submit(loopwatch.carry(work), item)`. Tasks of asyncio and `asyncio.to_thread` need nothing.

    Args:
        function: what another thread will call, any number of times, also at the same time.

    Returns:
        A function with the same signature.
    """
    captured = contextvars.copy_context()

    @functools.wraps(function)
    def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        return captured.copy().run(function, *args, **kwargs)  # a context can be entered once at a time

    return carried
