// Tells an exporter's own pod from the pod that holds a GPU.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "internal/gpu/addresses.h"
#include "internal/prom/value.h"

namespace gpumon::gpu {

// One thread at a time. A scrape target's labels fill what its series lack, so `pod` may be the
// exporter's own; the target's `up` has those labels alone.
class OwnPods {
 public:
  // Series of `up`.
  void Add(const prom::InstantVector& targets);
  // Of times by target (RowTimes::AddTargetTimes) those of `up`.
  void AddTimes(const prom::InstantVector& times);
  // The jobs whose `up` was asked for; before that, all.
  void SetAsked(std::set<std::string, std::less<>> jobs) { asked_ = std::move(jobs); }
  // Some were told of, or none was there; else nobody was heard of them.
  bool added() const { return added_; }
  // Of no target: what is asked about one is false then.
  bool empty() const { return pods_.empty(); }
  // That of the target which showed `labels` was asked for, and is not there.
  bool IsMissing(prom::LabelSet labels) const;
  // It was not asked for: its job is new.
  bool IsNew(prom::LabelSet labels) const;
  bool IsNew(std::string_view job) const { return asked_ && !asked_->contains(job); }
  // `container` of `labels` is that of the target that showed them.
  bool IsOwnContainer(prom::LabelSet labels) const;
  // `pod` of `labels` is not the pod of the target that showed them. False where the target is
  // unknown: nobody can tell.
  bool IsWorkload(prom::LabelSet labels) const;
  // The target that showed `labels` is known, and has no label of that name (`namespace`, `pod` or
  // `container`) itself.
  bool Lacks(prom::LabelSet labels, std::string_view label) const;
  // The pod of the target that showed `labels` is called `name`, or, where that is unknown, some
  // target's.
  bool IsNamed(prom::LabelSet labels, std::string_view name) const;
  bool IsNamed(std::size_t target, std::string_view name) const;  // Contest::TargetOf
  // `pod` of `labels` is the pod of the target that showed them. False where that is unknown.
  bool IsOwn(prom::LabelSet labels) const;
  // The target that showed `labels` is known, and has their label `name`, with that value, itself.
  bool IsTargets(prom::LabelSet labels, std::string_view name) const;

 private:
  struct Pod {
    std::string name_space;
    std::string name;
    std::string container;
    std::vector<std::pair<std::string, std::string>> labels;  // all of the target's
  };

  using Pods = std::vector<Pod>;

  void AddOne(prom::LabelSet labels);
  // Of the target that showed `labels`; null where it is unknown.
  const Pods* PodsOf(prom::LabelSet labels) const;

  bool added_ = false;
  std::optional<std::set<std::string, std::less<>>> asked_;
  // By Contest::TargetOf: while a pod takes another's place both may be there.
  std::unordered_map<std::size_t, Pods> pods_;
  std::set<std::string, std::less<>> names_;  // of pods
  // One target's series mostly stand together: the last answer of PodsOf, and whose it was.
  mutable bool has_last_ = false;
  mutable std::string last_job_;
  mutable std::string last_instance_;
  mutable const Pods* last_pods_ = nullptr;
};

// What Prometheus and kube-state-metrics say around an exporter's series.
struct Surroundings {
  double at = 0;  // Unix seconds: the instant of it all
  OwnPods own_pods;
  Addresses addresses;
};

}  // namespace gpumon::gpu
