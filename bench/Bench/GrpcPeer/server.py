"""The other peer: grpcio's server. Prints its port."""

from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

file = descriptor_pb2.FileDescriptorProto(name="echo.proto", package="hexcast.bench", syntax="proto3")
message = file.message_type.add(name="EchoMessage")
message.field.add(name="data", number=1, type=12, label=1)
message.field.add(name="count", number=2, type=3, label=1)
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
Message = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("hexcast.bench.EchoMessage"))


def unary(request, context):
    return Message(data=request.data)


def stream(request, context):
    reply = Message(data=request.data)
    for _ in range(request.count):
        yield reply


codec = {"request_deserializer": Message.FromString, "response_serializer": Message.SerializeToString}
server = grpc.server(futures.ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1)])
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("hexcast.bench.Echo", {
    "Unary": grpc.unary_unary_rpc_method_handler(unary, **codec),
    "Stream": grpc.unary_stream_rpc_method_handler(stream, **codec),
})])
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
