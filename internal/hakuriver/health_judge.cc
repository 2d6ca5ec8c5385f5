#include "internal/hakuriver/health_judge.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::hakuriver {
namespace {

// Heartbeats come every 5 s, samples every second.
constexpr Millis kMostBehind{10'000};

// An instant only among times of the same clock.
std::optional<WallTime> OnItsOwnClock(const Time& time) {
  if (time.utc) return time.utc;
  if (!time.known()) return std::nullopt;
  std::string text = time.text;
  text[10] = 'T';
  return ParseTime(text + 'Z');
}

}  // namespace

bool IsBehind(const Health& health, const std::vector<Node>& nodes) {
  // Of all together, else of each alone: not every generation gives both.
  const auto all = health.aggregates.empty() ? std::nullopt
                                             : OnItsOwnClock(health.aggregates.back().last_updated);
  const auto sampled = [&](const std::string& hostname) {
    if (health.samples.empty()) return all;
    std::optional<WallTime> newest = all;
    for (const HealthSample& sample : health.samples.back()) {
      if (sample.hostname != hostname) continue;
      const auto own = OnItsOwnClock(sample.last_heartbeat);
      if (own && (!newest || *own < *newest)) newest = own;
    }
    return newest;
  };
  return std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) {
    const auto beat = OnItsOwnClock(node.last_heartbeat);
    const auto at = sampled(node.hostname);
    return node.online() && beat && at && *beat - *at > kMostBehind;
  });
}

void MarkFresh(Health& health) {
  if (health.samples.empty()) return;
  for (HealthSample& sample : health.samples.back()) {
    sample.fresh = !health.stale && sample.status == "online";
  }
}

void FindUnsampled(const std::vector<Node>& nodes, Health& health) {
  const auto& newest = health.newest();
  for (const Node& node : nodes) {
    const bool sampled = std::any_of(newest.begin(), newest.end(), [&](const HealthSample& sample) {
      return sample.hostname == node.hostname;
    });
    if (sampled) continue;
    HealthSample& sample = health.unsampled.emplace_back();
    sample.hostname = node.hostname;
    sample.status = node.status;
    sample.last_heartbeat = node.last_heartbeat;
    sample.total_cores = node.total_cores;
  }
}

bool KeepNode(const std::string& hostname, bool past, Health& health) {
  std::vector<std::vector<HealthSample>> kept;
  for (std::vector<HealthSample>& point : health.samples) {
    for (HealthSample& sample : point) {
      if (sample.hostname == hostname) kept.push_back({std::move(sample)});
    }
  }
  health.aggregates.clear();
  if (!past && kept.size() > 1) kept.erase(kept.begin(), kept.end() - 1);
  health.samples = std::move(kept);
  return !health.samples.empty();
}

}  // namespace gpumon::hakuriver
