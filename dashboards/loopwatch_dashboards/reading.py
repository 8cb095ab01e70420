"""Content drawn safely: text as text, JSON folded; nothing from a trace is rendered or fetched."""

import json
from collections.abc import Iterable
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import formatting
from loopwatch_dashboards.messages import Message, Part
from loopwatch_dashboards.text import plain, visible

_AVATARS: Final = {
    "user": ":material/person:",
    "assistant": ":material/smart_toy:",
    "system": ":material/settings:",
    "tool": ":material/build:",
}
_SHORT_JSON: Final = 160
_SHORT_TEXT: Final = 600


def body(text: str) -> None:
    """A text as it is: in one typeface, wrapped, with control characters made visible."""
    st.code(visible(text), language=None, wrap_lines=True)


def prose(text: str) -> None:
    """What somebody said: as text, in the typeface of the page."""
    st.text(visible(text))


def structure(value: Any, label: str = "") -> None:
    """A structure as JSON, folded unless it is short; a long text is folded too."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) <= (_SHORT_TEXT if isinstance(value, str) else _SHORT_JSON):
        body(text)
        return
    unfolded = text if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
    size = formatting.size(len(text.encode(errors="replace")))
    with st.expander(f"{plain(label or 'content', 40)} · {size} · {plain(text, 90)}"):
        body(unfolded)


def message(said: Message) -> None:
    """One message as a chat bubble."""
    with st.chat_message(plain(said.role, 40), avatar=_AVATARS.get(said.role, ":material/chat:")):
        st.caption(plain(said.role, 40))
        parts(said.parts)


def parts(pieces: Iterable[Part]) -> None:
    """The parts of a message, in order."""
    for piece in pieces:
        if piece.kind == "text":
            prose(piece.text)
        elif piece.kind == "reasoning":
            with st.expander("reasoning", icon=":material/psychology:"):
                prose(piece.text)
        elif piece.kind == "tool_call":
            st.markdown(f":material/build: calls **{plain(piece.name)}**")
            structure(piece.data, "arguments")
        elif piece.kind == "tool_result":
            st.markdown(f":material/output: result {plain(piece.name)}".rstrip())
            structure(piece.data, "result")
        else:
            structure(piece.data)
