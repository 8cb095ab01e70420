"""What the layout of the tables was chosen by: other order keys, codecs, indexes and a projection, on the same rows.

Each alternative is the table of the migrations with one thing changed, filled with the same rows and merged.
LOOPWATCH_BENCH_STORE and LOOPWATCH_BENCH_SPANS as in store_fleet; of a larger store the last twelve days are taken.
With LOOPWATCH_BENCH_DATA, what the index of words takes is measured on recorded conversations (see store_disk) too.
"""

import os
import re
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.store import Store
from tests.bench import store_corpus
from tests.bench.store_disk import FIRST_DAY_NS, TOLD, send
from tests.bench.store_fleet import LAST_DAY, store_directory

DAYS: Final = 12
Change = Callable[[str], str]
_FINAL: Final = {"do_not_merge_across_partitions_select_final": 1}


def _ordered(key: str) -> Change:
    return lambda ddl: re.sub(r"\nORDER BY \(.*\)\n", f"\nORDER BY ({key})\n", ddl)


def _without(index: str) -> Change:
    return lambda ddl: re.sub(rf",\n    INDEX {index} .*", "", ddl)


def _indexed(definition: str) -> Change:
    return lambda ddl: re.sub(r"INDEX body_tokens .*", f"INDEX body_tokens {definition}", ddl)


def _compressed(codec: str) -> Change:
    return lambda ddl: ddl.replace("ZSTD(1)", codec)


def _names_in_lz4(ddl: str) -> str:
    return re.sub(r"(LowCardinality\(String\)) CODEC\(ZSTD\(1\)\)", r"\1", ddl)


def _projected(ddl: str) -> str:
    projection = "PROJECTION by_tool (SELECT tool, kind, count(), sum(duration_ns) GROUP BY tool, kind)"
    with_it = ddl.replace("\n)\nENGINE", f",\n    {projection}\n)\nENGINE", 1)
    return with_it.replace("SETTINGS ", "SETTINGS deduplicate_merge_projection_mode = 'rebuild', ")


SPANS: Final[Mapping[str, Change]] = {
    "minute, trace, span (ours)": lambda ddl: ddl,
    "minute, trace, start, span": _ordered("project, toStartOfMinute(start_time), trace_id, start_time, span_id"),
    "start, trace, span": _ordered("project, start_time, trace_id, span_id"),
    "hour, trace, start, span": _ordered("project, toStartOfHour(start_time), trace_id, start_time, span_id"),
    "trace, start, span": _ordered("project, trace_id, start_time, span_id"),
    "ours, names in LZ4": _names_in_lz4,
    "ours, all in ZSTD(3)": _compressed("ZSTD(3)"),
    "ours, no bloom of run_id": _without("run_id_bloom"),
    "ours, projection by tool": _projected,
}
RUNS: Final[Mapping[str, Change]] = {
    "run (ours)": lambda ddl: ddl,
    "start, run": _ordered("project, start_time, run_id"),
    "agent, run": _ordered("project, agent, run_id"),
    "ours, no bloom of run_id": _without("run_id_bloom"),
}
CONTENTS: Final[Mapping[str, Change]] = {
    "token bloom, 8 KB a granule (ours)": lambda ddl: ddl,
    "no index": _without("body_tokens"),
    "text index": _indexed("body TYPE text(tokenizer = 'splitByNonAlpha', preprocessor = lower(body))"),
    "text index, bit-packed": _indexed(
        "body TYPE text(tokenizer = 'splitByNonAlpha', preprocessor = lower(body), posting_list_codec = 'bitpacking')"
    ),
    "bloom of words, of the size they need": _indexed("tokens(lower(body)) TYPE bloom_filter(0.02) GRANULARITY 1"),
    "token bloom, 16 KB a granule": _indexed("lower(body) TYPE tokenbf_v1(16384, 3, 0) GRANULARITY 1"),
    "ours, blocks of 64 KB": lambda ddl: re.sub(r"(m\w+_compress_block_size) = \d+", r"\1 = 65536", ddl),
    "ours, always ZSTD(3)": lambda ddl: re.sub(r"\nTTL .*", "", ddl),
}


