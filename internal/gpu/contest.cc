#include "internal/gpu/contest.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <string_view>
#include <tuple>

#include "internal/gpu/mix.h"

namespace gpumon::gpu {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

std::size_t Contest::TargetOf(prom::LabelSet labels) {
  const std::hash<std::string_view> hash;
  return Mix(Mix(hash(prom::Get(labels, "job"))) + hash(prom::Get(labels, "instance")));
}

std::string Contest::InLabelOrder(prom::LabelSet labels) {
  std::string text;
  for (const prom::Label& label : labels) {
    text.append(label.name).append(1, '\0').append(label.value).append(1, '\0');
  }
  return text;
}

std::size_t Contest::Doubles(const Ranking& ranking) {
  using Texts = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::set<Texts> seen;
  for (const Contender* one : ranking) {
    seen.emplace(one->workload.name_space, one->workload.pod, one->workload.container);
  }
  return ranking.size() - seen.size();
}

void Contest::AddTime(std::uint32_t row, std::size_t target, double at) {
  times_.emplace_back(Mix(row) ^ target, at);
}

double Contest::TimeOf(const Contender& contender) const {
  const std::size_t key = Mix(contender.row) ^ contender.target;
  const auto after = std::upper_bound(times_.begin(), times_.end(), std::pair(key, kInfinity));
  const bool found = after != times_.begin() && std::prev(after)->first == key;
  return found ? std::prev(after)->second : -kInfinity;
}

auto Contest::Decide() -> std::vector<Ranking> {
  std::sort(times_.begin(), times_.end());
  std::vector<std::pair<const Contender*, double>> places;
  places.reserve(contenders_.size());
  for (const Contender& contender : contenders_) {
    places.emplace_back(&contender, TimeOf(contender));
  }
  std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) {
    const Contender& x = *a.first;
    const Contender& y = *b.first;
    const bool x_of_pod = !x.workload.pod.empty();
    const bool y_of_pod = !y.workload.pod.empty();
    const bool x_impossible = x.reading.reason != models::NullReason::kNone;
    const bool y_impossible = y.reading.reason != models::NullReason::kNone;
    // With equal labels the value decides.
    return std::tie(x.row, x.metric, x_impossible, x_of_pod, b.second, x.labels, x.reading.value) <
           std::tie(y.row, y.metric, y_impossible, y_of_pod, a.second, y.labels, y.reading.value);
  });
  std::vector<Ranking> rankings;
  for (const auto& [contender, time] : places) {
    if (rankings.empty() || rankings.back().front()->row != contender->row ||
        rankings.back().front()->metric != contender->metric) {
      rankings.emplace_back();
    }
    rankings.back().push_back(contender);
  }
  return rankings;
}

}  // namespace gpumon::gpu
