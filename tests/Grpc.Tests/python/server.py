"""A grpcio server of the probe service. Prints its port, then what it notices, a line each; ends with its input."""

import sys
import threading
from concurrent import futures

import grpc

import probe

Request, Reply = probe.load(sys.argv[1])


class Service:
    def unary(self, request, context):
        if request.text == "fail":
            context.set_trailing_metadata((("x-tail", "t"), ("x-tail-bin", bytes([0, 255]))))
            context.abort(grpc.StatusCode.NOT_FOUND, "Größe 🎬 100 %")
        if request.text == "raise":
            raise ValueError("on purpose")
        if request.text == "wait":
            self.wait(context)
        if request.text == "metadata":
            received = dict(context.invocation_metadata())
            context.send_initial_metadata((("x-head", received["x-text"]), ("x-head-bin", received["x-bytes-bin"])))
            context.set_trailing_metadata((("x-tail", received["x-text"]), ("x-tail-bin", received["x-bytes-bin"])))
        return Reply(text=request.text, count=request.count, data=request.data)

    def download(self, request, context):
        if request.text == "wait":
            yield Reply(text="started")
            self.wait(context)
        for i in range(request.count):
            yield Reply(count=i, data=request.data)
        if request.text == "fail":
            context.abort(grpc.StatusCode.DATA_LOSS, "the rest is gone")

    def upload(self, requests, context):
        total = 0
        for request in requests:
            if request.text == "enough":
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "enough")
            total += request.count
        return Reply(count=total)

    def talk(self, requests, context):
        for request in requests:
            yield Reply(text=request.text, count=request.count, data=request.data)

    def wait(self, context):
        """Until the call is cancelled or past its deadline."""
        ended = threading.Event()
        context.add_callback(ended.set)
        print("waiting", flush=True)
        ended.wait(30)
        print("ended", flush=True)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
server.add_generic_rpc_handlers((probe.handlers(Service(), Request),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
server.stop(None)
