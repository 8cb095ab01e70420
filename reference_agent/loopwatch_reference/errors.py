"""What can go wrong in the reference agent's part.

ReferenceAgentError
├── UsageError          the user asked for something that does not exist or is not set up; exit status 1
└── OperationsError     the simulated production system's tools refuse or fail
    ├── BackendUnavailable   asking again may help
    └── InvalidQuestion      asking again will not: the arguments name something that does not exist
"""


class ReferenceAgentError(Exception):
    """Any error of this package."""


class UsageError(ReferenceAgentError):
    """The user asked for something that cannot be done; the message says what to do instead."""


class OperationsError(ReferenceAgentError):
    """A tool could not tell."""


class BackendUnavailable(OperationsError, TimeoutError):
    """The system behind a tool did not answer in time; the same call may succeed later, as with any TimeoutError."""


class InvalidQuestion(OperationsError):
    """The arguments name a service, metric or severity that does not exist."""
