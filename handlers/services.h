// What handlers are given. Owned by the program, thread-safe, outliving the server.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/dstack/backend.h"
#include "internal/fleet/finding_ages.h"
#include "internal/fleet/health_rules.h"
#include "internal/fleet/prices.h"
#include "internal/fleet/seen_gpus.h"
#include "internal/gpu/activity.h"
#include "internal/gpu/explained.h"
#include "internal/gpu/range.h"
#include "internal/gpu/source.h"
#include "internal/gpu/upstream_probe.h"
#include "internal/profile/profile.h"
#include "internal/schema/registry.h"
#include "internal/telemetry/metrics.h"

namespace gpumon::handlers {

enum class DebugAccess { kOff, kLoopback, kEverybody };

// Constant after start.
struct Settings {
  std::string version;
  std::string prometheus_hosts;  // "host:9090,other:9090": no scheme, path or credentials
  Millis request_timeout{10'000};
  bool ready_requires_prometheus = false;
  DebugAccess debug = DebugAccess::kOff;
  std::vector<std::string> allowed_hosts;  // lower case, without port; empty: any
  std::vector<std::string> cors_origins;   // lower case, or one "*"; empty: none
  std::string base_path;
  fleet::HealthRules health_rules;
  fleet::Prices gpu_prices;
  std::string metrics_dir;                // of stored snapshots; "" when nobody knows
  bool commands_hidden = false;           // PROCESS_COMMANDS
  bool asks_for_token = false;            // API_BEARER_TOKEN_FILE
  std::vector<std::string> command_line;  // secrets masked, for /debug
  // Name and PromQL of what a refresh asks at present, for /debug/vars. May be empty.
  std::function<std::vector<std::pair<std::string, std::string>>()> queries;
};

// Where the process is in its life; the probes read it.
struct Lifecycle {
  std::atomic<bool> first_refresh_ended{false};
  std::atomic<bool> draining{false};
};

class HakuRiverHost;
class LiveFeed;
class RenderCache;

// What DStack was seen to be, without blocking: dstack::Backend's Get.
using AskDstack = std::function<void(std::function<void(const dstack::Availability&)>)>;

struct Services {
  const Settings& settings;
  const schema::Registry& registry;  // what the source reads
  const Clock& clock;
  Executor& executor;
  // For what may take long and must not hold up the others: one after the other.
  Executor& slow_executor;
  gpu::Source& source;
  std::function<gpu::Reachability()> reachability;
  const Lifecycle& lifecycle;
  RenderCache& render_cache;
  LiveFeed& live_feed;
  telemetry::Metrics& metrics;
  fleet::FindingAges& finding_ages;
  fleet::SeenGpus& seen_gpus;
  profile::CpuProfiler& cpu_profiler;
  // The bearer token that requests must show; "" = open to everybody.
  std::function<std::string()> api_token;
  // gpu::Explainer's.
  std::function<void(const gpu::GpuName&, const gpu::SnapshotPtr&, Deadline, gpu::Explained)>
      explain;
  // gpu::Collector's.
  std::function<void(const gpu::RangeWant&, Deadline, gpu::EachInstant, gpu::RangeDone)> walk;
  std::function<void(const gpu::ActivityWant&, Deadline, gpu::ActivityFound)> find_activity;
  AskDstack ask_dstack;
  HakuRiverHost* hakuriver = nullptr;  // null: HAKURIVER_URL is not set
};

}  // namespace gpumon::handlers