def main() -> None:
    """Prints the tables."""
    with store_directory() as directory, closing(Store.open(f"chdb://{directory}")) as store:
        _compare(store.connection(), "spans", SPANS, _span_reads(store.connection()))
        _compare(store.connection(), "runs", RUNS, _run_reads(store.connection()))
    data = os.environ.get("LOOPWATCH_BENCH_DATA")
    if data is None:
        print("contents: LOOPWATCH_BENCH_DATA names no folder")
        return
    told = store_corpus.trajectories(Path(data) / "tau_bench_airline" / "gpt-4o-airline.json")
    with TemporaryDirectory(prefix="loopwatch-bench-") as folder, closing(Store.open(f"chdb://{folder}/s")) as store:
        send(store, store_corpus.requests(told, TOLD, FIRST_DAY_NS, 512))
        _compare(store.connection(), "contents", CONTENTS, {})


def _compare(connection: Connection, table: str, changes: Mapping[str, Change], reads: Mapping[str, str]) -> None:
    ddl: str = connection.rows(f"SHOW CREATE TABLE {table}")[0][0]
    print(f"\n{table:30} {'bytes':>7} {'write us':>9}" + "".join(f" {name:>16}" for name in reads))
    for name, change in changes.items():
        connection.run("DROP TABLE IF EXISTS alternative")
        connection.run(change(ddl).replace(f"TABLE default.{table}", "TABLE alternative"))
        since = LAST_DAY - timedelta(days=DAYS - 1)
        which = "1" if table == "contents" else "toDate(start_time) >= {since:Date}"
        began = time.process_time()
        connection.run(f"INSERT INTO alternative SELECT * FROM {table} WHERE {which}", {"since": since})
        took = time.process_time() - began
        connection.run("OPTIMIZE TABLE alternative FINAL")
        rows, size = connection.rows(
            "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'alternative'"
        )[0]
        cells = "".join(
            f" {_median_ms(partial(connection.rows, sql, None, _FINAL)):>13.1f} ms" for sql in reads.values()
        )
        print(f"{name:30} {size / rows:>7.1f} {took / rows * 1e6:>9.1f}{cells}", flush=True)
    connection.run("DROP TABLE alternative")


def _span_reads(connection: Connection) -> dict[str, str]:
    run_id, begin, end = connection.rows(
        "SELECT run_id, toString(first_span_time), toString(last_span_time) FROM runs "
        "ORDER BY start_time DESC LIMIT 1 OFFSET 99"
    )[0]
    day = f"start_time >= '{LAST_DAY}' AND start_time < '{LAST_DAY + timedelta(days=1)}'"
    return {
        "one run": f"SELECT * FROM alternative FINAL WHERE project = 'default' AND run_id = '{run_id}' "
        f"AND start_time >= '{begin}' AND start_time <= '{end}'",
        "5 minutes": "SELECT agent, count(), sum(cost_usd) FROM alternative FINAL WHERE project = 'default' "
        f"AND start_time >= '{LAST_DAY} 12:00:00' AND start_time < '{LAST_DAY} 12:05:00' GROUP BY agent",
        "tools of a day": "SELECT tool, count(), quantile(0.95)(duration_ns) FROM alternative FINAL "
        f"WHERE project = 'default' AND {day} AND kind = 'tool_call' GROUP BY tool",
        "tools of all": "SELECT tool, count(), sum(duration_ns) FROM alternative GROUP BY tool",
    }


def _run_reads(connection: Connection) -> dict[str, str]:
    run_id = connection.rows("SELECT run_id FROM runs ORDER BY start_time DESC LIMIT 1 OFFSET 99")[0][0]
    return {
        "one run": f"SELECT * FROM alternative FINAL WHERE project = 'default' AND run_id = '{run_id}'",
        "latest 50": "SELECT run_id, agent, cost_usd FROM alternative FINAL WHERE project = 'default' "
        f"AND start_time >= '{LAST_DAY}' ORDER BY start_time DESC LIMIT 50",
        "cost by agent": "SELECT agent, sum(cost_usd) FROM alternative FINAL WHERE project = 'default' GROUP BY agent",
    }


def _median_ms(read: Callable[[], Any]) -> float:
    times: list[float] = []
    for _ in range(7):
        began = time.perf_counter()
        read()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
