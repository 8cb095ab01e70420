"""The SDK against a real collector: spans over gRPC, prices for its limits, both with an agent's key."""

import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

import loopwatch
from tests.processes import ALL_TIME, Running, bare_collector, get, wait_for
from tests.sdk_sink import SentSpan, decode

KEYS = "default:ingest:agents-key,default:read:readers-key"
PRICES = """
[[price]]
provider = "house"
model = "house-model"
from = 2020-01-01
input = 2.0
output = 10.0
"""
RUN = """
import os, sys
import loopwatch

loopwatch.configure(service_name="t")

@loopwatch.agent(name=sys.argv[1])
def work():
    for _ in loopwatch.iterations(2):
        pass

work()
"""
FORK = """
if os.fork() == 0:
    work()
    assert loopwatch.flush(20)
    os._exit(0)
os.wait()
"""


@dataclass(frozen=True)
class Addresses:
    """Where the collector listens."""

    url: str
    grpc: str


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """A collector with a key per role, prices of its own, and gRPC."""
    folder = tmp_path_factory.mktemp("collector")
    prices = folder / "prices.toml"
    prices.write_text(PRICES)
    env = {"LOOPWATCH_KEYS": KEYS, "LOOPWATCH_GRPC_PORT": "0", "LOOPWATCH_PRICES": str(prices)}
    with bare_collector(folder, **env) as running:
        yield Addresses(running.url, f"http://{wait_for(lambda: _grpc_address(running), 'the log names the port')}")


def _grpc_address(running: Running) -> str | None:
    found = re.search(r"OTLP over gRPC on (\S+)", running.log.read_text())
    return found[1] if found else None


def run(code: str, agent: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a program that sends over gRPC, to its end."""
    given = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "LOOPWATCH_API_KEY": "agents-key",
        "LOOPWATCH_SPOOL_DIR": str(folder),
        **env,
    }
    return subprocess.run(
        [sys.executable, "-c", code, agent], env=given, capture_output=True, text=True, timeout=60, check=False
    )


def stored(addresses: Addresses, agent: str, runs: int) -> list[int]:
    """Waits until so many runs of an agent are stored; returns their iterations."""
    headers = {"authorization": "Bearer readers-key"}

    def look() -> list[int] | None:
        found = get(f"{addresses.url}/api/v1/runs", headers, agent=agent, **ALL_TIME)["runs"]
        whole = [run["iterations"] for run in found if run["outcome"] == "completed"]
        return whole if len(whole) >= runs else None

    return wait_for(look, f"{runs} runs of {agent} stored")


def test_spans_go_over_grpc_by_the_standard_variable(addresses: Addresses, tmp_path: Path) -> None:
    """OTEL_EXPORTER_OTLP_PROTOCOL=grpc sends to the endpoint's port with the agent's key, and leaves no spool."""
    done = run(RUN, "by-grpc", tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=addresses.grpc)
    assert (done.returncode, done.stderr) == (0, "")
    assert stored(addresses, "by-grpc", 1) == [2]
    assert list(tmp_path.rglob("*.otlp")) == []


@contextmanager
def grpc_sink(port: int) -> Iterator[list[SentSpan]]:
    """Takes traces over gRPC on a port."""
    taken: list[SentSpan] = []

    def export(body: bytes, context: object) -> bytes:
        taken.extend(decode(body))
        return b""

    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        methods = {"Export": grpc.unary_unary_rpc_method_handler(export)}
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, methods)])
        server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        yield taken
        server.stop(None).wait()


def test_spans_that_grpc_could_not_deliver_are_delivered_by_a_later_process(tmp_path: Path) -> None:
    """What waited on disk while nobody listened goes over gRPC once, when somebody does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    where = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"127.0.0.1:{port}", "OTEL_EXPORTER_OTLP_INSECURE": "true"}
    done = run(RUN, "waits", tmp_path, **where)
    assert done.returncode == 0
    assert "UNAVAILABLE" in done.stderr
    assert len(list(tmp_path.rglob("*.otlp"))) == 1
    with grpc_sink(port) as taken:
        assert run(RUN + "assert loopwatch.flush(20)", "again", tmp_path, **where).returncode == 0
        assert Counter(span.attributes["gen_ai.agent.name"] for span in taken) == {"waits": 3, "again": 3}
    assert list(tmp_path.rglob("*.otlp")) == []


