// Every object of the running server, built once, in the order in which they need each other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/gpu-monitoring-api/hakuriver.h"
#include "handlers/api.h"
#include "handlers/live_feed.h"
#include "handlers/render_cache.h"
#include "handlers/services.h"
#include "handlers/token_file.h"
#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/result.h"
#include "internal/config/server_options.h"
#include "internal/dstack/backend.h"
#include "internal/fetch/client.h"
#include "internal/gpu/cached_source.h"
#include "internal/gpu/collector.h"
#include "internal/gpu/explainer.h"
#include "internal/gpu/upstream_clock.h"
#include "internal/gpu/upstream_probe.h"
#include "internal/grpc/health_server.h"
#include "internal/grpc/watchdog.h"
#include "internal/http/server.h"
#include "internal/profile/profile.h"
#include "internal/prom/client.h"
#include "internal/schema/registry.h"
#include "internal/telemetry/metrics.h"

namespace gpumon::api {

// Tells the metrics what the collector does, and the log when it is at debug.
class CountingObserver final : public gpu::RefreshObserver {
 public:
  explicit CountingObserver(telemetry::Metrics& metrics) : metrics_(metrics) {}
  void QueryDone(const std::string& query, std::string_view result, double seconds,
                 std::size_t bytes) override;
  void RefreshDone(models::Part part, std::string_view result, double seconds,
                   std::size_t rows) override;
  void Joined(const gpu::JoinCounts& counts) override;

 private:
  telemetry::Metrics& metrics_;
};

// One thread drives it (Make, Start, Tick, Drain, Stop); the parts have their own threads.
class Graph {
 public:
  // kInvalidParameter in one line when a file that the options name cannot be used.
  static Result<std::unique_ptr<Graph>> Make(const config::ServerConfig& config);
  ~Graph();  // stops what still runs

  // Listens and starts asking Prometheus. The HTTP port.
  Result<std::uint16_t> Start();
  // Call a few times a second: the first refresh, gRPC readiness and liveness, memory given back
  // when idle.
  void Tick();
  bool FirstRefreshAsked() const { return first_refresh_asked_; }
  // Readiness fails from now on; everything else goes on.
  void FailReadiness();
  // No new work on kept-alive connections; see http::Server.
  void BeginDrain() {
    cpu_profiler_.Cancel();  // it may have minutes to go
    live_feed_->End(kLastEvents);
    server_->BeginDrain();
  }
  bool AwaitDrained(Millis limit) { return server_->AwaitDrained(limit); }
  void Stop();

 private:
  // How long the end waits for the streams to be told of it.
  static constexpr Millis kLastEvents{1'000};

  explicit Graph(const config::ServerConfig& config);
  Result<void> Build();
  void StartFirstRefresh();
  telemetry::Readings ReadCounters() const;
  std::vector<std::pair<std::string, std::string>> Queries() const;
  Result<void> LoadSchemas();
  Result<void> ReadFleetRules();
  Result<void> BuildDstack();
  const schema::Registry& registry() const {
    return own_registry_ ? *own_registry_ : schema::Registry::BuiltIn();
  }

  const config::ServerConfig config_;
  const SystemClock clock_;
  std::optional<schema::Registry> own_registry_;  // with SCHEMA_FILE's; snapshots refer to it
  handlers::Settings settings_;
  handlers::Lifecycle lifecycle_;
  telemetry::Metrics metrics_;
  fleet::FindingAges finding_ages_;
  fleet::SeenGpus seen_gpus_;
  profile::CpuProfiler cpu_profiler_;
  handlers::RenderCache render_cache_;
  std::unique_ptr<handlers::TokenFile> token_;
  ThreadPool slow_pool_{1, "slow"};
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<fetch::Client> fetch_;
  std::unique_ptr<prom::Client> prometheus_;
  gpu::UpstreamClock upstream_clock_;
  CountingObserver observer_;
  std::unique_ptr<gpu::Collector> collector_;
  std::unique_ptr<gpu::Explainer> explainer_;
  std::unique_ptr<gpu::CachedSource> source_;
  std::unique_ptr<gpu::UpstreamProbe> probe_;
  std::unique_ptr<handlers::LiveFeed> live_feed_;
  std::unique_ptr<dstack::Backend> dstack_;
  std::unique_ptr<HakuRiverPart> hakuriver_;  // null: there is none
  std::unique_ptr<handlers::Services> services_;
  std::unique_ptr<handlers::Api> api_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<grpc::HealthServer> grpc_;
  bool first_refresh_asked_ = false;
  grpc::Watchdog watchdog_;
  bool ready_said_ = false;
  bool live_said_ = true;
  std::atomic<bool> refreshed_since_release_{false};
  SteadyTime last_release_;
  bool stopped_ = false;
};

}  // namespace gpumon::api
