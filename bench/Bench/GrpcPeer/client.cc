// The load, the same for every server: client ADDRESS unary|stream IN_FLIGHT BYTES SECONDS. Prints one line of JSON.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "echo.grpc.pb.h"

using Clock = std::chrono::steady_clock;
using hexcast::bench::Echo;
using hexcast::bench::EchoMessage;

static void Require(const grpc::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "status %d: %s\n", status.error_code(), status.error_message().c_str());
    std::exit(1);
  }
}

static void Print(size_t count, Clock::time_point start, std::vector<int64_t> nanoseconds) {
  auto seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::sort(nanoseconds.begin(), nanoseconds.end());
  auto at = [&](double part) -> long long {
    return nanoseconds.empty() ? 0 : nanoseconds[size_t(part * (nanoseconds.size() - 1))] / 1000;
  };
  std::printf("{\"PerSecond\":%.1f,\"P50\":%lld,\"P99\":%lld}\n", count / seconds, at(0.5), at(0.99));
}

struct Call {
  grpc::ClientContext context;
  EchoMessage reply;
  grpc::Status status;
  Clock::time_point start;
  std::unique_ptr<grpc::ClientAsyncResponseReader<EchoMessage>> reader;
};

static void Unary(Echo::Stub& stub, int in_flight, const EchoMessage& request, std::chrono::seconds time) {
  grpc::CompletionQueue queue;
  auto begin = [&] {
    auto* call = new Call;
    call->start = Clock::now();
    call->reader = stub.AsyncUnary(&call->context, request, &queue);
    call->reader->Finish(&call->reply, &call->status, call);
  };
  auto start = Clock::now();
  for (int i = 0; i < in_flight; i++) begin();
  std::vector<int64_t> nanoseconds;
  int running = in_flight;
  void* tag;
  bool ok;
  while (running > 0 && queue.Next(&tag, &ok)) {
    std::unique_ptr<Call> call(static_cast<Call*>(tag));
    Require(call->status);
    auto now = Clock::now();
    nanoseconds.push_back(std::chrono::nanoseconds(now - call->start).count());
    now - start < time ? begin() : void(running--);
  }
  auto count = nanoseconds.size();
  Print(count, start, std::move(nanoseconds));
}

static void Stream(Echo::Stub& stub, EchoMessage request, std::chrono::seconds time) {
  request.set_count(INT64_MAX);
  grpc::ClientContext context;
  auto reader = stub.Stream(&context, request);
  EchoMessage reply;
  auto start = Clock::now();
  size_t count = 0;
  while (Clock::now() - start < time && reader->Read(&reply)) count++;
  Print(count, start, {});
  context.TryCancel();
  auto status = reader->Finish();
  if (status.error_code() != grpc::StatusCode::CANCELLED) Require(status);
}

int main(int, char** args) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  auto channel = grpc::CreateCustomChannel(args[1], grpc::InsecureChannelCredentials(), arguments);
  auto stub = Echo::NewStub(channel);
  EchoMessage request;
  request.set_data(std::string(std::atoi(args[4]), 'x'));
  std::chrono::seconds time(std::atoi(args[5]));
  if (std::string(args[2]) == "unary") {
    Unary(*stub, std::atoi(args[3]), request, time);
  } else {
    Stream(*stub, request, time);
  }
}
