"""Which content may leave the process: a choice per process, and narrower ones per run, tool and argument."""

from collections.abc import Iterable

from loopwatch import names
from loopwatch.errors import ConfigurationError

KINDS = ("input", "output", "tool_calls", "errors")
Capture = frozenset[str]
"""input: what agents and models are given; output: what they answer; tool_calls: arguments and results;
errors: the messages of exceptions, which often quote what failed."""

NOTHING: Capture = frozenset()
EVERYTHING: Capture = frozenset(KINDS)
CaptureChoice = bool | str | Iterable[str] | None

KIND_OF: dict[str, str] = {
    names.INPUT: "input",
    names.INPUT_MESSAGES: "input",
    names.SYSTEM_INSTRUCTIONS: "input",
    names.TOOL_DEFINITIONS: "input",
    names.OUTPUT: "output",
    names.OUTPUT_MESSAGES: "output",
    names.TOOL_ARGUMENTS: "tool_calls",
    names.TOOL_RESULT: "tool_calls",
    "anthropic.tool_result.content": "tool_calls",
}


def parse(choice: CaptureChoice) -> Capture:
    """Reads an author's choice of what content is captured.

    Args:
        choice: True for everything, False or None for nothing, or kinds: "input", "output", "tool_calls",
            "errors", as an iterable or one text with commas (as in LOOPWATCH_CAPTURE).

    Returns:
        The kinds.

    Raises:
        ConfigurationError: a kind does not exist.
    """
    if choice is None or choice is False:
        return NOTHING
    if choice is True:
        return EVERYTHING
    words = [word.strip() for word in choice.split(",")] if isinstance(choice, str) else list(choice)
    if len(words) == 1 and words[0].lower() in _WORDS:
        return _WORDS[words[0].lower()]
    unknown = [word for word in words if word not in KINDS]
    if unknown:
        raise ConfigurationError(f"capture: {unknown[0]!r} is no kind of content; choose from {', '.join(KINDS)}")
    return frozenset(words)


_WORDS = {
    "": NOTHING,
    "0": NOTHING,
    "false": NOTHING,
    "none": NOTHING,
    "1": EVERYTHING,
    "true": EVERYTHING,
    "all": EVERYTHING,
}
