"""Dead letters from the outside: listed, shown and sent on again by an operator, over HTTP and by the command."""

import json
import time
from collections.abc import Generator
from typing import Any

import pytest

from loopwatch_collector.journal.journal import Journal, JournalLimits
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.store.store import Store
from tests.chaos.load import Load, recent_midnight_ns
from tests.processes import ALL_TIME, Running, bare_collector, get, loopwatch, wait_for

_GOOD_BATCH = 1


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A collector with two letters: a good batch that was once refused, and waiting bytes that mean nothing."""
    folder = tmp_path_factory.mktemp("letters")
    data_dir = folder / "data"
    data_dir.mkdir()
    store = Store.open(f"chdb://{data_dir}/store")
    store.insert_dead_letter("default", "traces", time.time_ns(), "the engine was ill", _load().body(_GOOD_BATCH))
    store.close()
    journal = Journal(data_dir / "journal.sqlite", JournalLimits(min_free_bytes=0), Metrics())
    journal.append(Record("traces", "default", time.time_ns(), "", 1, b"\xffnot a request")).result(30)
    journal.close()
    with bare_collector(folder) as running:
        wait_for(lambda: len(_letters(running)) == 2, "both letters are listed")
        yield running


def _load() -> Load:
    return Load(5, recent_midnight_ns(time.time_ns()))


def _letters(running: Running, **parameters: str) -> list[dict[str, Any]]:
    return get(f"{running.url}/api/v1/dead-letters", **parameters)["dead_letters"]


def _letter(running: Running, word: str) -> dict[str, Any]:
    return next(letter for letter in _letters(running, redriven="true") if word in letter["reason"])


def _command(running: Running, *words: str) -> Any:
    done = loopwatch("dead-letters", *words, "--json", "--endpoint", running.url)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_does_not_decode_is_listed_with_the_reason(operated: Running) -> None:
    """Acknowledged bytes that cannot be read block nothing and are found again, reason and size included."""
    letter = _letter(operated, "does not decode")
    assert letter["body_bytes"] == len(b"\xffnot a request")
    shown = _command(operated, "show", letter["id"][:12])
    assert shown["content"] is None


def test_a_letter_is_shown_with_what_is_in_it(operated: Running) -> None:
    """The command shows a letter's spans as JSON, by the beginning of its id."""
    shown = _command(operated, "show", _letter(operated, "engine was ill")["id"][:12])
    spans = shown["content"]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert len(spans) == _load().spans_in(_GOOD_BATCH)


def test_a_letter_sent_on_again_is_stored(operated: Running) -> None:
    """After a re-drive the spans are in their run, and the letter no longer waits."""
    letter = _letter(operated, "engine was ill")
    answer = _command(operated, "redrive", letter["id"])
    assert answer == {"redriven": [letter["id"]]}
    runs = wait_for(lambda: get(f"{operated.url}/api/v1/runs", **ALL_TIME)["runs"] or None, "the run is stored")
    assert runs[0]["model_calls"] == _load().spans_in(_GOOD_BATCH)
    assert letter["id"] not in {waiting["id"] for waiting in _letters(operated)}
    assert _letter(operated, "engine was ill")["redriven_at"]


def test_what_is_refused_again_is_a_new_letter(operated: Running) -> None:
    """Sending on what still cannot be read loses nothing: it waits again."""
    letter = _letter(operated, "does not decode")
    _command(operated, "redrive", letter["id"])
    wait_for(
        lambda: len([one for one in _letters(operated) if "does not decode" in one["reason"]]) == 1,
        "the letter waits again",
    )


def test_an_id_nobody_knows_is_one_sentence(operated: Running) -> None:
    """The command names the id and says how to find one."""
    done = loopwatch("dead-letters", "show", "feedbeef", "--endpoint", operated.url)
    assert done.returncode == 1
    assert "feedbeef" in done.stderr
    assert "Traceback" not in done.stderr
