"""Knows nothing of a server but its reflection service: lists the services, builds the probe's messages, calls it."""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool

import probe

pool = probe.pool_of(sys.argv[1])
Request = probe.message(pool, "grpc.reflection.v1.ServerReflectionRequest")
Response = probe.message(pool, "grpc.reflection.v1.ServerReflectionResponse")
channel = grpc.insecure_channel(sys.argv[2])
ask = channel.stream_stream(
    f"/grpc.reflection.{sys.argv[3]}.ServerReflection/ServerReflectionInfo",
    request_serializer=Request.SerializeToString,
    response_deserializer=Response.FromString)

listed, described = ask(
    iter([Request(list_services="*"), Request(file_containing_symbol=probe.SERVICE)]), timeout=30)

learned = descriptor_pool.DescriptorPool()
for serialized in reversed(described.file_descriptor_response.file_descriptor_proto):
    learned.Add(descriptor_pb2.FileDescriptorProto.FromString(serialized))
service = learned.FindServiceByName(probe.SERVICE)
stub = probe.Stub(channel, probe.message(learned, service.methods_by_name["Unary"].output_type.full_name))
reply = stub.unary(
    probe.message(learned, service.methods_by_name["Unary"].input_type.full_name)(text="learned"), timeout=30)
channel.close()
print(json.dumps({
    "services": [service.name for service in listed.list_services_response.service],
    "methods": [method.name for method in service.methods],
    "reply": reply.text,
}))
