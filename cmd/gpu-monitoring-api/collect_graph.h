// Every object of the running collector, built once, in the order in which they need each other.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "internal/base/clock.h"
#include "internal/base/executor.h"
#include "internal/base/mutex.h"
#include "internal/base/result.h"
#include "internal/collect/round.h"
#include "internal/config/collect_options.h"
#include "internal/fetch/client.h"
#include "internal/gpu/cached_source.h"
#include "internal/gpu/collector.h"
#include "internal/gpu/upstream_clock.h"
#include "internal/gpu/upstream_probe.h"
#include "internal/gpud/client.h"
#include "internal/prom/client.h"
#include "internal/push/sender.h"
#include "internal/push/spool.h"
#include "internal/schema/registry.h"
#include "internal/store/writer.h"

namespace gpumon::api {

// Refreshes are not counted here: the log says what is the matter.
class SilentObserver final : public gpu::RefreshObserver {
 public:
  void QueryDone(const std::string&, std::string_view, double, std::size_t) override {}
  void RefreshDone(models::Part, std::string_view, double, std::size_t) override {}
  void Joined(const gpu::JoinCounts&) override {}
};

// One thread drives it: Make, Start, Ended, Stop. Rounds and upkeep have threads of their own.
class CollectGraph {
 public:
  // kInvalidParameter for a file that cannot be used; kForbidden when another collector has the
  // folder. A folder that cannot be written is no error: the log says so, and what can be sent is.
  static Result<std::unique_ptr<CollectGraph>> Make(const config::CollectConfig& config);
  ~CollectGraph();

  void Start();
  // With --once: the round is over.
  bool Ended() const { return ended_; }
  // Ends the round under way, then sends what waits. False when the last round gave nothing.
  bool Stop();

 private:
  explicit CollectGraph(const config::CollectConfig& config);
  Result<void> Build();
  Result<void> BuildPrometheus();
  Result<void> BuildSender();
  void RunRounds();
  void RunUpkeep();
  void LookAfterFiles();
  bool AwaitNext(SteadyTime until);
  const schema::Registry& registry() const {
    return own_registry_ ? *own_registry_ : schema::Registry::BuiltIn();
  }

  const config::CollectConfig config_;
  const SystemClock clock_;
  std::optional<schema::Registry> own_registry_;
  SilentObserver observer_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<fetch::Client> fetch_;   // Prometheus's, with its credentials
  std::unique_ptr<fetch::Client> plain_;   // GPUd's
  std::unique_ptr<fetch::Client> remote_;  // the endpoint's
  std::unique_ptr<prom::Client> prometheus_;
  gpu::UpstreamClock upstream_clock_;
  std::unique_ptr<gpu::Collector> collector_;
  std::unique_ptr<gpu::CachedSource> source_;
  std::unique_ptr<gpu::UpstreamProbe> probe_;
  std::unique_ptr<gpud::Client> gpud_;
  std::unique_ptr<store::Writer> writer_;
  std::unique_ptr<push::Spool> spool_;
  std::unique_ptr<push::Sender> sender_;
  std::unique_ptr<collect::Round> round_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::atomic<bool> stop_upkeep_{false};
  std::atomic<bool> ended_{false};
  std::atomic<bool> good_{true};
  bool stopped_ = false;
  std::thread rounds_;
  std::thread upkeep_;
};

}  // namespace gpumon::api
