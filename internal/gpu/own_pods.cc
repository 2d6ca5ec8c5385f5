#include "internal/gpu/own_pods.h"

#include <algorithm>

#include "internal/gpu/contest.h"

namespace gpumon::gpu {

const OwnPods::Pods* OwnPods::PodsOf(prom::LabelSet labels) const {
  const std::string_view job = prom::Get(labels, "job");
  const std::string_view instance = prom::Get(labels, "instance");
  if (has_last_ && last_instance_ == instance && last_job_ == job) return last_pods_;
  const auto found = pods_.find(Contest::TargetOf(labels));
  has_last_ = true;
  last_job_ = job;
  last_instance_ = instance;
  last_pods_ = found == pods_.end() ? nullptr : &found->second;
  return last_pods_;
}

void OwnPods::AddOne(prom::LabelSet labels) {
  has_last_ = false;
  Pod& own =
      pods_[Contest::TargetOf(labels)].emplace_back(Pod{std::string(prom::Get(labels, "namespace")),
                                                        std::string(prom::Get(labels, "pod")),
                                                        std::string(prom::Get(labels, "container")),
                                                        {}});
  for (const prom::Label& label : labels) own.labels.emplace_back(label.name, label.value);
  names_.emplace(prom::Get(labels, "pod"));
}

void OwnPods::Add(const prom::InstantVector& targets) {
  added_ = true;
  for (std::size_t i = 0; i < targets.size(); ++i) AddOne(targets.labels(i));
}

void OwnPods::AddTimes(const prom::InstantVector& times) {
  added_ = true;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (prom::Get(times.labels(i), "t") == "up") AddOne(times.labels(i));
  }
}

bool OwnPods::IsMissing(prom::LabelSet labels) const {
  return added_ && !IsNew(labels) && PodsOf(labels) == nullptr;
}

bool OwnPods::IsNew(prom::LabelSet labels) const {
  return IsNew(prom::Get(labels, "job"));
}

bool OwnPods::IsWorkload(prom::LabelSet labels) const {
  const std::string_view pod = prom::Get(labels, "pod");
  if (pod.empty()) return false;
  const Pods* const pods = PodsOf(labels);
  if (pods == nullptr) return false;
  return std::none_of(pods->begin(), pods->end(), [&](const Pod& own) {
    return pod == own.name && prom::Get(labels, "namespace") == own.name_space;
  });
}

bool OwnPods::IsOwnContainer(prom::LabelSet labels) const {
  const std::string_view container = prom::Get(labels, "container");
  const Pods* const pods = PodsOf(labels);
  return pods != nullptr && std::any_of(pods->begin(), pods->end(),
                                        [&](const Pod& own) { return own.container == container; });
}

bool OwnPods::Lacks(prom::LabelSet labels, std::string_view label) const {
  const Pods* const pods = PodsOf(labels);
  if (pods == nullptr) return false;
  return std::all_of(pods->begin(), pods->end(), [&](const Pod& own) {
    if (label == "pod") return own.name.empty();
    return label == "container" ? own.container.empty() : own.name_space.empty();
  });
}

bool OwnPods::IsNamed(prom::LabelSet labels, std::string_view name) const {
  if (name.empty() || !names_.contains(name)) return false;
  return IsNamed(Contest::TargetOf(labels), name);
}

bool OwnPods::IsNamed(std::size_t target, std::string_view name) const {
  if (name.empty() || !names_.contains(name)) return false;
  const auto its = pods_.find(target);
  // With honorLabels the series' own `instance` hides its target.
  return its == pods_.end() || std::any_of(its->second.begin(), its->second.end(),
                                           [&](const Pod& own) { return own.name == name; });
}

bool OwnPods::IsTargets(prom::LabelSet labels, std::string_view name) const {
  const Pods* const pods = PodsOf(labels);
  const std::string_view value = prom::Get(labels, name);
  return pods != nullptr && std::any_of(pods->begin(), pods->end(), [&](const Pod& own) {
           return std::any_of(own.labels.begin(), own.labels.end(), [&](const auto& label) {
             return label.first == name && label.second == value;
           });
         });
}

bool OwnPods::IsOwn(prom::LabelSet labels) const {
  const std::string_view pod = prom::Get(labels, "pod");
  return !pod.empty() && !IsWorkload(labels) && PodsOf(labels) != nullptr;
}

}  // namespace gpumon::gpu
