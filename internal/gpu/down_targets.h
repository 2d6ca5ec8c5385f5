// Scrape targets that are down, and what they used to show.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

#include "internal/gpu/target_memory.h"
#include "internal/prom/value.h"

namespace gpumon::gpu {

// A scrape target for people: `job gpu, 10.0.0.1:9400`.
std::string TargetName(prom::LabelSet labels);
// The snapshot's warning that targets with these names, one or more, are down.
std::string DownWarning(const std::string& exporter, const std::set<std::string>& names);
bool IsDownWarning(std::string_view warning);
// That targets with these names, one or more, say that their last collection failed, and show
// nothing of it.
std::string FailedWarning(const std::string& exporter, const std::set<std::string>& names);
bool IsFailedWarning(std::string_view warning);
// That the GPUs of these nodes, one or more, are gone from targets that are up.
std::string SilentWarning(const std::string& exporter, const std::set<std::string>& nodes);
bool IsSilentWarning(std::string_view warning);

// One thread at a time.
class DownTargets {
 public:
  struct Shown {
    std::string name;  // as TargetName
    std::string job;
    std::string instance;
    TargetMemory::Nodes gpus;
    TargetMemory::Nodes processes;
    TargetMemory::Metrics gpu_metrics = {};
    TargetMemory::Metrics process_metrics = {};
    bool operator==(const Shown&) const = default;
  };
  // By target (Contest::TargetOf).
  using Past = std::map<std::size_t, Shown>;

  struct Target {
    std::string name;  // as TargetName
    std::string job;
    std::string instance;
  };

  // What Prometheus's past says of an exporter's targets, beside what is remembered.
  void SetPast(const std::string& exporter, const Past& past) { past_[exporter] = past; }
  // What it says of one of them: null where it says nothing.
  const Shown* PastOf(const std::string& exporter, std::size_t target) const;
  // Series of `up`.
  void Add(const prom::InstantVector& targets);
  // No `up` is 0.
  bool empty() const { return zeros_.empty(); }
  // Some `up` of it is 0, and no other one: while a pod takes another's place both may be there.
  bool Has(std::size_t target) const { return zeros_.contains(target) && !up_.contains(target); }
  bool IsUp(std::size_t target) const { return up_.contains(target); }
  // Those of which some `up` is 0.
  const std::map<std::size_t, Target>& zeros() const { return zeros_; }
  // It has no `up`, and others of its job do: series that name another `instance` than the one that
  // was scraped, as honor_labels lets them.
  bool IsHidden(std::size_t target, std::string_view job) const {
    return ups_.contains(job) && !up_.contains(target) && !zeros_.contains(target);
  }
  // Targets of `job` that are up.
  std::size_t UpOf(std::string_view job) const;

 private:
  std::map<std::size_t, Target> zeros_;
  std::unordered_set<std::size_t> up_;
  std::map<std::string, std::size_t, std::less<>> ups_;  // by job, which has an `up`: those up
  std::map<std::string, Past> past_;                     // by exporter
};

}  // namespace gpumon::gpu
