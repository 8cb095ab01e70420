"""Parts that begin anew in a forked child: threads and locks do not come along."""

import os
import weakref
from typing import Protocol


class Renewable(Protocol):
    """A part that can begin anew."""

    def renew(self) -> None:
        """Begins anew in a forked child."""
        ...


def renew_in_children(part: Renewable) -> None:
    """Has a part renewed in each forked child, for as long as somebody uses it.

    Args:
        part: what to renew; it is not kept alive by this.
    """
    reference = weakref.ref(part)

    def renew() -> None:
        living = reference()
        if living is not None:
            living.renew()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)
