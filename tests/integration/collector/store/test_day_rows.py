"""Which questions are small enough for one thread of the embedded engine."""

from pathlib import Path

from loopwatch_collector.queries.runner import ONE_THREAD, READ_SETTINGS, SEARCHING, TWO_THREADS, settings_for
from loopwatch_collector.store.store import Store
from tests.migrated_store import migrated_store

_DAY_NS = 86_400 * 10**9
_FULL_DAY_NS = 20_727 * _DAY_NS  # 2026-10-01
_SPANS = """
INSERT INTO spans (project, trace_id, span_id, start_time)
SELECT {project:String}, toFixedString('t', 16), reinterpretAsFixedString(number), toDateTime64({day:String}, 9, 'UTC')
FROM numbers({spans:UInt32})
"""


def test_a_question_is_small_by_the_spans_of_its_days(tmp_path: Path) -> None:
    """Days with few are asked with as many threads as the query says; with one of many among them, with all."""
    store = Store.open(migrated_store(tmp_path / "store"))
    try:
        connection = store.connection()
        connection.run(_SPANS, {"project": "it's (a, '2026-10-05')", "day": "2026-10-01", "spans": 300_000})
        connection.run(_SPANS, {"project": "default", "day": "2026-10-03", "spans": 100})
        assert settings_for(connection, _FULL_DAY_NS, _FULL_DAY_NS + _DAY_NS, "", 2) == READ_SETTINGS
        assert settings_for(connection, _FULL_DAY_NS - 5 * _DAY_NS, _FULL_DAY_NS + 5 * _DAY_NS, "") == READ_SETTINGS
        few = _FULL_DAY_NS + 2 * _DAY_NS, _FULL_DAY_NS + 5 * _DAY_NS
        assert settings_for(connection, *few, "") == ONE_THREAD
        assert settings_for(connection, *few, "", 2) == TWO_THREADS
    finally:
        store.close()


def test_a_search_is_never_small(tmp_path: Path) -> None:
    """What a filter searches through are texts, of which there may be many where spans are few."""
    store = Store.open(migrated_store(tmp_path / "store"))
    try:
        assert settings_for(store.connection(), _FULL_DAY_NS, _FULL_DAY_NS + _DAY_NS, '"refund"') == SEARCHING
        assert "max_threads" not in SEARCHING
        assert settings_for(store.connection(), _FULL_DAY_NS, _FULL_DAY_NS + _DAY_NS, "") == ONE_THREAD
    finally:
        store.close()
