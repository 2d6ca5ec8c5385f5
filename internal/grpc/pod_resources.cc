#include "internal/grpc/pod_resources.h"

#include <grpc/support/log.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "internal/base/log.h"

namespace gpumon::grpc {
namespace {

constexpr const char* kMethod = "/v1.PodResourcesLister/List";
// As kubelets limit it themselves.
constexpr int kMostBytes = 16 << 20;

void ForwardLog(gpr_log_func_args* line) {
  log::Debug("grpc", {{"what", line->message}, {"file", line->file}, {"line", line->line}});
}

std::shared_ptr<::grpc::Channel> ChannelTo(const std::string& socket) {
  ::grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostBytes);
  // The kubelet of an updated node is soon back.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return ::grpc::CreateCustomChannel("unix:" + socket, ::grpc::InsecureChannelCredentials(),
                                     arguments);
}

Result<std::string> BytesOf(const ::grpc::ByteBuffer& buffer) {
  std::vector<::grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return Error(Code::kUpstreamInvalid, "an answer without bytes");
  std::string bytes;
  for (const auto& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

struct PodResources::Parts {
  explicit Parts(const std::string& socket) : stub(ChannelTo(socket)) {}
  ::grpc::GenericStub stub;
};

PodResources::PodResources(std::string socket)
    : socket_(std::move(socket)), parts_(std::make_unique<Parts>(socket_)) {
  gpr_set_log_function(ForwardLog);
}

PodResources::~PodResources() = default;

Result<std::vector<models::DeviceHolder>> PodResources::List(Deadline deadline) const {
  if (access(socket_.c_str(), F_OK) != 0) {
    return Error(Code::kNotFound, "the kubelet has no socket " + socket_);
  }
  const SystemClock clock;
  ::grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + deadline.Left(clock));
  ::grpc::CompletionQueue queue;
  // A request without fields is an empty message; a ByteBuffer of nothing would be none.
  const ::grpc::Slice empty;
  const ::grpc::ByteBuffer request(&empty, 1);
  auto call = parts_->stub.PrepareUnaryCall(&context, kMethod, request, &queue);
  call->StartCall();
  ::grpc::ByteBuffer answer;
  ::grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) {
    using Status = ::grpc::StatusCode;
    const bool late = status.error_code() == Status::DEADLINE_EXCEEDED;
    const bool reached = !late && status.error_code() != Status::UNAVAILABLE;
    return Error(late ? Code::kUpstreamTimeout : Code::kUnavailable,
                 "the kubelet does not list pod resources on " + socket_ + ": " +
                     log::Quoted(status.error_message()) +
                     (reached ? "; see the kubelet's log" : "; may this user open the socket?"));
  }
  const auto bytes = BytesOf(answer);
  if (!bytes) return Error(bytes.error());
  return ReadPodResources(*bytes);
}

}  // namespace gpumon::grpc
