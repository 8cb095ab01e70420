"""What can go wrong while a store is moved.

CannotStart
├── NotMovable     the operator: the addresses are not an embedded store and a server
└── MoveDiffers    us: what arrived is not what was sent; the embedded store is as it was
"""

from loopwatch_collector.errors import CannotStart


class NotMovable(CannotStart):
    """Only an embedded store is moved, and only to a server."""

    code = "not_movable"


class MoveDiffers(CannotStart):
    """A day's rows differ between the stores although they were just copied."""

    code = "move_differs"
