"""One call of OTLP over gRPC, and what the answer means for the batch. Imported only where gRPC is asked for."""

import gzip
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import grpc  # the extra `grpc`: settings have looked whether it is installed

from loopwatch.settings import Settings
from loopwatch.transport import Answer, rejected_spans

_METHODS: Final = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
_REFUSED: Final = frozenset({"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"})
"""The collector will never take this body, or one so large. Everything else may pass."""
_UNBOUNDED: Final = -1


class GrpcTransport:
    """Calls over one channel. Used by one thread.

    Args:
        settings: the address, headers and timeout.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._channel: Any = None

    def post(self, kind: str, body: bytes) -> Answer:
        """Sends one request.

        Args:
            kind: "traces" or "metrics".
            body: the request, compressed as the settings say; on the wire gRPC compresses it itself.

        Returns:
            What came of it.
        """
        if self._channel is None:
            self._channel = _channel(self._settings)
        is_compressed = self._settings.compression == "gzip"
        call = self._channel.unary_unary(_METHODS[kind])
        try:
            answer: bytes = call(
                gzip.decompress(body) if is_compressed else body,
                timeout=self._settings.timeout_s,
                metadata=tuple(self._settings.headers.items()),
                compression=grpc.Compression.Gzip if is_compressed else grpc.Compression.NoCompression,
            )
        except grpc.RpcError as fault:
            return _failed(fault, self._settings.traces_url)
        return Answer("taken", rejected_spans=rejected_spans(answer))

    def close(self) -> None:
        """Closes the channel."""
        if self._channel is not None:
            self._channel.close()


def _failed(fault: Any, address: str) -> Answer:
    code = fault.code().name
    return Answer("refused" if code in _REFUSED else "later", f"{address} answered {code}: {fault.details()}")


def _channel(settings: Settings) -> Any:
    address = urlsplit(settings.traces_url)
    options = [("grpc.max_send_message_length", _UNBOUNDED)]
    if address.scheme == "http":
        return grpc.insecure_channel(address.netloc, options)
    files = {name: Path(path).read_bytes() for name, path in settings.tls.items()}
    credentials = grpc.ssl_channel_credentials(files.get("ca_certs"), files.get("key_file"), files.get("cert_file"))
    return grpc.secure_channel(address.netloc, credentials, options)
