"""What can go wrong on an import.

```
ImportFailed            the command ends with this sentence and status 1
├── UnreadableFile      not there, not JSON, not JSON lines
├── InvalidRecord       a record that is not a transcript; names its position
└── CollectorRefused    the collector is not there, or said no
```
"""


class ImportFailed(Exception):
    """The import cannot go on; the message is one sentence for the person who started it."""


class UnreadableFile(ImportFailed):
    """The file is missing, or neither JSON nor JSON lines."""


class InvalidRecord(ImportFailed):
    """A record is not a transcript of the format that was named."""

    def __init__(self, position: int, fault: str) -> None:
        super().__init__(f"record {position}: {fault}")
        self.position = position


class CollectorRefused(ImportFailed):
    """The collector cannot be reached, or answered with an error that trying again will not mend."""
