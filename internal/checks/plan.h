// Which checks a command runs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "internal/checks/docker.h"
#include "internal/checks/gpu.h"
#include "internal/checks/postgres.h"
#include "internal/checks/presets.h"
#include "internal/checks/redis.h"
#include "internal/checks/run.h"
#include "internal/fetch/client.h"

namespace gpumon::checks {

// In the order in which all of them are shown.
enum class Group : std::uint8_t { kDocker, kInfrastructure, kServices, kGpu, kSystem };
inline constexpr Group kAllGroups[] = {Group::kDocker, Group::kInfrastructure, Group::kServices,
                                       Group::kGpu, Group::kSystem};

// What is checked.
struct Scope {
  std::shared_ptr<fetch::Client> client;
  DockerOptions docker;
  std::vector<std::string> containers;
  std::vector<Target> targets;
  std::vector<std::string> config_files;
  std::string config_dir = ".";
  PostgresTarget postgres;  // of each PostgreSQL, but for its host, port and container
  RedisTarget redis;        // likewise
  Millis slow_after{1000};  // a good answer that took longer is Degraded
  GpuOptions gpu;
  std::shared_ptr<GpuDetails> gpu_details;  // filled by the look; may be null
};

// New tasks for one round.
std::vector<Task> Plan(std::span<const Group> groups, const Scope& scope);

}  // namespace gpumon::checks
