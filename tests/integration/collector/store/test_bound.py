"""Long lists as parameters of statements."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopwatch_collector.store.bound import bound
from loopwatch_collector.store.store import Store

_PLAIN = st.text("0123456789abcdefé", max_size=4)
_ANY = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["'", "\\", "']", "a\tb\n", "`", "\0", ""])


@pytest.fixture(scope="module")
def module_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An embedded store for all examples."""
    opened = Store.open(f"chdb://{tmp_path_factory.mktemp('bound')}/store")
    yield opened
    opened.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_PLAIN, max_size=40) | st.lists(_PLAIN | _ANY, max_size=40))
def test_lists_of_texts_reach_the_engine_as_they_are(module_store: Store, texts: list[str]) -> None:
    """Whatever they hold, and however many there are: ids come from strangers."""
    ((found,),) = module_store.connection().rows("SELECT {texts:Array(String)}", {"texts": texts})
    assert found == texts


def test_long_lists_of_plain_texts_are_written_at_once() -> None:
    """Only what needs nobody's escaping is taken out of the driver's hands; other lists stay what they are."""
    numbers, quoted = list(range(40)), ["it's"] * 40
    assert bound({"numbers": numbers, "quoted": quoted, "few": ["a"]}) == {
        "numbers": numbers,
        "quoted": quoted,
        "few": ["a"],
    }
    assert str(bound({"ids": ["a1"] * 20})["ids"]) == "[" + ",".join(["'a1'"] * 20) + "]"
