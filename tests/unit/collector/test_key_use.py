"""The account of a key, and the mark it is known by."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from loopwatch_collector.auth import Keyring
from loopwatch_collector.key_use import KeyUse, fingerprint
from loopwatch_collector.settings import Key


def test_mark_is_short_stable_and_of_the_key_alone() -> None:
    """The same key has the same mark, another key another, and the mark is no plain digest of the key."""
    assert fingerprint("k1") == fingerprint("k1")
    assert len(fingerprint("k1")) == 8
    assert len({fingerprint(f"key-{number}") for number in range(40)}) == 40
    assert not hashlib.sha256(b"k1").hexdigest().startswith(fingerprint("k1"))


def test_counts_of_several_threads_add_up() -> None:
    """Nothing is lost when requests are counted at the same time."""
    use = KeyUse()

    def count(_: int) -> None:
        use.request()
        use.spans(2, 1)
        use.refusal()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(2_000)))
    assert (use.requests, use.accepted_spans, use.rejected_spans, use.refused_requests) == (2_000, 4_000, 2_000, 2_000)
    assert use.last_used_ns > 0


def test_keyring_keeps_accounts_apart() -> None:
    """A request counts for the key it came with and for no other."""
    ring = Keyring([Key("shop", "ingest", "k1"), Key("shop", "read", "k2")])
    ring.authenticate("Bearer k1")
    ring.authenticate("Bearer k1")
    assert [known.principal.use.requests for known in ring.known] == [2, 0]
    assert ring.unknown.requests == 0
