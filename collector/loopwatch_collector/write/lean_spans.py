"""Requests for traces in which a span's attributes stay the bytes that came.

Reading an attribute through protobuf makes five Python objects; most attributes of a fleet are the same few again
and again, so that their bytes are all that is needed to know them (attributes.py). On the wire, a repeated message
and a repeated `bytes` are the same: only the schema differs.
"""

from functools import cache
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_FILES: Final[tuple[Any, ...]] = (common_pb2, resource_pb2, trace_pb2, trace_service_pb2)


@cache
def request_class() -> Any:
    """The class of ExportTraceServiceRequest whose spans hold `attributes` as bytes, one KeyValue each."""
    return _class_of(trace_service_pb2.ExportTraceServiceRequest)


def lean(span: Any) -> Any:
    """A span of OTLP's own class as one whose attributes are bytes."""
    return _span_class().FromString(span.SerializeToString())


@cache
def _span_class() -> Any:
    return _class_of(trace_pb2.Span)


def _class_of(message: Any) -> Any:
    return GetMessageClass(_pool().FindMessageTypeByName(message.DESCRIPTOR.full_name))


@cache
def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    for module in _FILES:
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        if module is trace_pb2:
            _keep_attributes_as_bytes(file)
        pool.Add(file)  # pyright: ignore[reportUnknownMemberType]  # the stub leaves it untyped
    return pool


def _keep_attributes_as_bytes(file: FileDescriptorProto) -> None:
    span = next(message for message in file.message_type if message.name == "Span")
    attributes = next(field for field in span.field if field.name == "attributes")
    attributes.type = attributes.TYPE_BYTES
    attributes.ClearField("type_name")
