"""Which content may leave the process: a choice per process, and narrower or wider ones per run and tool.

What kind of content an attribute is follows from its name. The names that carry no content are listed; text under any
other name, whichever library wrote it, counts as input: with capture off it stays here.
"""

import os
import re
from collections.abc import Iterable
from typing import Final

from loopwatch import names
from loopwatch.errors import ConfigurationError

INPUT: Final = "input"  # what agents and models are given
OUTPUT: Final = "output"  # what they answer
TOOL_CALLS: Final = "tool_calls"  # arguments and results
ERRORS: Final = "errors"  # the messages of exceptions, which often quote what failed
KINDS: Final = (INPUT, OUTPUT, TOOL_CALLS, ERRORS)

Capture = frozenset[str]
NOTHING: Final[Capture] = frozenset()
EVERYTHING: Final[Capture] = frozenset(KINDS)
CaptureChoice = bool | str | Iterable[str] | None

_WORDS: Final = {
    "": NOTHING,
    "0": NOTHING,
    "false": NOTHING,
    "none": NOTHING,
    "1": EVERYTHING,
    "true": EVERYTHING,
    "all": EVERYTHING,
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


def ask_for_messages(capture: Capture) -> None:
    """Has the Anthropic client put messages on its own spans, if they may leave; clients read it when constructed.

    Args:
        capture: the kinds that may leave.
    """
    if INPUT in capture or OUTPUT in capture:
        os.environ.setdefault("ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", "content")


KIND_OF: Final = {
    names.INPUT: INPUT,
    names.INPUT_MESSAGES: INPUT,
    names.SYSTEM_INSTRUCTIONS: INPUT,
    names.TOOL_DEFINITIONS: INPUT,
    names.OUTPUT: OUTPUT,
    names.OUTPUT_MESSAGES: OUTPUT,
    names.TOOL_ARGUMENTS: TOOL_CALLS,
    names.TOOL_RESULT: TOOL_CALLS,
    "anthropic.tool_result.content": TOOL_CALLS,
    "exception.message": ERRORS,
    "exception.stacktrace": ERRORS,
    "error.message": ERRORS,
}
_OUTPUT_WORDS: Final = re.compile(r"completion|output|response|result|answer", re.IGNORECASE)
_TOOL_WORDS: Final = re.compile(r"tool|argument|function", re.IGNORECASE)
_PLAIN: Final = re.compile(
    r"""
      gen_ai\.(?: operation|provider|system$|request|response\.(?:id|model|finish_reasons|status)|usage|token|agent
                | conversation|workflow|data_source|output\.type|tool\.(?:name|type|call\.id)|prompt\.(?:name|version)$
                | evaluation\.(?:name|score)|memory\.(?:store|record)\.|embeddings )
    | anthropic\.(?!tool_result) | loopwatch\. | openinference\.span\.kind | otel\. | telemetry\.
    | llm\.(?:model_name|provider|system$|token_count|usage|request\.type|is_streaming)
    | ai\.(?:operationId|model|usage|response\.(?:id|model|finishReason)|telemetry\.functionId|settings)
    | traceloop\.(?:span\.kind|entity\.name|entity\.path|workflow\.name|association)
    | langfuse\.(?:environment|version|release|session\.id|user\.id|observation\.(?:type|level|model\.name))
    | http\.(?:method|status_code|route|scheme|flavor|request\.(?:method|resend_count)|response\.status_code)
    | url\.scheme | server\. | client\. | network\. | net\. | peer\.
    | db\.(?:system|name|namespace|operation|collection|sql\.table)
    | rpc\.(?:system|service|method|grpc|response) | messaging\.(?:system|destination|operation)
    | mcp\.(?:method|session|protocol) | jsonrpc\. | code\. | thread\. | process\. | service\. | deployment\. | host\.
    | k8s\. | cloud\. | container\. | faas\. | session\.id | user\.id | enduser\.id | tool\.name
    | error\.type | exception\.(?:type|escaped) | span\.kind | component$
    """,
    re.VERBOSE,
)
_known: dict[str, str | None] = dict(KIND_OF)
_MAX_KNOWN: Final = 4096


def kind_of(name: str) -> str | None:
    """Returns what kind of content text under an attribute's name is; None for names that carry none."""
    if name in _known:
        return _known[name]
    if _PLAIN.match(name):
        kind = None
    elif _TOOL_WORDS.search(name):
        kind = TOOL_CALLS
    else:
        kind = OUTPUT if _OUTPUT_WORDS.search(name) else INPUT
    if len(_known) < _MAX_KNOWN:
        _known[name] = kind
    return kind
