"""What a span costs: bytes on disk by table, CPU from request to row, memory; the figures behind docs/sizing.md."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.processes import Running, collector, loopwatch, wait_for

_PARTS = """
SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts
WHERE active AND database = currentDatabase() AND table IN ('spans', 'contents', 'runs')
GROUP BY table
"""
_DEADLINE_S = 600


def main() -> None:
    """Prints one row without content and one with."""
    head = (
        "content",
        "spans",
        "spans/run",
        "spans B",
        "contents B",
        "runs B/run",
        "gzip B",
        "CPU µs",
        "RSS MB",
        "wall s",
    )
    print(" ".join(f"{title:>10}" for title in head) + "   (B and µs a span)")
    for has_content, spans in ((False, 200_000), (True, 60_000)):
        with tempfile.TemporaryDirectory() as folder:
            print(" ".join(f"{value:>10}" for value in _measured(Path(folder), has_content, spans)))


def _measured(folder: Path, has_content: bool, spans: int) -> list[str]:
    environment = {"LOOPWATCH_RETENTION_DAYS": "4000", "LOOPWATCH_CONTENT_RETENTION_DAYS": "4000"}
    with collector(folder, **environment) as running:
        before_s, began = _cpu_s(running), time.monotonic()
        sent = loopwatch(
            "simulate", "--spans", str(spans), "--days", "10", "--end", "2026-01-11", "--quiet",
            "--content" if has_content else "--no-content",
            "--endpoint", running.url, "--truth", str(folder / "truth.json"), timeout=_DEADLINE_S,
        )  # fmt: skip
        assert sent.returncode == 0, sent.stderr
        wait_for(lambda: _metric(running, "loopwatch_journal_records") == 0, "everything is written", _DEADLINE_S)
        wall_s, cpu_s, rss_mb = time.monotonic() - began, _cpu_s(running) - before_s, _rss_mb(running)
        gzip_bytes = _metric(running, "loopwatch_received_bytes_total")
    totals = json.loads((folder / "truth.json").read_text())["totals"]
    tables = _tables(folder / "data" / "store")
    count = totals["spans"]
    return [
        "on" if has_content else "off", str(count), f"{count / totals['runs']:.1f}",
        f"{tables['spans'] / count:.1f}", f"{tables.get('contents', 0) / count:.1f}",
        f"{tables['runs'] / totals['runs']:.0f}", f"{gzip_bytes / count:.0f}", f"{cpu_s / count * 1e6:.0f}",
        f"{rss_mb:.0f}", f"{wall_s:.1f}",
    ]  # fmt: skip


def _cpu_s(running: Running) -> float:
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(running: Running) -> float:
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _metric(running: Running, name: str) -> float:
    with urllib.request.urlopen(f"{running.url}/metrics", timeout=10) as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def _tables(store: Path) -> dict[str, float]:
    """Bytes on disk by table. In a process of its own: the engine opens one directory in a process."""
    script = (
        "import clickhouse_connect, json, sys\n"
        "client = clickhouse_connect.get_client(dsn=f'chdb://{sys.argv[1]}')\n"
        "print(json.dumps({table: size for table, _, size in client.query(sys.argv[2]).result_rows}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(store), _PARTS], capture_output=True, text=True, check=True
    )
    sizes: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return sizes
