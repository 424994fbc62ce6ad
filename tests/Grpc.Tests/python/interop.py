"""The interop services' messages and calls for grpcio, from the descriptor that the C# side writes."""

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "grpc.testing.TestService"
ECHO_INITIAL = "x-grpc-test-echo-initial"
ECHO_TRAILING = "x-grpc-test-echo-trailing-bin"
WORDS = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"


class Messages:
    def __init__(self, descriptor_path):
        file = descriptor_pb2.FileDescriptorProto()
        with open(descriptor_path, "rb") as stored:
            file.ParseFromString(stored.read())
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        factory = message_factory.MessageFactory(pool)
        for message in file.message_type:
            setattr(self, message.name, factory.GetPrototype(pool.FindMessageTypeByName(f"{file.package}.{message.name}")))

    def payload(self, size):
        return self.Payload(body=bytes(size))

    def outputs(self, *sizes):
        return [self.ResponseParameters(size=size) for size in sizes]


def serialize(message):
    return message.SerializeToString()


class Stub:
    def __init__(self, channel, m):
        def method(kind, name, reply, service=SERVICE):
            return getattr(channel, kind)(
                f"/{service}/{name}", request_serializer=serialize, response_deserializer=reply.FromString)

        self.empty = method("unary_unary", "EmptyCall", m.Empty)
        self.unary = method("unary_unary", "UnaryCall", m.SimpleResponse)
        self.output = method("unary_stream", "StreamingOutputCall", m.StreamingOutputCallResponse)
        self.input = method("stream_unary", "StreamingInputCall", m.StreamingInputCallResponse)
        self.duplex = method("stream_stream", "FullDuplexCall", m.StreamingOutputCallResponse)
        self.half_duplex = method("stream_stream", "HalfDuplexCall", m.StreamingOutputCallResponse)
        self.unimplemented_method = method("unary_unary", "UnimplementedCall", m.Empty)
        self.unimplemented_service = method(
            "unary_unary", "UnimplementedCall", m.Empty, "grpc.testing.UnimplementedService")
