#include "internal/gpu/contest.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "internal/gpu/mix.h"

namespace gpumon::gpu {

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

std::vector<prom::Label> Contest::AsValued(prom::LabelSet timed) {
  std::vector<prom::Label> labels;
  std::string_view name;
  for (const prom::Label& label : timed) {
    if (label.name == "__series__") {
      name = label.value;
    } else {
      labels.push_back(label);
    }
  }
  if (name.empty()) return labels;
  const auto place = std::find_if(labels.begin(), labels.end(),
                                  [](const prom::Label& label) { return label.name > "__name__"; });
  labels.insert(place, {"__name__", name});
  return labels;
}

std::size_t Contest::Doubles(const Ranking& ranking) {
  using Texts = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::set<Texts> seen;
  for (const Contender* one : ranking) {
    seen.emplace(one->workload.name_space, one->workload.pod, one->workload.container);
  }
  return ranking.size() - seen.size();
}

std::size_t Contest::PartOf(const std::vector<std::string>& parts, prom::LabelSet labels) {
  const std::hash<std::string_view> hash;
  std::size_t part = Mix(hash(prom::Get(labels, "__name__")));
  for (const std::string& label : parts) part = Mix(part + hash(prom::Get(labels, label)));
  return part;
}

auto Contest::SumOf(const Ranking& ranking) -> Sum {
  Sum sum;
  std::map<std::size_t, Ranking> parts;  // each the winner first
  for (const Contender* one : ranking) parts[one->part].push_back(one);
  bool any = false;
  for (const auto& [part, its] : parts) {
    sum.doubles += its.size() - 1;
    sum.losers.insert(sum.losers.end(), its.begin() + 1, its.end());
    models::NullReason reason = its.front()->reading.reason;
    if (reason == models::NullReason::kNotSupported) continue;
    if (IsContradicted(its)) reason = models::NullReason::kConflict;
    if (sum.reading.reason == models::NullReason::kNone) sum.reading.reason = reason;
    sum.reading.value += its.front()->reading.value;
    any = true;
  }
  if (!any) sum.reading = ranking.front()->reading;
  return sum;
}

bool Contest::IsContradicted(const Ranking& ranking) {
  const Contender& best = *ranking.front();
  if (best.reading.reason != models::NullReason::kNone || !std::isfinite(best.at)) return false;
  return std::any_of(ranking.begin() + 1, ranking.end(), [&](const Contender* one) {
    const auto texts = [](const Contender& of) {
      return std::tie(of.workload.name_space, of.workload.pod, of.workload.container);
    };
    return one->reading.reason == models::NullReason::kNone && one->at == best.at &&
           texts(*one) == texts(best) && one->reading.value != best.reading.value;
  });
}

auto Contest::Decide(const RowTimes& times) -> std::vector<Ranking> {
  std::vector<const Contender*> places;
  places.reserve(contenders_.size());
  for (Contender& contender : contenders_) {
    const auto own = times_.find(contender.labels);
    contender.at =
        own != times_.end() ? own->second : times.NewestOf(contender.row, contender.target);
    places.push_back(&contender);
  }
  std::sort(places.begin(), places.end(), [](const Contender* a, const Contender* b) {
    const Contender& x = *a;
    const Contender& y = *b;
    const bool x_of_pod = !x.workload.pod.empty();
    const bool y_of_pod = !y.workload.pod.empty();
    const bool x_impossible = x.reading.reason != models::NullReason::kNone;
    const bool y_impossible = y.reading.reason != models::NullReason::kNone;
    // With equal labels the value decides.
    return std::tie(x.row, x.metric, x_impossible, x_of_pod, y.at, x.labels, x.reading.value) <
           std::tie(y.row, y.metric, y_impossible, y_of_pod, x.at, y.labels, y.reading.value);
  });
  std::vector<Ranking> rankings;
  for (const Contender* contender : places) {
    if (rankings.empty() || rankings.back().front()->row != contender->row ||
        rankings.back().front()->metric != contender->metric) {
      rankings.emplace_back();
    }
    rankings.back().push_back(contender);
  }
  return rankings;
}

}  // namespace gpumon::gpu
