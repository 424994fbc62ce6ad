"""Runs the interop cases with grpcio's client and prints a JSON object: case to "ok", or to what was wrong."""

import json
import queue
import sys
import traceback

import grpc

import interop

m = interop.Messages(sys.argv[1])
target = sys.argv[2]


def connect():
    # Its own connection, not one that another channel of this process has.
    options = (("grpc.use_local_subchannel_pool", 1),)
    if len(sys.argv) <= 3:
        return grpc.insecure_channel(target, options)
    with open(f"{sys.argv[3]}/ca.pem", "rb") as ca:
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(ca.read()), options)


channel = connect()
stub = interop.Stub(channel, m)
LIMIT = 30
SOAK_ITERATIONS = 10
GZIP = grpc.Compression.Gzip
METADATA = ((interop.ECHO_INITIAL, "test_initial_metadata_value"), (interop.ECHO_TRAILING, b"\xab\xab\xab"))


def same(actual, expected):
    assert actual == expected, f"{actual!r} instead of {expected!r}"


def error_of(action, code):
    try:
        action()
    except grpc.RpcError as error:
        same(error.code(), code)
        return error
    raise AssertionError(f"the call succeeded instead of ending with {code}")


def large(**more):
    return m.SimpleRequest(response_size=314159, payload=m.payload(271828), **more)


def output_request(size, request=0, **more):
    return m.StreamingOutputCallRequest(response_parameters=m.outputs(size), payload=m.payload(request), **more)


class Requests:
    """An open request stream."""

    def __init__(self):
        self.queue = queue.Queue()

    def __iter__(self):
        return iter(self.queue.get, None)

    def add(self, request):
        self.queue.put(request)

    def close(self):
        self.queue.put(None)


def empty_unary():
    same(stub.empty(m.Empty(), timeout=LIMIT), m.Empty())


def large_unary():
    same(len(stub.unary(large(), timeout=LIMIT).payload.body), 314159)


def client_compressed_unary():
    lie = large(expect_compressed=m.BoolValue(value=True))
    error_of(lambda: stub.unary(lie, timeout=LIMIT), grpc.StatusCode.INVALID_ARGUMENT)
    same(len(stub.unary(lie, timeout=LIMIT, compression=GZIP).payload.body), 314159)
    plain = large(expect_compressed=m.BoolValue(value=False))
    same(len(stub.unary(plain, timeout=LIMIT).payload.body), 314159)


def server_compressed_unary():
    for compressed in (True, False):
        request = large(response_compressed=m.BoolValue(value=compressed))
        same(len(stub.unary(request, timeout=LIMIT).payload.body), 314159)


def inputs(sizes, **more):
    return (m.StreamingInputCallRequest(payload=m.payload(size), **more) for size in sizes)


def client_streaming():
    same(stub.input(inputs((27182, 8, 1828, 45904)), timeout=LIMIT).aggregated_payload_size, 74922)


def client_compressed_streaming():
    expected = {"expect_compressed": m.BoolValue(value=True)}
    error_of(lambda: stub.input(inputs((27182,), **expected), timeout=LIMIT), grpc.StatusCode.INVALID_ARGUMENT)
    reply = stub.input(inputs((27182, 45904), **expected), timeout=LIMIT, compression=GZIP)
    same(reply.aggregated_payload_size, 73086)


def sizes_of(responses):
    return [len(response.payload.body) for response in responses]


def server_streaming():
    request = m.StreamingOutputCallRequest(response_parameters=m.outputs(31415, 9, 2653, 58979))
    same(sizes_of(stub.output(request, timeout=LIMIT)), [31415, 9, 2653, 58979])


def server_compressed_streaming():
    parameters = m.outputs(31415, 92653)
    parameters[0].compressed.value = True
    parameters[1].compressed.value = False
    request = m.StreamingOutputCallRequest(response_parameters=parameters)
    same(sizes_of(stub.output(request, timeout=LIMIT)), [31415, 92653])


def ping_pong():
    requests = Requests()
    call = stub.duplex(iter(requests), timeout=LIMIT)
    for size, request in ((31415, 27182), (9, 8), (2653, 1828), (58979, 45904)):
        requests.add(output_request(size, request))
        same(len(next(call).payload.body), size)
    requests.close()
    same(list(call), [])


