"""The probe service's messages and methods for grpcio, from the descriptor that the C# side writes: no code generator."""

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "hexcast.probe.Probe"


def pool_of(descriptor_path):
    file = descriptor_pb2.FileDescriptorProto()
    with open(descriptor_path, "rb") as stored:
        file.ParseFromString(stored.read())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def message(pool, name):
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(name))


def load(descriptor_path):
    pool = pool_of(descriptor_path)
    return message(pool, "hexcast.probe.ProbeRequest"), message(pool, "hexcast.probe.ProbeReply")


class Stub:
    def __init__(self, channel, reply):
        def codec(name):
            return {
                "method": f"/{SERVICE}/{name}",
                "request_serializer": lambda message: message.SerializeToString(),
                "response_deserializer": reply.FromString,
            }

        self.unary = channel.unary_unary(**codec("Unary"))
        self.download = channel.unary_stream(**codec("Download"))
        self.upload = channel.stream_unary(**codec("Upload"))
        self.talk = channel.stream_stream(**codec("Talk"))
        self.missing = channel.unary_unary(**codec("NoSuchMethod"))


def handlers(service, request):
    codec = {"request_deserializer": request.FromString, "response_serializer": lambda message: message.SerializeToString()}
    return grpc.method_handlers_generic_handler(SERVICE, {
        "Unary": grpc.unary_unary_rpc_method_handler(service.unary, **codec),
        "Download": grpc.unary_stream_rpc_method_handler(service.download, **codec),
        "Upload": grpc.stream_unary_rpc_method_handler(service.upload, **codec),
        "Talk": grpc.stream_stream_rpc_method_handler(service.talk, **codec),
    })
