"""A grpcio server of the interop services. Prints its port; ends with its input."""

import sys
import time
from concurrent import futures

import grpc

import interop

m = interop.Messages(sys.argv[1])


def echo(context, gzip=False):
    received = dict(context.invocation_metadata())
    if gzip:
        context.set_compression(grpc.Compression.Gzip)
    if interop.ECHO_INITIAL in received:
        context.send_initial_metadata(((interop.ECHO_INITIAL, received[interop.ECHO_INITIAL]),))
    if interop.ECHO_TRAILING in received:
        context.set_trailing_metadata(((interop.ECHO_TRAILING, received[interop.ECHO_TRAILING]),))


def end_as_asked(request, context):
    if request.response_status.code:
        code = next(code for code in grpc.StatusCode if code.value[0] == request.response_status.code)
        context.abort(code, request.response_status.message)


def empty(request, context):
    echo(context)
    return m.Empty()


def unary(request, context):
    echo(context, request.response_compressed.value)
    end_as_asked(request, context)
    return m.SimpleResponse(payload=m.payload(request.response_size))


def answers(request, context):
    for parameters in request.response_parameters:
        time.sleep(parameters.interval_us / 1e6)
        if parameters.HasField("compressed") and not parameters.compressed.value:
            context.disable_next_message_compression()
        yield m.StreamingOutputCallResponse(payload=m.payload(parameters.size))
    end_as_asked(request, context)


def output(request, context):
    echo(context, any(parameters.compressed.value for parameters in request.response_parameters))
    yield from answers(request, context)


def input_(requests, context):
    echo(context)
    return m.StreamingInputCallResponse(aggregated_payload_size=sum(len(r.payload.body) for r in requests))


def duplex(requests, context):
    echo(context)
    for request in requests:
        yield from answers(request, context)


def half_duplex(requests, context):
    echo(context)
    for request in list(requests):
        yield from answers(request, context)


def handler(kind, method, request):
    return getattr(grpc, f"{kind}_rpc_method_handler")(
        method, request_deserializer=request.FromString, response_serializer=interop.serialize)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(interop.SERVICE, {
    "EmptyCall": handler("unary_unary", empty, m.Empty),
    "UnaryCall": handler("unary_unary", unary, m.SimpleRequest),
    "StreamingOutputCall": handler("unary_stream", output, m.StreamingOutputCallRequest),
    "StreamingInputCall": handler("stream_unary", input_, m.StreamingInputCallRequest),
    "FullDuplexCall": handler("stream_stream", duplex, m.StreamingOutputCallRequest),
    "HalfDuplexCall": handler("stream_stream", half_duplex, m.StreamingOutputCallRequest),
}),))
if len(sys.argv) > 2:
    key, certificate = (open(f"{sys.argv[2]}/{name}", "rb").read() for name in ("server.key", "server.pem"))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(None)
