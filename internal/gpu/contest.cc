#include "internal/gpu/contest.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "internal/gpu/mix.h"

namespace gpumon::gpu {

using models::NullReason;

namespace {

using Contender = Contest::Contender;
using Ranking = Contest::Ranking;
using Verdict = Contest::Verdict;

auto TextsOf(const Contender& one) {
  return std::tuple(std::string_view(one.workload.name_space), std::string_view(one.workload.pod),
                    std::string_view(one.workload.container));
}

// Another series of the same device or pod, taken at the same known time, has another value.
bool IsContradicted(const Ranking& ranking) {
  const Contender& best = *ranking.front();
  if (best.reading.reason != NullReason::kNone || !std::isfinite(best.at)) return false;
  return std::any_of(ranking.begin() + 1, ranking.end(), [&](const Contender* one) {
    return one->reading.reason == NullReason::kNone && one->at == best.at &&
           TextsOf(*one) == TextsOf(best) && one->reading.value != best.reading.value;
  });
}

Verdict SumOf(const Ranking& ranking) {
  Verdict sum;
  std::map<std::size_t, Ranking> parts;  // each the winner first
  for (const Contender* one : ranking) parts[one->part].push_back(one);
  bool any = false;
  for (const auto& [part, its] : parts) {
    sum.doubles += its.size() - 1;
    sum.losers.insert(sum.losers.end(), its.begin() + 1, its.end());
    NullReason reason = its.front()->reading.reason;
    if (reason == NullReason::kNotSupported) continue;
    if (IsContradicted(its)) reason = NullReason::kConflict;
    if (sum.reading.reason == NullReason::kNone) sum.reading.reason = reason;
    sum.reading.value += its.front()->reading.value;
    any = true;
  }
  if (!any) sum.reading = ranking.front()->reading;
  return sum;
}

Verdict ExtremeOf(const Ranking& ranking, bool largest) {
  Verdict verdict{ranking.front()->reading, 0, {}};
  const double newest = Contest::NewestTime(ranking);
  bool any = false;
  for (const Contender* one : ranking) {
    if (Contest::IsOld(*one, newest)) {
      ++verdict.doubles;
      verdict.losers.push_back(one);
    } else if (one->reading.reason == NullReason::kNone) {
      const bool beyond = (one->reading.value > verdict.reading.value) == largest;
      if (!any || beyond) verdict.reading = one->reading;
      any = true;
    }
  }
  return verdict;
}

Verdict NewestOf(const Ranking& ranking) {
  Verdict verdict{ranking.front()->reading, 0, {}};
  if (IsContradicted(ranking)) verdict.reading.reason = NullReason::kConflict;
  const double newest = Contest::NewestTime(ranking);
  std::set<decltype(TextsOf(*ranking.front()))> seen;
  for (const Contender* one : ranking) {
    const bool of_device = one->workload.pod.empty();
    const bool old = Contest::IsOld(*one, newest);
    if (!seen.insert(TextsOf(*one)).second || old) ++verdict.doubles;
    if (one != ranking.front() && (of_device || old)) verdict.losers.push_back(one);
  }
  return verdict;
}

}  // namespace

std::size_t Contest::TargetOf(prom::LabelSet labels) {
  const std::hash<std::string_view> hash;
  return Mix(Mix(hash(prom::Get(labels, "job"))) + hash(prom::Get(labels, "instance")));
}

std::string Contest::InLabelOrder(prom::LabelSet labels) {
  const auto before = [](const prom::Label& a, const prom::Label& b) { return a.name < b.name; };
  std::vector<prom::Label> sorted;
  if (!std::is_sorted(labels.begin(), labels.end(), before)) {
    sorted.assign(labels.begin(), labels.end());
    std::sort(sorted.begin(), sorted.end(), before);
    labels = sorted;
  }
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
  if (!name.empty()) labels.push_back({"__name__", name});
  return labels;
}

std::size_t Contest::PartOf(const std::vector<std::string>& parts, prom::LabelSet labels) {
  const std::hash<std::string_view> hash;
  std::size_t part = Mix(hash(prom::Get(labels, "__name__")));
  for (const std::string& label : parts) part = Mix(part + hash(prom::Get(labels, label)));
  return part;
}

double Contest::NewestTime(const Ranking& ranking) {
  double newest = -std::numeric_limits<double>::infinity();
  for (const Contender* one : ranking) newest = std::max(newest, one->at);
  return newest;
}

bool Contest::IsOld(const Contender& one, double newest) {
  return std::isfinite(one.at) && one.at < newest;
}

auto Contest::Judge(const schema::Metric& metric, const Ranking& ranking) -> Verdict {
  switch (metric.reduce) {
    case schema::Reduce::kSum:
      return SumOf(ranking);
    case schema::Reduce::kMax:
    case schema::Reduce::kMin:
      return ExtremeOf(ranking, metric.reduce == schema::Reduce::kMax);
    case schema::Reduce::kNewest:
      break;
  }
  return NewestOf(ranking);
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
    const bool x_impossible = x.reading.reason != NullReason::kNone;
    const bool y_impossible = y.reading.reason != NullReason::kNone;
    // With equal labels the value decides.
    return std::tie(x.row, x.metric, y.at, x_impossible, x_of_pod, x.labels, x.reading.value) <
           std::tie(y.row, y.metric, x.at, y_impossible, y_of_pod, y.labels, y.reading.value);
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
