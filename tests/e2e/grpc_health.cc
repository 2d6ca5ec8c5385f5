#include "tests/e2e/grpc_health.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <vector>

namespace gpumon::e2e {
namespace {

// HealthCheckRequest{string service = 1} in protobuf's wire format.
::grpc::ByteBuffer Request(const std::string& service) {
  const std::string bytes =
      service.empty() ? "" : "\x0a" + std::string(1, static_cast<char>(service.size())) + service;
  const ::grpc::Slice slice(bytes);
  return {&slice, 1};
}

// HealthCheckResponse{ServingStatus status = 1}
Serving StatusOf(const ::grpc::ByteBuffer& buffer) {
  std::vector<::grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return Serving::kNone;
  for (const auto& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes.size() == 2 && bytes[0] == '\x08' ? static_cast<Serving>(bytes[1]) : Serving::kNone;
}

std::chrono::system_clock::time_point Soon() {
  return std::chrono::system_clock::now() + std::chrono::seconds(30);
}

}  // namespace

struct GrpcHealth::State {
  explicit State(std::uint16_t port)
      : stub(::grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                   ::grpc::InsecureChannelCredentials())) {}
  bool Step() {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  }

  ::grpc::GenericStub stub;
  ::grpc::ClientContext context;  // of the watch
  ::grpc::CompletionQueue queue;
  std::unique_ptr<::grpc::GenericClientAsyncReaderWriter> watch;
};

GrpcHealth::GrpcHealth(std::uint16_t port) : state_(std::make_unique<State>(port)) {}

GrpcHealth::~GrpcHealth() {
  if (!state_->watch) return;
  state_->context.TryCancel();
  ::grpc::Status ignored;
  state_->watch->Finish(&ignored, nullptr);
  state_->Step();
}

Serving GrpcHealth::Check(const std::string& service) {
  ::grpc::ClientContext context;
  context.set_deadline(Soon());
  context.set_wait_for_ready(true);
  ::grpc::CompletionQueue queue;
  auto call = state_->stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                                            Request(service), &queue);
  call->StartCall();
  ::grpc::ByteBuffer response;
  ::grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status.ok() ? StatusOf(response) : Serving::kNone;
}

void GrpcHealth::Watch(const std::string& service) {
  state_->context.set_deadline(Soon());
  state_->context.set_wait_for_ready(true);
  state_->watch =
      state_->stub.PrepareCall(&state_->context, "/grpc.health.v1.Health/Watch", &state_->queue);
  state_->watch->StartCall(nullptr);
  state_->Step();
  state_->watch->WriteLast(Request(service), ::grpc::WriteOptions(), nullptr);
  state_->Step();
}

Serving GrpcHealth::Next() {
  ::grpc::ByteBuffer response;
  state_->watch->Read(&response, nullptr);
  return state_->Step() ? StatusOf(response) : Serving::kNone;
}

}  // namespace gpumon::e2e
