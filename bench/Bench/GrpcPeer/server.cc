// The peer: gRPC C++'s own server with its callback API. Prints its port.
#include <grpcpp/grpcpp.h>

#include <iostream>

#include "echo.grpc.pb.h"

using hexcast::bench::Echo;
using hexcast::bench::EchoMessage;

class EchoServer final : public Echo::CallbackService {
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const EchoMessage* request,
                                  EchoMessage* reply) override {
    reply->set_data(request->data());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  class Writer final : public grpc::ServerWriteReactor<EchoMessage> {
   public:
    explicit Writer(const EchoMessage* request) : left_(request->count()) {
      message_.set_data(request->data());
      Next();
    }
    void OnWriteDone(bool ok) override { ok ? Next() : Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }

   private:
    void Next() {
      if (left_-- > 0) {
        StartWrite(&message_);
      } else {
        Finish(grpc::Status::OK);
      }
    }
    int64_t left_;
    EchoMessage message_;
  };

  grpc::ServerWriteReactor<EchoMessage>* Stream(grpc::CallbackServerContext*, const EchoMessage* request) override {
    return new Writer(request);
  }
};

int main() {
  EchoServer service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  std::cout << port << std::endl;
  server->Wait();
}
