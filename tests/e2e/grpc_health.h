// A stock gRPC client of grpc.health.v1.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace gpumon::e2e {

// HealthCheckResponse.ServingStatus; kNone: no answer.
enum class Serving { kNone = -1, kUnknown = 0, kServing = 1, kNotServing = 2 };

class GrpcHealth {
 public:
  explicit GrpcHealth(std::uint16_t port);
  ~GrpcHealth();

  Serving Check(const std::string& service);
  // Starts to watch a service; one watch at a time.
  void Watch(const std::string& service);
  // The next status of the watch, waiting for it; kNone when it has ended.
  Serving Next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gpumon::e2e
