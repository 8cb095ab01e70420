"""What the chaos sender sends: batch n is a function of n, so that a batch can be sent again and checked later.

Batches of one run follow each other, so that the spans of a run arrive in many requests; every fourth run
straddles midnight, so that one insert spans two partitions.
"""

import gzip
import hashlib
import json
import random
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

DAY_NS = 86_400 * 10**9
BATCHES_PER_RUN = 8
INPUT_TOKENS = 10
OUTPUT_TOKENS = 1


class Load(NamedTuple):
    """All the batches of one trial.

    Attributes:
        seed: decides sizes and ids.
        base_ns: a midnight, ns since the epoch, recent enough for a live sender; runs start around it.
    """

    seed: int
    base_ns: int

    def spans_in(self, batch: int) -> int:
        """How many spans a batch has: mostly few, sometimes many, as exporters send."""
        chance = random.Random(f"{self.seed}:{batch}")
        return chance.choice((1, 2, 5, 10, 20, 30, 60, 120))

    def span_ids(self, batch: int) -> list[bytes]:
        """The ids of a batch's spans, as they must be found in the store."""
        return [self._span_id(batch, index) for index in range(self.spans_in(batch))]

    def trace_id(self, batch: int) -> bytes:
        """The trace, and thereby the run, that a batch belongs to."""
        return hashlib.sha256(f"trace:{self.seed}:{batch // BATCHES_PER_RUN}".encode()).digest()[:16]

    def body(self, batch: int) -> bytes:
        """The request: gzip of an OTLP export request."""
        request = ExportTraceServiceRequest()
        spans = request.resource_spans.add().scope_spans.add().spans
        for index, span_id in enumerate(self.span_ids(batch)):
            self._fill(spans.add(), batch, index, span_id)
        return gzip.compress(request.SerializeToString(), 1)

    def _span_id(self, batch: int, index: int) -> bytes:
        return hashlib.sha256(f"span:{self.seed}:{batch}:{index}".encode()).digest()[:8]

    def _fill(self, span: Span, batch: int, index: int, span_id: bytes) -> None:
        run = batch // BATCHES_PER_RUN
        straddles = run % 4 == 0
        start_ns = self.base_ns + (-(10**9) if straddles else 3_600 * 10**9) + (batch % BATCHES_PER_RUN) * 10**9 // 3
        span.trace_id = self.trace_id(batch)
        span.span_id = span_id
        span.name = "chat simulated-model"
        span.start_time_unix_nano = start_ns + index * 1_000
        span.end_time_unix_nano = span.start_time_unix_nano + 5_000_000
        message = [{"role": "user", "parts": [{"type": "text", "content": f"question {batch % BATCHES_PER_RUN}"}]}]
        texts = {
            "gen_ai.operation.name": "chat",
            "gen_ai.agent.name": "chaos",
            "gen_ai.request.model": "simulated-model",
            "gen_ai.response.id": span_id.hex(),
            "gen_ai.input.messages": json.dumps(message),
        }
        for key, text in texts.items():
            span.attributes.add(key=key).value.string_value = text
        span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = INPUT_TOKENS
        span.attributes.add(key="gen_ai.usage.output_tokens").value.int_value = OUTPUT_TOKENS


def recent_midnight_ns(now_ns: int) -> int:
    """The last midnight that lies at least an hour back, so that no span of a load is in the future."""
    return (now_ns - 4_000 * 10**9) // DAY_NS * DAY_NS
