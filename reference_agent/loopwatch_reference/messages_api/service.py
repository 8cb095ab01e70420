"""One request answered: faults, validation, cache, policy, usage. Values in, values out; the HTTP is in server.py."""

import itertools
import threading
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from loopwatch_reference.messages_api.conversation import read_conversation
from loopwatch_reference.messages_api.errors import ApiError, InvalidRequest, Overloaded, RateLimited
from loopwatch_reference.messages_api.policy import reply_to
from loopwatch_reference.messages_api.prompt_cache import PromptCache, prompt_blocks
from loopwatch_reference.messages_api.replies import build_message
from loopwatch_reference.messages_api.validation import check_request
from loopwatch_reference.seeding import seeded

FAULT_HEADER = "simulated-fault"
"""A request header of the simulator only: the name of a fault that this request must meet."""

_CONTEXT_WINDOW_TOKENS = 200_000


@dataclass(frozen=True)
class ServiceSettings:
    """How the simulated API behaves.

    Attributes:
        seed: decides temperaments, identifiers and refusals.
        rate_limited_share: share of requests refused with 429.
        overloaded_share: share of requests refused with 529.
        retry_after_s: what a 429 asks the client to wait.
        latency_scale: 1 answers as slowly as a real model, 0 at once.
    """

    seed: int = 0
    rate_limited_share: float = 0.0
    overloaded_share: float = 0.0
    retry_after_s: int = 1
    latency_scale: float = 0.0


class MessagesService:
    """The state of the simulated API: its prompt cache and the count of its requests."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self._cache = PromptCache(time.monotonic)
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def next_rng(self) -> Random:
        """The randomness of one request: identifiers, refusals, jitter."""
        with self._lock:
            number = next(self._numbers)
        return seeded(self.settings.seed, "request", number)

    def answer(self, body: Any, fault: str, rng: Random) -> dict[str, Any]:
        """Answers one request.

        Args:
            body: the decoded JSON.
            fault: what the fault header asks for, or "".
            rng: of this request.

        Returns:
            The message.

        Raises:
            ApiError: the request is refused.
        """
        request = check_request(body)
        self._refuse(fault, rng)
        blocks = prompt_blocks(request)
        if blocks[-1].tokens > _CONTEXT_WINDOW_TOKENS:
            raise InvalidRequest(f"prompt is too long: {blocks[-1].tokens} tokens > {_CONTEXT_WINDOW_TOKENS} maximum")
        cache_use = self._cache.use(request["model"], blocks)
        return build_message(request, reply_to(read_conversation(request), self.settings.seed), cache_use, rng)

    def _refuse(self, fault: str, rng: Random) -> None:
        draw = rng.random()
        if fault == "overloaded" or draw < self.settings.overloaded_share:
            raise Overloaded("Overloaded")
        if fault == "rate_limited" or draw < self.settings.overloaded_share + self.settings.rate_limited_share:
            raise RateLimited(
                "This request would exceed your organization's rate limit of 50 requests per minute.",
                self.settings.retry_after_s,
            )
        if fault:
            raise InvalidRequest(f"{FAULT_HEADER}: there is no fault '{fault}'; use overloaded or rate_limited")

    def count_tokens(self, body: Any) -> dict[str, int]:
        """Answers `/v1/messages/count_tokens`."""
        request = check_request({"max_tokens": 1, **body} if isinstance(body, dict) else body)
        return {"input_tokens": prompt_blocks(request)[-1].tokens}


def first_token_delay_s(message: dict[str, Any], rng: Random) -> float:
    """How long a real model would think before its first token."""
    usage = message["usage"]
    return 0.5 + usage["input_tokens"] * 8e-5 + rng.expovariate(4.0)


def writing_time_s(message: dict[str, Any]) -> float:
    """How long a real model would write the rest."""
    return message["usage"]["output_tokens"] * 0.012


__all__ = ["FAULT_HEADER", "ApiError", "MessagesService", "ServiceSettings", "first_token_delay_s", "writing_time_s"]
