"""What a filter says, as values."""

from dataclasses import dataclass

from loopwatch_collector.queries.filter.fields import Event, Field


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field beside values: any of them matches, or none of them where the operator begins with `!`."""

    field: Field
    operator: str
    values: tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text that occurs in a message, an argument, a result or an error of the run."""

    text: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the run, of one tool, model or decision if a name is given."""

    event: Event
    name: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """Events that happened one after the other."""

    events: tuple[Happened, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class All:
    """What must hold together."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Of which one must hold."""

    conditions: tuple["Condition", ...]


Condition = Comparison | Phrase | Sequence | Not | All | AnyOf
