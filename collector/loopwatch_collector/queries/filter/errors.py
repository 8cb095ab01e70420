"""What can be wrong with a filter; a branch of the collector's tree.

InvalidParameter
└── InvalidFilter       400  says where, and what may have been meant
"""

from typing import Any

from loopwatch_collector.queries.errors import InvalidParameter


class InvalidFilter(InvalidParameter):
    """A filter cannot be understood.

    Args:
        fault: what is wrong, a sentence.
        position: where, in characters from 0.
        suggestion: what may have been meant; empty if nothing is near.
    """

    code = "invalid_filter"

    def __init__(self, fault: str, position: int, suggestion: str = "") -> None:
        hint = f"; did you mean '{suggestion}'?" if suggestion else ""
        super().__init__(f"{fault} (at character {position + 1} of the filter){hint}")
        self.position = position
        self.suggestion = suggestion

    @property
    def details(self) -> dict[str, Any]:
        """What a page needs to mark the place."""
        return {"position": self.position, "suggestion": self.suggestion}