def test_forked_child_sends_over_grpc_too(addresses: Addresses, tmp_path: Path) -> None:
    """Parent and child have channels of their own."""
    done = run(RUN + FORK, "forked", tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=addresses.grpc)
    assert done.returncode == 0, done.stderr
    assert stored(addresses, "forked", 2) == [2, 2]


def test_grpc_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The base install has no grpcio; asked for, it is a setting that cannot be honoured."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(loopwatch.ConfigurationError, match=r"pip install 'loopwatch\[grpc\]'"):
        loopwatch.configure(spool_dir=tmp_path)


@pytest.fixture
def configured(addresses: Addresses, tmp_path: Path) -> Iterator[Addresses]:
    """This process, recording to the collector with an agent's key."""
    loopwatch.configure(service_name="t", endpoint=addresses.url, api_key="agents-key", spool_dir=tmp_path)
    yield addresses
    loopwatch.shutdown()


def spend(model: str, calls: int) -> None:
    """An agent's model calls of a million tokens each; after the first its price is waited for."""
    call(model)
    current = loopwatch.current_run()
    assert current is not None
    prices = current.prices
    assert prices is not None
    wait_for(lambda: prices.is_known("house", model), "the collector's answer about the price")
    for _ in range(calls - 1):
        call(model)


def call(model: str) -> None:
    """One model call of a million tokens."""
    with loopwatch.model_call(model, provider="house") as made:
        made.record(input_tokens=1_000_000, output_tokens=0)


def test_cost_limit_holds_by_the_collectors_prices(configured: Addresses) -> None:
    """A model that only the collector knows the price of stops the run when its cap in dollars is reached."""

    @loopwatch.agent(name="spender", limits=loopwatch.Limits(cost_usd=5.0))
    def spender() -> None:
        spend("house-model", 10)

    with pytest.raises(loopwatch.LimitExceeded) as stopped:
        spender()
    assert (stopped.value.limit, stopped.value.value, stopped.value.cap) == ("cost_usd", pytest.approx(6.0), 5.0)


def test_model_the_collector_has_no_price_for_is_never_free(
    configured: Addresses, caplog: pytest.LogCaptureFixture
) -> None:
    """The author chooses: a warning and a cost that is not known, or a run that is stopped."""

    @loopwatch.agent(limits=loopwatch.Limits(cost_usd=5.0, unpriced="warn"))
    def warned() -> float | None:
        spend("unheard-of", 3)
        current = loopwatch.current_run()
        assert current is not None
        return current.cost_usd

    @loopwatch.agent(limits=loopwatch.Limits(cost_usd=5.0, unpriced="stop"))
    def stopped() -> None:
        spend("unheard-of", 3)

    assert warned() is None
    assert "'unheard-of' has no price: the run's cap on cost does not see it" in caplog.text
    with pytest.raises(loopwatch.LimitExceeded, match="model unheard-of has no price"):
        stopped()


@pytest.mark.parametrize(
    ("path", "key", "said"),
    [
        ("", "no-such-key", ["/v1/traces answered 401: ", "set LOOPWATCH_API_KEY", "role ingest"]),
        ("", "readers-key", ["/v1/traces answered 40", "set LOOPWATCH_API_KEY"]),
        ("/elsewhere", "agents-key", ["/elsewhere/v1/traces answered 404", "base URL, such as http://127.0.0.1:4318"]),
    ],
)
def test_log_says_why_spans_wait(addresses: Addresses, tmp_path: Path, path: str, key: str, said: list[str]) -> None:
    """A wrong key or path is named with the URL, the collector's own words and what to set."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, "waits"],
        env={
            **os.environ,
            "LOOPWATCH_ENDPOINT": addresses.url + path,
            "LOOPWATCH_API_KEY": key,
            "LOOPWATCH_SPOOL_DIR": str(tmp_path / "spool"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for words in said:
        assert words in done.stderr
    assert "spans are kept on disk" in done.stderr
