"""One thing that `loopwatch doctor` looked at."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        status: ok, note (nothing is broken, but read it) or problem.
        subject: what was looked at.
        text: what was found.
        mend: what to do about it; "" when nothing.
    """

    status: str
    subject: str
    text: str
    mend: str = ""
