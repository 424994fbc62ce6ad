"""Calls a server of the probe service with grpcio and prints what came of each call as one JSON document."""

import json
import sys

import grpc

import probe

Request, Reply = probe.load(sys.argv[1])
channel = grpc.insecure_channel(sys.argv[2])
stub = probe.Stub(channel, Reply)
LIMIT = 30
results = {}


def error_of(action):
    try:
        action()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call succeeded")


def status_of(error):
    return {"code": error.code().name, "details": error.details()}


def metadata_of(metadata):
    return {key: list(value) if isinstance(value, bytes) else value for key, value in metadata}


results["unary"] = stub.unary(Request(text="echo", count=7), timeout=LIMIT).count

big = bytes(range(256)) * 12_000
results["big"] = stub.unary(Request(text="echo", data=big), timeout=LIMIT).data == big

results["download"] = [reply.count for reply in stub.download(Request(text="count", count=500), timeout=LIMIT)]

results["upload"] = stub.upload((Request(count=i) for i in range(1, 501)), timeout=LIMIT).count

results["talk"] = [reply.count for reply in stub.talk((Request(count=i) for i in range(200)), timeout=LIMIT)]

reply, call = stub.unary.with_call(
    Request(text="metadata"), timeout=LIMIT, metadata=(("x-text", "some text"), ("x-bytes-bin", bytes([0, 1, 255]))))
results["metadata"] = {
    "head": metadata_of(call.initial_metadata()), "tail": metadata_of(call.trailing_metadata()), "code": call.code().name}

error = error_of(lambda: stub.unary(Request(text="fail"), timeout=LIMIT))
results["fail"] = status_of(error) | {"tail": metadata_of(error.trailing_metadata())}

results["raise"] = status_of(error_of(lambda: stub.unary(Request(text="raise"), timeout=LIMIT)))

results["missing"] = status_of(error_of(lambda: stub.missing(Request(), timeout=LIMIT)))

results["too big"] = status_of(error_of(lambda: stub.unary(Request(data=bytes(5_000_000)), timeout=LIMIT)))

stream = stub.download(Request(text="fail", count=2), timeout=LIMIT)
results["fail after messages"] = {"counts": [next(stream).count, next(stream).count]} | status_of(
    error_of(lambda: next(stream)))

results["early answer"] = status_of(error_of(lambda: stub.upload(
    (Request(text="enough" if i == 3 else "") for i in range(100_000)), timeout=LIMIT)))

results["deadline"] = status_of(error_of(lambda: stub.unary(Request(text="wait"), timeout=5)))

stream = stub.download(Request(text="wait"), timeout=LIMIT)
next(stream)
stream.cancel()
results["cancel"] = status_of(error_of(lambda: next(stream)))

channel.close()
print(json.dumps(results))
