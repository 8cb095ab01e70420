"""What a rule can be grouped by: the dimensions and columns of its query, and an attribute of the sender's own."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from loopwatch import names
from loopwatch_collector.alerts.channel_parsing import near
from loopwatch_collector.queries.catalogue import NamedQuery
from loopwatch_collector.queries.filter.fields import attribute_of

DIMENSION: Final = "dimension"
ATTRIBUTE: Final = "attribute"
KEY: Final = "key"
"""The column that holds the value of the dimension; as a parameter, the one value that is asked about."""

ALL: Final = "all"
_ANY_ATTRIBUTE: Final = "attributes.NAME"
_KEPT_AS: Final = {
    names.AGENT_NAME: "agent",
    names.AGENT_VERSION: "version",
    names.PROMPT_VERSION: "prompt_version",
    names.SERVICE_NAME: "service",
    names.CUSTOMER_ID: "customer",
    names.ENVIRONMENT: "environment",
    "deployment.environment": "environment",
    names.USER_ID: "user",
    names.CONVERSATION_ID: "conversation",
    names.REQUEST_MODEL: "model",
    names.RESPONSE_MODEL: "model",
    names.PROVIDER_NAME: "provider",
    names.TAGS: "tag",
    names.TOOL_NAME: "tool",
}
"""What the collector understands and keeps in a column, not among a sender's own attributes."""


class Grouping(NamedTuple):
    """How a rule's query is asked for its groups.

    Attributes:
        params: of the query, beside the rule's own.
        column: the query's column that holds the group.
    """

    params: Mapping[str, str]
    column: str


def grouping_of(query: NamedQuery, group_by: str) -> Grouping:
    """Returns how a query tells the groups of a rule apart.

    Args:
        query: the rule's.
        group_by: what the rule says.

    Raises:
        ValueError: the query cannot; says what it can.
    """
    attribute = attribute_of(group_by)
    if attribute and ATTRIBUTE in _dimensions(query):
        if kept_as := _KEPT_AS.get(attribute):
            raise ValueError(f"'{attribute}' is no attribute of a sender's own: say group_by = '{kept_as}'")
        return Grouping({DIMENSION: ATTRIBUTE, ATTRIBUTE: attribute}, KEY)
    if group_by in _dimensions(query) and group_by not in (ALL, ATTRIBUTE):
        return Grouping({DIMENSION: group_by}, KEY)
    if group_by in _texts(query):
        return Grouping({}, group_by)
    choices = choices_of(query)
    raise ValueError(
        f"query {query.name} cannot be grouped by '{group_by}'{near(group_by, choices) if choices else ''}"
    )


def needs_group(query: NamedQuery, params: Mapping[str, str]) -> bool:
    """Whether a query answers many rows, so that a rule has to say which group each of them is.

    Args:
        query: the rule's.
        params: those the rule gives it.
    """
    is_one = ALL in _dimensions(query) and params.get(DIMENSION) == ALL
    return bool(choices_of(query)) and not is_one


def choices_of(query: NamedQuery) -> list[str]:
    """What rules of a query can be grouped by, as a reader is told."""
    named = [_ANY_ATTRIBUTE if name == ATTRIBUTE else name for name in _dimensions(query) if name != ALL]
    return named or list(_texts(query))


def tells_apart(query: NamedQuery, dimension: str) -> bool:
    """Whether a query can be asked for one value of a dimension, or says of each row which one it is of."""
    values = next((param.values for param in query.params if param.name == DIMENSION), ())
    names_key = any(one.name == KEY for one in (*query.params, *query.columns))
    return names_key and dimension in values


def _dimensions(query: NamedQuery) -> tuple[str, ...]:
    """The dimensions by which a query has a row for each value, and says which."""
    has_key = any(column.name == KEY for column in query.columns)
    return next((param.values for param in query.params if param.name == DIMENSION and has_key), ())


def _texts(query: NamedQuery) -> tuple[str, ...]:
    return tuple(column.name for column in query.columns if column.unit == "text")
