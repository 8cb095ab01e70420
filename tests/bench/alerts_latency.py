"""From the stored cost crossing a threshold to the notification, with a real collector and a real webhook.

python -m tests.bench.alerts_latency [--crossings 12]
"""

import argparse
import json
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from loopwatch_collector.alerts.engine import AlertEngine
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.store.store import Store
from tests.bench.alerts_spans import put_call

_THRESHOLD_USD = 50


class Receiver(ThreadingHTTPServer):
    """Notes when each customer's message came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ReceiverHandler)
        self.came: dict[str, float] = {}
        self.changed = threading.Condition()


class _ReceiverHandler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if message["rule"] == "customer-budget-hour":
            with self.server.changed:
                self.server.came[message["group"]["customer"]] = time.monotonic()
                self.server.changed.notify_all()
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name http.server passes
        pass


def latencies(crossings: int) -> list[float]:
    """Lets one customer after the other cross the delivered rule's threshold; returns the seconds until told."""
    found: list[float] = []
    with tempfile.TemporaryDirectory() as folder, Receiver() as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        rules = Path(folder) / "rules.toml"
        url = f"http://127.0.0.1:{receiver.server_port}/"
        rules.write_text(f'[channels.hook]\nwebhook = "{url}"\nsecret = "s"\nallow_private = true\n')
        store = Store.open(f"chdb://{folder}/store")
        engine = AlertEngine(store, Metrics(), ["default"], rules)
        engine.start()
        for number in range(crossings):
            customer = f"customer-{number}"
            put_call(store, customer, _THRESHOLD_USD - 1)
            time.sleep(3.7 * (number % 4))  # at different moments of the rule's fifteen seconds
            put_call(store, customer, 2)
            crossed = time.monotonic()
            with receiver.changed:
                receiver.changed.wait_for(lambda name=customer: name in receiver.came, timeout=60)
            found.append(receiver.came[customer] - crossed)
        engine.stop(10)
        store.close()
        receiver.shutdown()
    return found


def main(argv: list[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--crossings", type=int, default=12)
    found = latencies(parser.parse_args(argv or []).crossings)
    print(f"stored cost over ${_THRESHOLD_USD} to the webhook, {len(found)} crossings, delivered rules, every 15 s:")
    print(f"  median {median(found):.1f} s (under 15), most {max(found):.1f} s (at most 30), least {min(found):.1f} s")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