def half_duplex():
    sizes = (31415, 9, 2653, 58979)
    same(sizes_of(stub.half_duplex((output_request(size) for size in sizes), timeout=LIMIT)), list(sizes))


def empty_stream():
    same(list(stub.duplex(iter(()), timeout=LIMIT)), [])


def check_echo(call):
    same(dict(call.initial_metadata())[interop.ECHO_INITIAL], "test_initial_metadata_value")
    same(dict(call.trailing_metadata())[interop.ECHO_TRAILING], b"\xab\xab\xab")


def custom_metadata():
    _, call = stub.unary.with_call(large(), timeout=LIMIT, metadata=METADATA)
    check_echo(call)
    call = stub.duplex(iter((output_request(314159, 271828),)), timeout=LIMIT, metadata=METADATA)
    same(sizes_of(call), [314159])
    check_echo(call)


def status_code_and_message():
    status = m.EchoStatus(code=2, message="test status message")
    error = error_of(
        lambda: stub.unary(m.SimpleRequest(response_status=status), timeout=LIMIT), grpc.StatusCode.UNKNOWN)
    same(error.details(), "test status message")
    requests = iter((m.StreamingOutputCallRequest(response_status=status),))
    error = error_of(lambda: list(stub.duplex(requests, timeout=LIMIT)), grpc.StatusCode.UNKNOWN)
    same(error.details(), "test status message")


def special_status_message():
    status = m.EchoStatus(code=2, message=interop.WORDS)
    error = error_of(
        lambda: stub.unary(m.SimpleRequest(response_status=status), timeout=LIMIT), grpc.StatusCode.UNKNOWN)
    same(error.details(), interop.WORDS)


def unimplemented_method():
    error_of(lambda: stub.unimplemented_method(m.Empty(), timeout=LIMIT), grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_service():
    error_of(lambda: stub.unimplemented_service(m.Empty(), timeout=LIMIT), grpc.StatusCode.UNIMPLEMENTED)


# grpcio 1.51 may reset a stream before it has opened it, which ends the connection (RFC 9113 section 5.1): cases that
# give up at once have one of their own.
def cancel_after_begin():
    requests = Requests()
    with connect() as own:
        call = interop.Stub(own, m).input.future(iter(requests), timeout=LIMIT)
        call.cancel()
        assert call.cancelled()
        same(call.code(), grpc.StatusCode.CANCELLED)
        requests.close()


def cancel_after_first_response():
    requests = Requests()
    call = stub.duplex(iter(requests), timeout=LIMIT)
    requests.add(output_request(31415, 27182))
    same(len(next(call).payload.body), 31415)
    call.cancel()
    error_of(lambda: next(call), grpc.StatusCode.CANCELLED)
    requests.close()


def timeout_on_sleeping_server():
    requests = Requests()
    with connect() as own:
        call = interop.Stub(own, m).duplex(iter(requests), timeout=0.001)
        requests.add(m.StreamingOutputCallRequest(payload=m.payload(27182)))
        error_of(lambda: next(call), grpc.StatusCode.DEADLINE_EXCEEDED)
        requests.close()


def concurrent_large_unary():
    calls = [stub.unary.future(large(), timeout=LIMIT) for _ in range(100)]
    same({len(call.result().payload.body) for call in calls}, {314159})


def rpc_soak():
    for _ in range(SOAK_ITERATIONS):
        large_unary()


def channel_soak():
    for _ in range(SOAK_ITERATIONS):
        with connect() as fresh:
            same(len(interop.Stub(fresh, m).unary(large(), timeout=LIMIT).payload.body), 314159)


results = {}
for case in (
    empty_unary, large_unary, client_compressed_unary, server_compressed_unary, client_streaming,
    client_compressed_streaming, server_streaming, server_compressed_streaming, ping_pong, half_duplex, empty_stream,
    custom_metadata, status_code_and_message, special_status_message, unimplemented_method, unimplemented_service,
    cancel_after_begin, cancel_after_first_response, timeout_on_sleeping_server, concurrent_large_unary,
    rpc_soak, channel_soak,
):
    try:
        case()
        results[case.__name__] = "ok"
    except Exception:
        results[case.__name__] = traceback.format_exc()
channel.close()
print(json.dumps(results))
