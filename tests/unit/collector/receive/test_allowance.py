"""The memory bound of receiving: estimates that are never far below the truth, and a sum that is kept."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from loopwatch_collector.errors import TooLarge, Unavailable
from loopwatch_collector.receive.allowance import Allowance, json_memory_bytes, protobuf_memory_bytes

_MIB = 2**20
_SIZE = 4 * _MIB


def _field(tag: int, value: bytes) -> bytes:
    length, head = len(value), bytes([tag])
    while length > 127:
        head += bytes([length & 127 | 128])
        length >>= 7
    return head + bytes([length]) + value


def _in_spans(spans: bytes) -> bytes:
    return _field(0x0A, _field(0x12, spans))


BODIES = {
    "empty spans": _in_spans(b"\x12\x00" * (_SIZE // 2)),
    "empty attributes": _in_spans(_field(0x12, b"\x4a\x00" * (_SIZE // 2))),
    "empty events": _in_spans(_field(0x12, b"\x5a\x00" * (_SIZE // 2))),
    "empty resources": b"\x0a\x00" * (_SIZE // 2),
    "empty array values": _in_spans(_field(0x12, _field(0x4A, _field(0x12, _field(0x2A, b"\x0a\x00" * (_SIZE // 2)))))),
    "short attributes": _in_spans(_field(0x12, _field(0x4A, b"\x0a\x02ab\x12\x03\x0a\x01c") * (_SIZE // 11))),
    "short spans": _in_spans(_field(0x12, b"\x0a\x10" + b"t" * 16 + b"\x12\x08" + b"s" * 8) * (_SIZE // 30)),
    "text": _in_spans(_field(0x12, _field(0x4A, b"\x0a\x02ab" + _field(0x12, _field(0x0A, b"text " * (_SIZE // 5)))))),
}
_PARSE = """
import sys
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
body = open(sys.argv[1], "rb").read()
before = resident()
message = ExportTraceServiceRequest()
message.ParseFromString(body)
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads a process's memory from Linux's /proc")
@pytest.mark.parametrize("name", list(BODIES))
def test_estimates_are_above_what_parsing_takes(name: str, tmp_path: Path) -> None:
    """Bodies made to be small and parse to much take no more than a quarter above their estimate."""
    path = tmp_path / "body"
    path.write_bytes(BODIES[name])
    taken = int(subprocess.run([sys.executable, "-c", _PARSE, str(path)], capture_output=True, check=True).stdout)
    gc.collect()
    assert taken < 1.25 * protobuf_memory_bytes(BODIES[name]) + 2 * _MIB


def test_text_costs_little() -> None:
    """A large body of text, which is what agents send, is not mistaken for a bomb."""
    assert protobuf_memory_bytes(BODIES["text"]) < 1.1 * _SIZE


def test_json_made_of_empty_objects_is_seen_as_large() -> None:
    """Each empty object becomes a dict and a message."""
    assert json_memory_bytes(b"{}," * 1000) > 300 * 1000


def test_what_is_held_stays_within_the_bound() -> None:
    """A second request that does not fit beside the first is told to come back, and fits when the first is done."""
    allowance = Allowance(100)
    with allowance.hold() as first:
        first.add(60)
        with allowance.hold() as second, pytest.raises(Unavailable):
            second.add(60)
        assert allowance.held_bytes == 60
    assert allowance.held_bytes == 0
    with allowance.hold() as third:
        third.add(100)


def test_what_never_fits_is_refused_for_good() -> None:
    """A request larger than the whole bound is not told to come back."""
    with Allowance(100).hold() as hold:
        hold.add(90)
        with pytest.raises(TooLarge):
            hold.add(20)
