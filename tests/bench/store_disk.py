"""What is on the disk: bytes a span without content, and with content against the gzip of the same OTLP bodies.

The bodies are those of `loopwatch simulate`, sent through the collector's own decoding, as the writer does it.
"""

import gzip
from tempfile import TemporaryDirectory

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.simulate.simulation import Simulation
from loopwatch_collector.simulate.truth import Truth
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.senders import Senders
from loopwatch_collector.write.storing import Storing

FIRST_DAY_NS = 20_770 * 86_400 * 10**9
RUNS = 800
TABLES = ("spans", "contents")


def main() -> None:
    """Prints the table."""
    print(f"{'':16} {'spans':>8} {'gzip MB':>8} {'spans MB':>9} {'contents MB':>12} {'B/span':>7} {'of gzip':>8}")
    for has_content in (False, True):
        _measure(has_content=has_content)


def _measure(*, has_content: bool) -> None:
    with TemporaryDirectory(prefix="loopwatch-bench-") as folder:
        store = Store.open(f"chdb://{folder}/store")
        spans, zipped = _send(store, has_content=has_content)
        for table in TABLES:
            store.connection().run(f"OPTIMIZE TABLE {table} FINAL")
        sizes = dict(
            store.connection().rows("SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active GROUP BY table")
        )
        store.close()
    stored = sum(sizes.get(table, 0) for table in TABLES)
    print(
        f"{'with content' if has_content else 'without content':16} {spans:>8,} {zipped / 2**20:>8.1f} "
        f"{sizes['spans'] / 2**20:>9.1f} {sizes.get('contents', 0) / 2**20:>12.1f} "
        f"{stored / spans:>7.1f} {stored / zipped:>8.2f}"
    )


def _send(store: Store, *, has_content: bool) -> tuple[int, int]:
    storing = Storing(store, Pricer(), Metrics(), Senders())
    spans = zipped = 0
    simulation = Simulation(FIRST_DAY_NS, 1, RUNS, seed=1, has_content=has_content, incident_kinds=())
    records: list[Record] = []
    for number, request in enumerate(simulation.requests(Truth(), spans_per_request=512), 1):
        spans += request.spans
        zipped += len(gzip.compress(request.body, 6))
        decoded = ExportTraceServiceRequest.FromString(request.body)
        records.append(Record("traces", "default", number, "", request.spans, request.body, decoded))
        if len(records) == 10:
            storing.write(storing.prepare(records), is_stubborn=False)
            records = []
    if records:
        storing.write(storing.prepare(records), is_stubborn=False)
    return spans, zipped


if __name__ == "__main__":
    main()
