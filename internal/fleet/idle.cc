#include "internal/fleet/idle.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace gpumon::fleet {

using models::GpuMetrics;
using models::Text;

IdleHolders::IdleHolders(std::int64_t start, std::int64_t step, std::int64_t end,
                         const Prices& prices)
    : start_(start), step_(step), end_(end), prices_(prices) {}

std::int64_t IdleHolders::TimeOf(std::size_t i) const {
  const std::int64_t at = start_ + step_ * static_cast<std::int64_t>(i);
  return std::min(at + step_, end_) - at;
}

// So many instants of which nothing is known are a gap that one waits out.
bool IdleHolders::IsShort(std::size_t instants) const {
  constexpr std::int64_t kGap = 5 * 60 * 1000;
  return step_ * static_cast<std::int64_t>(instants) < kGap;
}

IdleHolders::Held& IdleHolders::Find(const GpuMetrics& row, std::string_view name_space,
                                     std::string_view pod) {
  const auto text = [&](Text which) { return std::string(row.text(which)); };
  Key key{text(Text::kUuid),
          "",
          "",
          text(Text::kMigGpuInstance) + '/' + text(Text::kMigComputeInstance),
          std::string(name_space),
          std::string(pod)};
  if (key[0].empty()) {
    key[1] = text(Text::kNode);
    key[2] = text(Text::kGpuId);
  }
  const auto [at, is_new] = held_.try_emplace(std::move(key));
  IdleTime& time = at->second.time;
  if (is_new) {
    time.uuid = text(Text::kUuid);
    time.mig_uuid = text(Text::kMigUuid);
    time.name_space = name_space;
    time.pod = pod;
  }
  time.node = text(Text::kNode);  // where it is now
  time.gpu_id = text(Text::kGpuId);
  time.gpu_name = text(Text::kGpuName);
  return at->second;
}

void IdleHolders::AddPart(std::size_t i, const Part& part, std::int64_t millis) {
  using Pod = std::pair<std::string_view, std::string_view>;
  const bool is_held = part.state == State::kIdleHeld || !part.pods.empty() || !part.users.empty();
  if (!is_held) return;
  std::vector<Pod> pods(part.pods.begin(), part.pods.end());
  if (pods.empty()) pods.emplace_back();
  for (std::size_t place = 0; place < pods.size(); ++place) {
    Held& held = Find(*part.row, pods[place].first, pods[place].second);
    const std::int64_t share = ShareOf(millis, pods.size(), place);
    held.last = i;
    held.state = part.state;
    for (const std::string_view user : part.users) {
      if (!user.empty()) held.time.users.emplace(user);
    }
    if (part.state == State::kUnknown) continue;
    if (part.state != State::kIdleHeld) {
      held.time.since.reset();
      if (part.state == State::kBusy) held.time.busy += share;
      continue;
    }
    held.time.idle += share;
    const bool is_far = i > held.idle && !IsShort(i - held.idle - 1);
    if (!held.time.since || is_far) held.time.since = i;
    held.idle = i;
  }
}

void IdleHolders::Add(std::size_t i, const std::vector<Whole>& gpus) {
  last_ = i;
  for (const Whole& whole : gpus) {
    for (std::size_t part = 0; part < whole.parts.size(); ++part) {
      AddPart(i, whole.parts[part], ShareOf(TimeOf(i), whole.parts.size(), part));
    }
  }
}

std::vector<IdleTime> IdleHolders::Finish() {
  std::vector<IdleTime> times;
  for (auto& [key, held] : held_) {
    if (held.time.idle == 0) continue;
    if (held.last != last_ || held.state != State::kIdleHeld) held.time.since.reset();
    const auto price = prices_.Of(held.time.gpu_name);
    held.time.idle_cost = RoundedCost(
        CostOf(price.value_or(std::numeric_limits<double>::quiet_NaN()), held.time.idle));
    times.push_back(std::move(held.time));
  }
  std::stable_sort(times.begin(), times.end(),
                   [](const IdleTime& a, const IdleTime& b) { return a.idle > b.idle; });
  return times;
}

}  // namespace gpumon::fleet
