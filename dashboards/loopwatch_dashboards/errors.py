"""What can go wrong between a person and the numbers, by who can do something about it.

DashboardsError
├── CannotStart             whoever started the dashboards: one sentence, exit status 1
├── CollectorUnreachable    the operator: no collector answers at the address
├── KeyRefused              the operator: the collector wants another key
├── CollectorBusy           nobody for now: the collector is overloaded or slow, trying again helps
├── NotFound                the reader: what the link names is not in the store (any more)
└── QuestionRefused         the reader: the collector names what is wrong with the question
"""


class DashboardsError(Exception):
    """Something a page has to say instead of numbers; its text is a sentence a reader can act on."""


class CannotStart(DashboardsError):
    """The dashboards cannot start."""


class CollectorUnreachable(DashboardsError):
    """No collector answers at the configured address."""


class KeyRefused(DashboardsError):
    """The collector does not accept the configured key for this question."""


class CollectorBusy(DashboardsError):
    """The collector is overloaded, or did not answer in time."""


class NotFound(DashboardsError):
    """The collector does not hold what was asked for."""


class QuestionRefused(DashboardsError):
    """The collector understood the question and refuses it.

    Attributes:
        position: where in the filter's text the fault is, from 0; None for faults of other kinds.
        suggestion: what was probably meant; empty for none.
    """

    def __init__(self, sentence: str, position: int | None = None, suggestion: str = "") -> None:
        super().__init__(sentence)
        self.position = position
        self.suggestion = suggestion
