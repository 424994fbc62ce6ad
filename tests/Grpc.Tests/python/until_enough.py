"""Calls a probe service, several calls at once, until its replies say that it has seen enough."""

import sys
from concurrent import futures

import grpc

import probe

Request, Reply = probe.load(sys.argv[1])
channel = grpc.insecure_channel(sys.argv[2])
stub = probe.Stub(channel, Reply)


def call_until_enough(_):
    while stub.unary(Request(), timeout=30).count == 0:
        pass


with futures.ThreadPoolExecutor(8) as pool:
    list(pool.map(call_until_enough, range(8)))
channel.close()
print("no call failed")
