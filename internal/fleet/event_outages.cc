// Scrape targets that were down, among the events.
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "internal/fleet/events.h"

namespace gpumon::fleet {

// Of its GPUs as they are shown: a target's own labels may call its node otherwise.
std::string Events::NodeOf(std::size_t target) const {
  std::set<std::string> nodes;
  for (const auto& [key, track] : tracks_) {
    const auto& its = track.targets;
    if (std::binary_search(its.begin(), its.end(), target)) nodes.insert(track.of.node);
  }
  return nodes.size() == 1 ? *nodes.begin() : activity_.targets[target].node;
}

void Events::CountShown(std::size_t i) {
  for (std::size_t t = 0; t < showing_.size(); ++t) {
    if (showing_[t] == 0) continue;
    shown_[t] = i;
    auto& counts = counts_[t];
    if (counts.empty() || counts.rbegin()->second != showing_[t]) counts[i] = showing_[t];
  }
}

// As many as it showed last before this instant; where nobody saw it do so, all that it is known
// of.
double Events::ShownBefore(std::size_t target, std::size_t i) const {
  const auto& counts = counts_[target];
  const auto next = counts.lower_bound(i);
  return static_cast<double>(next == counts.begin() ? activity_.targets[target].gpus
                                                    : std::prev(next)->second);
}

void Events::AddOutages() {
  using Up = gpu::ActivityTarget::Up;
  for (std::size_t t = 0; t < activity_.targets.size(); ++t) {
    const gpu::ActivityTarget& target = activity_.targets[t];
    Episode episode;
    for (std::size_t i = 0; i < target.up.size() && i <= activity_.last(); ++i) {
      const double time = activity_.At(i);
      if (target.up[i] == Up::kUnknown) {
        Gap(episode, time);
      } else if (target.up[i] == Up::kUp) {
        Close(episode, time);
      } else {
        episode.gap.reset();
        if (episode.event) continue;
        Event& event = episode.event.emplace();
        event.type = EventType::kExporterDown;
        event.severity = Severity::kWarning;
        event.begin = time;
        event.node = NodeOf(t);
        event.target = "job " + target.job + ", " + target.instance;
        event.value = ShownBefore(t, i);
      }
    }
    if (!episode.event) continue;
    episode.event->end = episode.gap;
    events_.push_back(*std::move(episode.event));
  }
}

}  // namespace gpumon::fleet
