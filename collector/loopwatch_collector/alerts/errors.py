"""What can be wrong with rules and alerts; branches of the collector's tree.

CollectorError
├── RequestRefused
│   ├── InvalidRule         400  a rule's text breaks the rules of rules; every fault with its line
│   ├── ManyRowsOfAGroup    400  a rule's query tells more apart than the rule
│   ├── UnknownRule         404  no rule of that name
│   ├── UnknownAlert        404  no alert of that id
│   └── DestinationRefused  400  a webhook's address is one we do not send to
└── Unavailable
    └── OutOfTime           503  a rule asks more than it has time for beside the others
"""

from typing import NamedTuple

from loopwatch_collector.errors import NotFound, RequestRefused, Unavailable


class Fault(NamedTuple):
    """One thing wrong in a rules file.

    Attributes:
        line: counted from 1; None when the whole is meant.
        message: what is wrong and what would be right.
    """

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


class InvalidRule(RequestRefused):
    """A rules text that cannot be used.

    Args:
        faults: everything that is wrong with it.
    """

    code = "invalid_rule"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class ManyRowsOfAGroup(RequestRefused):
    """A rule's query answers several rows for one of its groups: there is no one value to judge."""

    code = "many_rows_of_a_group"


class UnknownRule(NotFound):
    """There is no rule of that name."""

    code = "unknown_rule"


class UnknownAlert(NotFound):
    """There is no alert of that id."""

    code = "unknown_alert"


class DestinationRefused(RequestRefused):
    """The address of a webhook is private, or not one that can be reached safely."""

    code = "destination_refused"


class OutOfTime(Unavailable):
    """An evaluation had no time left for another question."""
