#include "internal/grpc/health_server.h"

#include <grpc/support/log.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "internal/base/log.h"

namespace gpumon::grpc {
namespace {

// gRPC explains each failure in several lines on standard error; ours is the one line people see.
void ForwardLog(gpr_log_func_args* line) {
  log::Debug("grpc", {{"what", line->message}, {"file", line->file}, {"line", line->line}});
}

std::string Target(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace

struct HealthServer::Parts {
  // gRPC refuses to start a server that has no service but its own health service.
  ::grpc::CallbackGenericService nothing_else;
  std::unique_ptr<::grpc::Server> server;
};

HealthServer::HealthServer() = default;

HealthServer::~HealthServer() {
  Stop(Millis(0));
}

Result<std::uint16_t> HealthServer::Start(const std::string& address, std::uint16_t port) {
  constexpr std::size_t kMemory = std::size_t{16} << 20U;
  constexpr int kThreads = 8;
  constexpr int kMessageBytes = 4096;
  gpr_set_log_function(ForwardLog);
  ::grpc::EnableDefaultHealthCheckService(true);

  auto parts = std::make_unique<Parts>();
  ::grpc::ServerBuilder builder;
  ::grpc::ResourceQuota quota("health");
  quota.Resize(kMemory);
  quota.SetMaxThreads(kThreads);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(::grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(::grpc::ServerBuilder::MAX_POLLERS, 2);
  builder.SetMaxReceiveMessageSize(kMessageBytes);
  // By default a second process on the same port would silently get half of the probes.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterCallbackGenericService(&parts->nothing_else);
  int chosen = 0;
  builder.AddListeningPort(Target(address, port), ::grpc::InsecureServerCredentials(), &chosen);
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr || chosen == 0) {
    return Error(Code::kUnavailable,
                 "gRPC health: cannot listen on " + Target(address, port) +
                     "; is the port in use? GRPC_HEALTH_PORT sets another one, 0 switches it off");
  }
  MutexLock lock(mutex_);
  parts_ = std::move(parts);
  Publish();
  return static_cast<std::uint16_t>(chosen);
}

void HealthServer::Publish() {
  if (parts_ == nullptr) return;
  auto* service = parts_->server->GetHealthCheckService();
  service->SetServingStatus("", ready_);
  service->SetServingStatus("readiness", ready_);
  service->SetServingStatus("liveness", live_);
}

void HealthServer::SetReadiness(bool serving) {
  MutexLock lock(mutex_);
  ready_ = serving;
  Publish();
}

void HealthServer::SetLiveness(bool serving) {
  MutexLock lock(mutex_);
  live_ = serving;
  Publish();
}

void HealthServer::Stop(Millis limit) {
  std::unique_ptr<Parts> parts;
  {
    MutexLock lock(mutex_);
    parts = std::move(parts_);
  }
  if (parts != nullptr) parts->server->Shutdown(std::chrono::system_clock::now() + limit);
}

}  // namespace gpumon::grpc
