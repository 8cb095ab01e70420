"""Content by message, each once per trace."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loopwatch_collector.write.contents import MAX_BODY_BYTES, Contents, content_hash, messages_of

TRACE, DAY_NS = b"t" * 16, 86_400 * 10**9


def test_history_that_is_sent_again_is_stored_once() -> None:
    """A loop that resends its history each turn adds one message a turn, not all of them."""
    contents = Contents(set())
    history: list[dict[str, str]] = []
    for turn in range(10):
        history.append({"role": "user", "content": f"turn {turn}"})
        for message in messages_of(json.dumps(history).encode()):
            contents.add("shop", TRACE, DAY_NS, message)
    assert len(contents.bodies) == 10


def test_equal_texts_of_other_traces_projects_and_days_are_kept_apart() -> None:
    """Deleting a trace deletes its content and nobody else's."""
    contents = Contents(set())
    hashes = {
        contents.add(project, trace, start_ns, b"hello")
        for project in ("shop", "bank")
        for trace in (TRACE, b"u" * 16)
        for start_ns in (0, DAY_NS)
    }
    assert (len(hashes), len(contents.rows())) == (1, 8)


def test_content_known_to_be_stored_is_not_stored_again() -> None:
    """What an earlier batch stored is referred to, not repeated."""
    first = Contents(set())
    digest = first.add("shop", TRACE, 0, b"hello")
    second = Contents(set(first.bodies))
    assert second.add("shop", TRACE, 0, b"hello") == digest == content_hash(b"hello")
    assert second.rows() == []


@given(
    st.lists(
        st.dictionaries(st.text(max_size=4), st.text(max_size=9) | st.integers(0, 9), max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_messages_put_together_are_what_was_sent(sent: list[dict[str, str | int]]) -> None:
    """Splitting loses nothing, and equal messages give equal bodies however they were spaced."""
    loose, tight = json.dumps(sent, indent=2).encode(), json.dumps(sent, separators=(",", ":")).encode()
    assert [json.loads(body) for body in messages_of(loose)] == sent
    assert messages_of(loose) == messages_of(tight)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(_JSON, min_size=1, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_messages_of_any_shape_and_spelling_are_what_was_sent(
    sent: list[Any], escaped: bool, indent: int | None
) -> None:
    """Whether characters are written as escapes or plainly, each body is its message; a text is itself."""
    bodies = messages_of(json.dumps(sent, ensure_ascii=escaped, indent=indent).encode())
    assert [
        body.decode() if isinstance(one, str) else json.loads(body) for one, body in zip(sent, bodies, strict=True)
    ] == sent


def test_the_same_text_is_the_same_body_however_it_is_escaped() -> None:
    """One library escapes what is not ASCII and slashes, another does not: the history is stored once all the same."""
    plain = '[{"content":"caf\u00e9 a/b"}]'.encode()
    assert messages_of(plain) == messages_of(b'[{"content": "caf\\u00e9 a\\/b"}]') == [plain[1:-1]]


def test_lists_that_no_encoder_writes_stay_whole() -> None:
    """What cannot be split (broken, nested too deep) is one body, and no reason to set a span aside."""
    for body in (b"[", b"[]", b'[{"a":]', b"[NaN]", b"[1] 2", b"[" * 600 + b"]" * 600, b"[" * 5_000 + b"]" * 5_000):
        assert messages_of(body) == [body]


@given(st.binary(max_size=50))
def test_what_is_no_list_of_messages_stays_whole(body: bytes) -> None:
    """Text and broken JSON are one body, unchanged."""
    if not body.startswith(b"["):
        assert messages_of(body) == [body]


def test_huge_bodies_are_cut_with_a_note() -> None:
    """A body over the cap is cut between characters, and says how much is missing."""
    contents = Contents(set())
    contents.add("shop", TRACE, 0, "é".encode() * MAX_BODY_BYTES)
    (body,) = contents.bodies.values()
    assert len(body) < MAX_BODY_BYTES + 100
    assert body.decode().endswith(f"({MAX_BODY_BYTES} bytes were left out)")
