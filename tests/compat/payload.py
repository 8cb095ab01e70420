"""What a library sent, as a file of the repository: OTLP/JSON beside what the API had answered."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.receive import otlp_json
from tests.compat.sink import Captured

FOLDER = Path(__file__).parents[1] / "data" / "dialects"
_MESSAGES = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
# Attributes that tell about the machine and nothing about the dialect.
_PRIVATE = re.compile(r"^(host|os|process|container)\.|^code\.(filepath|stacktrace|work_dir|file\.path)$|hostname")
_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


class Payload(NamedTuple):
    """One library's payloads, and what they should add up to.

    Attributes:
        library: the package that sent them.
        version: its version.
        dialect: the dialect its spans should be read as.
        packages: other packages that matter, by version.
        answers: what the simulated API answered, in order: id, model, stop_reason, usage.
        tool_calls: the tools that were executed, in order; empty when the library does not trace tools.
        failed_tool_calls: those among them that failed.
        conversation_id: the conversation the library was told, or "".
        agent: the agent's name the library was told, or "".
        requests: path and OTLP/JSON body of each export.
    """

    library: str
    version: str
    dialect: str
    packages: dict[str, str]
    answers: list[dict[str, Any]]
    tool_calls: list[str]
    failed_tool_calls: list[str]
    conversation_id: str
    agent: str
    requests: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return f"{self.library}-{self.version}"

    def trace_requests(self) -> list[ExportTraceServiceRequest]:
        """The exports of spans, as messages."""
        return [
            otlp_json.parse(json.dumps(request["body"]).encode(), ExportTraceServiceRequest())
            for request in self.requests
            if request["path"].endswith("/v1/traces")
        ]


def write(payload: Payload, folder: Path = FOLDER) -> Path:
    """Writes a payload and removes what an earlier version of the same library and workload had sent."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        old = json.loads(path.read_text())
        if old["library"] == payload.library and _line(old["version"]) == _line(payload.version):
            path.unlink()
    path = folder / f"{payload.name}.json"
    path.write_text(json.dumps(payload._asdict(), indent=1, ensure_ascii=False) + "\n")
    return path


def _line(version: str) -> str:
    """The line of versions that one dialect belongs to: Vercel's SDK changed its own between majors."""
    return version.partition(".")[0]


def read_all(folder: Path = FOLDER) -> list[Payload]:
    """Every payload of the repository."""
    return [Payload(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]


def body_of(captured: Captured) -> dict[str, Any]:
    """An export as OTLP/JSON, its ids in hex."""
    if captured.content_type == "application/json":
        body: dict[str, Any] = json.loads(captured.body)
        return body
    message = _MESSAGES[captured.path.rsplit("/", 1)[-1]]()
    message.ParseFromString(captured.body)
    return _with_hex_ids(MessageToDict(message, use_integers_for_enums=True))


def _with_hex_ids(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_hex_ids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _hex(value) if key in _IDS and isinstance(value, str) else _with_hex_ids(value)
        for key, value in node.items()
    }


def _hex(base64_text: str) -> str:
    import base64

    return base64.b64decode(base64_text).hex()


def scrubbed(node: Any, replacements: Mapping[str, str]) -> Any:
    """Takes out what tells about the machine.

    Args:
        node: OTLP/JSON.
        replacements: texts that may occur in values (folders, host names), and what stands for them.
    """
    if isinstance(node, str):
        for needle, replacement in replacements.items():
            node = node.replace(needle, replacement)
        return node
    if isinstance(node, list):
        return [scrubbed(item, replacements) for item in node if not _is_private(item)]
    if isinstance(node, dict):
        return {key: scrubbed(value, replacements) for key, value in node.items()}
    return node


def _is_private(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("key"), str) and bool(_PRIVATE.search(item["key"]))
