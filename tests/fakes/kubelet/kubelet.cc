#include "tests/fakes/kubelet/kubelet.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace gpumon::fake_kubelet {
namespace {

std::string Varint(std::size_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7U) bytes += static_cast<char>((number & 0x7FU) | 0x80U);
  return bytes + static_cast<char>(number);
}

std::string Field(unsigned number, const std::string& bytes) {
  return static_cast<char>(number << 3U | 2U) + Varint(bytes.size()) + bytes;
}

// Answers one call.
class Answer final : public ::grpc::ServerGenericBidiReactor {
 public:
  Answer(std::string bytes, Manner manner) : bytes_(std::move(bytes)), manner_(manner) {
    StartRead(&request_);
  }
  // As stock servers: a unary call has a message, though it may be empty.
  void OnReadDone(bool has_message) override {
    if (manner_ == Manner::kIsSilent) return;
    if (!has_message) {
      return Finish(::grpc::Status(::grpc::StatusCode::INVALID_ARGUMENT, "no request message"));
    }
    if (manner_ == Manner::kRefuses) {
      return Finish(::grpc::Status(::grpc::StatusCode::PERMISSION_DENIED, "not for you"));
    }
    const ::grpc::Slice slice(bytes_);
    answer_ = ::grpc::ByteBuffer(&slice, 1);
    StartWriteAndFinish(&answer_, {}, ::grpc::Status::OK);
  }
  void OnCancel() override {
    if (manner_ == Manner::kIsSilent) Finish(::grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  const std::string bytes_;
  const Manner manner_;
  ::grpc::ByteBuffer request_;
  ::grpc::ByteBuffer answer_;
};

class Service final : public ::grpc::CallbackGenericService {
 public:
  Service(std::string bytes, Manner manner) : bytes_(std::move(bytes)), manner_(manner) {}
  ::grpc::ServerGenericBidiReactor* CreateReactor(
      ::grpc::GenericCallbackServerContext* context) override {
    const bool known = context->method() == "/v1.PodResourcesLister/List";
    return new Answer(bytes_, known ? manner_ : Manner::kRefuses);
  }

 private:
  const std::string bytes_;
  const Manner manner_;
};

}  // namespace

std::string Encode(const std::vector<models::DeviceHolder>& holders) {
  std::string all;
  for (const models::DeviceHolder& holder : holders) {
    std::string devices = Field(1, holder.resource);
    for (const std::string& id : holder.devices) devices += Field(2, id);
    devices += Field(3, "\x0a\x02\x08\x01");  // of which NUMA node it is
    const std::string container =
        std::string("\x18\x05", 2) + Field(2, devices) + Field(1, holder.container);
    all += Field(1, Field(1, holder.pod) + Field(2, holder.name_space) + Field(3, container));
  }
  return all;
}

struct Kubelet::Parts {
  Parts(std::string answer, Manner manner) : service(std::move(answer), manner) {}
  Service service;
  std::unique_ptr<::grpc::Server> server;
};

Kubelet::Kubelet(const std::string& socket, std::string answer, Manner manner)
    : parts_(std::make_unique<Parts>(std::move(answer), manner)) {
  ::grpc::ServerBuilder builder;
  builder.RegisterCallbackGenericService(&parts_->service);
  builder.AddListeningPort("unix:" + socket, ::grpc::InsecureServerCredentials());
  parts_->server = builder.BuildAndStart();
  if (parts_->server == nullptr) throw std::runtime_error("cannot listen on " + socket);
}

Kubelet::~Kubelet() {
  parts_->server->Shutdown(std::chrono::system_clock::now());
}

}  // namespace gpumon::fake_kubelet
