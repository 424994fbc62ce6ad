"""Asks a server's grpc.health.v1 service with grpcio: one check, then two statuses of a watch."""

import sys

import grpc

import probe

pool = probe.pool_of(sys.argv[1])
Request = probe.message(pool, "grpc.health.v1.HealthCheckRequest")
Response = probe.message(pool, "grpc.health.v1.HealthCheckResponse")
channel = grpc.insecure_channel(sys.argv[2])
codec = {"request_serializer": Request.SerializeToString, "response_deserializer": Response.FromString}


def name(response):
    return Response.ServingStatus.Name(response.status)


print("check", name(channel.unary_unary("/grpc.health.v1.Health/Check", **codec)(Request(), timeout=30)), flush=True)
watch = channel.unary_stream("/grpc.health.v1.Health/Watch", **codec)(Request(), timeout=30)
for _ in range(2):
    print("watch", name(next(watch)), flush=True)
watch.cancel()
channel.close()
