"""The simulated prompt cache writes a prefix once and reads it afterwards."""

import pytest

from loopwatch_reference.messages_api.prompt_cache import PromptCache, prompt_blocks

MARK = {"cache_control": {"type": "ephemeral"}}
LONG = "a preface " * 500


class Clock:
    """A clock that stands until it is told."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    return PromptCache(clock)


def ask(cache, *texts, system=LONG, model="claude-sonnet-5-5", mark=MARK):
    """Asks with a marked system prompt and a marked last text; says how the tokens split."""
    blocks = [{"type": "text", "text": text} for text in texts]
    blocks[-1] = blocks[-1] | mark
    request = {
        "model": model,
        "system": [{"type": "text", "text": system} | mark],
        "messages": [{"role": "user", "content": blocks}],
    }
    prompt = prompt_blocks(request)
    return cache.use(model, prompt), prompt[-1].tokens


def test_the_second_request_reads_what_the_first_wrote(cache):
    """The same prefix is written once, then read; only what is new is written."""
    first, total = ask(cache, "one")
    assert (first.uncached, first.read, first.written) == (0, 0, total)
    second, longer = ask(cache, "one", "two")
    assert (second.uncached, second.read, second.written) == (0, total, longer - total)


def test_the_three_kinds_add_up_to_the_prompt(cache):
    """Uncached, read and written tokens are the whole prompt, whatever was cached before."""
    for texts in (["a"], ["a", "b"], ["a", "c"], ["d"]):
        use, total = ask(cache, *texts)
        assert use.uncached + use.read + use.written == total


def test_a_changed_beginning_reads_nothing(cache):
    """One changed word at the start of the prompt makes every later prefix another one."""
    ask(cache, "one")
    use, total = ask(cache, "one", system="Another " + LONG)
    assert (use.read, use.written) == (0, total)


def test_another_model_has_its_own_cache(cache):
    """What one model wrote, another does not read."""
    ask(cache, "one")
    assert ask(cache, "one", model="claude-opus-5-5")[0].read == 0


def test_a_short_prompt_is_not_cached(cache):
    """A prefix under the model's minimum is neither written nor read, and no error."""
    for _ in range(2):
        use, total = ask(cache, "one", system="short")
        assert (use.uncached, use.read, use.written) == (total, 0, 0)


def test_an_entry_lives_five_minutes_from_its_last_use(cache, clock):
    """Each use renews an entry; after five minutes without one it is gone."""
    ask(cache, "one")
    clock.now = 290
    assert ask(cache, "one")[0].read > 0
    clock.now = 580
    assert ask(cache, "one")[0].read > 0
    clock.now = 881
    assert ask(cache, "one")[0].read == 0


def test_an_hour_long_mark_is_counted_as_such(cache, clock):
    """A mark with ttl "1h" writes to the hour's count and survives for it."""
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    use, total = ask(cache, "one", mark=mark)
    assert (use.written_5m, use.written_1h) == (0, total)
    clock.now = 3500
    assert ask(cache, "one", mark=mark)[0].read == total
