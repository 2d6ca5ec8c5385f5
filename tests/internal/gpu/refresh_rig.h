// A collector over a fake Prometheus, and what its tests need around it.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/gpu/collector.h"
#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/prom/fake_prom_client.h"

namespace gpumon::gpu {

inline constexpr std::string_view kUtilizationQuery = "nvidia_gpu_utilization_percent";

class RecordingObserver final : public RefreshObserver {
 public:
  struct Query {
    std::string name;
    std::string result;
    std::size_t bytes;
  };
  struct Refresh {
    models::Part part;
    std::string result;
    std::size_t rows;
  };

  void QueryDone(const std::string& query, std::string_view result, double,
                 std::size_t bytes) override {
    const MutexLock lock(mutex_);
    queries_.push_back({query, std::string(result), bytes});
  }
  void RefreshDone(models::Part part, std::string_view result, double, std::size_t rows) override {
    const MutexLock lock(mutex_);
    refreshes_.push_back({part, std::string(result), rows});
  }
  void Joined(const JoinCounts& counts) override {
    const MutexLock lock(mutex_);
    joined_.push_back(counts);
  }

  std::vector<Query> queries() const {
    const MutexLock lock(mutex_);
    return queries_;
  }
  std::vector<Refresh> refreshes() const {
    const MutexLock lock(mutex_);
    return refreshes_;
  }
  std::vector<JoinCounts> joined() const {
    const MutexLock lock(mutex_);
    return joined_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<Query> queries_ GUARDED_BY(mutex_);
  std::vector<Refresh> refreshes_ GUARDED_BY(mutex_);
  std::vector<JoinCounts> joined_ GUARDED_BY(mutex_);
};

// What `future` gives; an error when that takes longer than any healthy test.
template <class T>
Result<T> Await(std::future<Result<T>> future) {
  if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
    return Error(Code::kInternal, "the test waited in vain");
  }
  return future.get();
}

// A callback that may be copied, and the future that it fills.
template <class T>
std::pair<std::function<void(Result<T>)>, std::future<Result<T>>> MakeCallback() {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  return {[promise](Result<T> result) { promise->set_value(std::move(result)); },
          std::move(future)};
}

class RefreshRig {
 public:
  using Collection = std::shared_ptr<const models::Snapshot>;

  explicit RefreshRig(std::size_t threads = 2)
      : fake_(std::make_unique<prom::FakePromClient>(threads)),
        collector(*fake_, clock, upstream_clock, observer, CommandStyle::kRedacted) {
    SetGpus(2);
  }

  prom::FakePromClient& client() { return *fake_; }
  // Of targets it knows nothing.
  static bool AsksForTargetTimes(const prom::FakePromClient::Call& call) {
    return call.promql.starts_with("count_values");
  }
  static prom::FakePromClient::Answer NoTimes() {
    return prom::FakePromClient::Answer(prom::MakeResult({}));
  }
  // Every other query is answered with that many GPUs (or processes) of node "a".
  void SetGpus(std::size_t count) {
    fake_->SetFunction([count](const prom::FakePromClient::Call& call) {
      std::vector<prom::FakeSample> samples;
      if (AsksForTargetTimes(call)) return NoTimes();
      for (std::size_t i = 0; i < count; ++i) {
        samples.push_back({{{"gpu", std::to_string(i)}, {"node", "a"}, {"pid", "7"}}, 50});
      }
      return prom::FakePromClient::Answer(prom::MakeResult(samples));
    });
  }
  Deadline In(Millis budget) const { return Deadline::After(clock, budget); }

  Result<Collection> Collect(models::Part part, std::optional<double> time = std::nullopt) {
    auto [done, future] = MakeCallback<Collection>();
    collector.Collect(part, time, In(Millis(9000)), done);
    return Await(std::move(future));
  }
  Result<Collection> CollectGpus() { return Collect(models::Part::kGpus); }
  std::size_t query_sets() const { return fake_->call_count(std::string(kUtilizationQuery)); }

  ~RefreshRig() { fake_.reset(); }  // what is under way refers to the collector
  RefreshRig(const RefreshRig&) = delete;
  RefreshRig& operator=(const RefreshRig&) = delete;

  FakeClock clock;
  UpstreamClock upstream_clock{clock};
  RecordingObserver observer;

 private:
  std::unique_ptr<prom::FakePromClient> fake_;

 public:
  Collector collector;
};

}  // namespace gpumon::gpu
