"""What each key was used for since the collector started, and a mark to know a key by."""

import hashlib
import threading
import time
from functools import lru_cache
from typing import Final

# The same for every collector, so that a key keeps its mark. What protects a guessable key is the cost of a guess, and
# that 32 bits fit countless other keys as well.
_SALT: Final = b"loopwatch key fingerprint"
_FINGERPRINT_BYTES: Final = 4


class KeyUse:
    """The account of one key. Several threads count.

    Attributes:
        last_used_ns: when its last request came, ns since the epoch; 0 for never.
        requests: how many came.
        refused_requests: of these, how many were refused; what was not found is no refusal.
        accepted_spans: spans acknowledged.
        rejected_spans: spans of readable requests that were not taken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last_used_ns = 0
        self.requests = 0
        self.refused_requests = 0
        self.accepted_spans = 0
        self.rejected_spans = 0

    def request(self) -> None:
        """Counts a request that came with this key."""
        with self._lock:
            self.requests += 1
            self.last_used_ns = time.time_ns()

    def refusal(self) -> None:
        """Counts a refusal of such a request."""
        with self._lock:
            self.refused_requests += 1

    def spans(self, accepted: int, rejected: int) -> None:
        """Counts what such a request brought."""
        with self._lock:
            self.accepted_spans += accepted
            self.rejected_spans += rejected


@lru_cache(maxsize=1024)
def fingerprint(secret: str) -> str:
    """A short mark of a key, always the same, from which the key cannot be told."""
    digest = hashlib.scrypt(
        secret.encode("utf-8", "surrogateescape"), salt=_SALT, n=2**12, r=8, p=1, dklen=_FINGERPRINT_BYTES
    )
    return digest.hex()
