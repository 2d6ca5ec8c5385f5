// GPUs that somebody holds and does not use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "internal/fleet/parts.h"
#include "internal/fleet/prices.h"
#include "models/gpu.h"

namespace gpumon::fleet {

// What one holder had of one GPU (or MIG instance) in a window.
struct IdleTime {
  std::string node;
  std::string gpu_id;
  std::string gpu_name;
  std::string uuid;
  std::string mig_uuid;
  std::string name_space;  // of the pod; empty: no pod is known to hold it
  std::string pod;
  std::set<std::string> users;  // of processes on it in that time
  std::int64_t idle = 0;        // milliseconds, its share where several hold it
  std::int64_t busy = 0;        // likewise
  double idle_cost = 0;         // NaN: the model has no price
  // At the last instant it was held and idle: the first instant of that, without any in between at
  // which it was known to be otherwise, and without five minutes of which nothing is known.
  std::optional<std::size_t> since;
};

// One thread at a time. Time is counted as Ledger counts it.
class IdleHolders {
 public:
  IdleHolders(std::int64_t start, std::int64_t step, std::int64_t end, const Prices& prices);

  // The GPUs at the instant `i`; in order, none twice.
  void Add(std::size_t i, const std::vector<Whole>& gpus);
  // Those that were held and idle at any instant; the most of it first. Once, last.
  std::vector<IdleTime> Finish();

 private:
  using Key = std::array<std::string, 6>;
  struct Held {
    IdleTime time;
    std::size_t last = 0;  // instant
    std::size_t idle = 0;  // last instant of that
    State state = State::kUnknown;
  };

  std::int64_t TimeOf(std::size_t i) const;
  bool IsShort(std::size_t instants) const;
  void AddPart(std::size_t i, const Part& part, std::int64_t millis);
  Held& Find(const models::GpuMetrics& row, std::string_view name_space, std::string_view pod);

  const std::int64_t start_;
  const std::int64_t step_;
  const std::int64_t end_;
  const Prices& prices_;
  std::map<Key, Held> held_;
  std::size_t last_ = 0;  // instant
};

}  // namespace gpumon::fleet
