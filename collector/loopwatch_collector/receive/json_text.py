"""JSON as senders write it: strict but for halves of characters."""

import re
from typing import Any, Final

import orjson

# Halves of a character beyond U+FFFF, as JavaScript leaves them when a text is cut within an emoji. Escapes of other
# kinds are passed over whole, so that a backslash that is itself escaped begins none.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def loads(text: bytes) -> Any:
    """Reads JSON; half a character, which no text can hold, becomes U+FFFD.

    Args:
        text: UTF-8.

    Raises:
        orjson.JSONDecodeError: it is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        mended = _ESCAPE.sub(_whole, text) if _HALF.search(text) else text
        if mended == text:
            raise
        return orjson.loads(mended)


def _whole(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape[1] else escape[0]
