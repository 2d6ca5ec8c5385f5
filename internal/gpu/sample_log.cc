#include "internal/gpu/sample_log.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

#include "internal/gpu/command.h"
#include "internal/gpu/conditions.h"
#include "internal/gpu/identity.h"
#include "internal/gpu/secret_name.h"
#include "internal/gpu/selectors.h"
#include "internal/schema/unit.h"

namespace gpumon::gpu {
namespace {

using models::ExplainedSample;
using models::GpuMetrics;
using models::NullReason;
using models::Text;
using As = FamilyUse::As;

constexpr std::uint8_t kExportedPod = 1;
constexpr std::uint8_t kOwnPod = 2;
constexpr std::uint8_t kWorkload = 4;

std::string_view FieldOf(const schema::Exporter& exporter, const FamilyUse& use) {
  switch (use.as) {
    case As::kMetric:
      for (const schema::Measured& measured : schema::MeasuredOfGpus()) {
        if (measured.slot == exporter.gpu[use.index].slot) return measured.name;
      }
      return "";
    case As::kShare:
      return "workloads";
    case As::kGpuId:
      return "gpu_id";
    case As::kMigMode:
      return "mig";
    case As::kInfo:
    case As::kSuccess:
      break;
  }
  return "texts";
}

std::string WithoutName(prom::LabelSet labels) {
  std::vector<prom::Label> rest;
  std::copy_if(labels.begin(), labels.end(), std::back_inserter(rest),
               [](const prom::Label& label) { return label.name != "__name__"; });
  return Contest::InLabelOrder(rest);
}

// A label's name may say that its value is a secret, whatever that looks like. A label `key` is
// that of a map as often, and a `code` that of an answer.
std::string ShowLabel(const prom::Label& label) {
  const SecretKind kind = JudgeName(label.name);
  if (!IsBare(kind) && !IsHarmlessValue(kind, label.value)) return "***";
  return ShowCommand(label.value, CommandStyle::kRedacted);
}

ExplainedSample WhatIsKnown(const JoinRecorder::Seen& seen) {
  ExplainedSample told;
  told.exporter = seen.exporter.name;
  for (const prom::Label& label : seen.labels) {
    if (label.name == "__name__") {
      told.metric = label.value;
    } else {
      told.labels.emplace_back(label.name, ShowLabel(label));
    }
  }
  if (told.metric.empty() && seen.use.as == As::kMetric) {
    told.metric = seen.exporter.gpu[seen.use.index].name;
  }
  told.raw = seen.raw;
  told.field = FieldOf(seen.exporter, seen.use);
  const bool measures = seen.use.as == As::kMetric || seen.use.as == As::kShare;
  if (measures && seen.reading.reason == NullReason::kNone) {
    told.value = seen.reading.value;
  }
  return told;
}

// What tells a row of the join from the others.
std::string KeyOf(const GpuMetrics& row) {
  std::string key;
  for (const Text text : {Text::kNode, Text::kGpuId, Text::kUuid, Text::kMigGpuInstance,
                          Text::kMigComputeInstance, Text::kMigUuid}) {
    key.append(row.text(text)).append(1, '\0');
  }
  return key;
}

std::string WhyUnfit(const schema::Condition& condition) {
  if (condition.is == schema::Condition::Is::kPresent) return "it has no label " + condition.label;
  return "its label " + condition.label +
         (condition.is == schema::Condition::Is::kAbsent ? " should not be there" : " is another");
}

}  // namespace

bool GpuName::Names(const GpuMetrics& row) const {
  if (!uuid.empty()) {
    return IsSameUuid(row.text(Text::kUuid), uuid) || IsSameUuid(row.text(Text::kMigUuid), uuid);
  }
  return row.text(Text::kNode) == node && row.text(Text::kGpuId) == gpu_id;
}

SampleLog::SampleLog(GpuName name, const std::vector<const GpuMetrics*>& known)
    : name_(std::move(name)) {
  for (const GpuMetrics* row : known) {
    known_.push_back({std::string(row->text(Text::kNode)), std::string(row->text(Text::kGpuId)),
                      std::string(row->text(Text::kUuid))});
  }
}

// An exporter's row lacks what its series do not say, so in doubt it may be.
bool SampleLog::MayBe(const GpuMetrics& row) const {
  return std::any_of(known_.begin(), known_.end(), [&](const Known& known) {
    const std::string_view uuid = row.text(Text::kUuid);
    if (!uuid.empty() && !known.uuid.empty()) return uuid == known.uuid;
    return Agree(row.text(Text::kNode), known.node) && Agree(row.text(Text::kGpuId), known.gpu_id);
  });
}

void SampleLog::CountPods(const Seen& seen) {
  auto& flags = pods_[&seen.exporter];
  if (flags.size() <= seen.row) flags.resize(seen.row + 1, 0);
  if (prom::Get(seen.labels, "pod").empty()) return;
  const auto& others = LabelsOf(seen.exporter, models::Text::kPod);
  if (!prom::Get(seen.labels, "exported_pod").empty()) {
    flags[seen.row] |= kExportedPod;
  } else if (std::any_of(others.begin(), others.end(), [&](const std::string& label) {
               return label != "pod" && !prom::Get(seen.labels, label).empty();
             })) {
    flags[seen.row] |= kWorkload;  // of an exporter that names it elsewhere
  } else if (seen.own_pods.IsOwn(seen.labels)) {
    flags[seen.row] |= kOwnPod;
  } else if (seen.own_pods.IsWorkload(seen.labels)) {
    flags[seen.row] |= kWorkload;
  }
}

void SampleLog::Saw(const Seen& seen) {
  CountPods(seen);
  if (!MayBe(seen.so_far)) return;
  entries_.push_back({{&seen.exporter, seen.row},
                      seen.use,
                      seen.leader,
                      Contest::InLabelOrder(seen.labels),
                      WithoutName(seen.labels),
                      Contest::TargetOf(seen.labels),
                      seen.raw,
                      seen.reading,
                      WhatIsKnown(seen)});
  if (!IsUnfit(seen.reading)) return;
  const auto* const unmet = FirstUnmet(seen.exporter.gpu[seen.use.index].where, seen.labels);
  if (unmet != nullptr) entries_.back().told.rule = WhyUnfit(*unmet);
}

void SampleLog::Gone(const Seen& seen) {
  if (!MayBe(seen.so_far)) return;
  ExplainedSample told = WhatIsKnown(seen);
  told.outcome = models::Outcome::kDropped;
  told.rule = "old value: its scrape target is down";
  gone_.emplace_back(Contest::InLabelOrder(seen.labels), std::move(told));
}

void SampleLog::GoneTimed(const prom::InstantVector& times) {
  for (std::size_t i = 0; i < times.size(); ++i) {
    gone_times_[Contest::InLabelOrder(Contest::AsValued(times.labels(i)))] = times.point(i).value;
  }
}

void SampleLog::Timed(const schema::Exporter& exporter, std::uint32_t row, const GpuMetrics& so_far,
                      prom::LabelSet labels, double at) {
  if (!MayBe(so_far)) return;
  const std::vector<prom::Label> named = Contest::AsValued(labels);
  const std::string series = WithoutName(named);
  times_[{&exporter, row}].push_back(
      {Contest::InLabelOrder(named), series, Contest::TargetOf(labels), at});
}

void SampleLog::Ranked(const schema::Exporter& exporter, const Contest::Ranking& ranking) {
  const Contest::Contender& best = *ranking.front();
  const double newest = Contest::NewestTime(ranking);
  auto& places = rankings_[{{&exporter, best.row}, best.metric}];
  for (const Contest::Contender* one : ranking) {
    places.push_back({one->labels, one->target, !one->workload.pod.empty(),
                      Contest::IsOld(*one, newest), one->part});
  }
}

void SampleLog::Met(const schema::Exporter& exporter, std::uint32_t row, std::uint32_t at,
                    const GpuMetrics& its, std::span<const std::uint8_t> shown) {
  if (first_.size() <= at) first_.resize(at + 1, nullptr);
  if (first_[at] == nullptr) {
    first_[at] = &exporter;
  } else if (first_[at] != &exporter) {
    // A board and its instances are one.
    std::string board(its.text(models::Text::kNode));
    board.append(1, '/').append(its.text(models::Text::kGpuId));
    if (its.text(models::Text::kGpuId).empty()) board += its.text(models::Text::kUuid);
    overlaps_[{first_[at]->name, exporter.name}].insert(std::move(board));
  }
  if (!MayBe(its) && parts_.count(at) == 0) return;
  parts_[at].push_back({{&exporter, row}, its, {shown.begin(), shown.end()}});
}

// Of the series itself, else of one with its labels, else of its target.
double SampleLog::TimeOf(const Entry& entry) const {
  const auto times = times_.find(entry.of);
  double newest = std::numeric_limits<double>::quiet_NaN();
  if (times == times_.end()) return newest;
  for (const Time& time : times->second) {
    if (time.order == entry.order) return time.at;
  }
  for (const Time& time : times->second) {
    if (time.series == entry.series) return time.at;
    if (time.target == entry.target && !(newest >= time.at)) newest = time.at;
  }
  return newest;
}

// A series that some use of its metric takes, or that has been told of.
bool SampleLog::IsToldElsewhere(const Entry& entry) const {
  return IsUnfit(entry.reading) &&
         std::any_of(entries_.begin(), entries_.end(), [&](const Entry& other) {
           return &other != &entry && other.of == entry.of && other.order == entry.order &&
                  (!IsUnfit(other.reading) || &other < &entry);
         });
}

void SampleLog::Joined(std::span<const GpuMetrics> rows, const JoinCounts& counts) {
  counts_ = counts;
  for (const auto& [at, parts] : parts_) {
    if (!name_.Names(rows[at])) continue;
    OfRow& row = rows_.emplace_back(OfRow{KeyOf(rows[at]), rows[at], {}});
    for (Entry& entry : entries_) {
      const bool of_it = std::any_of(parts.begin(), parts.end(),
                                     [&](const Part& part) { return part.of == entry.of; });
      if (!of_it || IsToldElsewhere(entry)) continue;
      Judge(entry, parts, row.row);
      row.samples.push_back(std::move(entry.told));
    }
  }
  for (auto& [order, told] : gone_) {
    if (rows_.empty()) break;
    if (const auto at = gone_times_.find(order); at != gone_times_.end()) told.at = at->second;
    rows_.front().samples.push_back(std::move(told));
  }
}

models::Explanation SampleLog::Explain(std::shared_ptr<const models::Snapshot> snapshot) {
  models::Explanation explanation;
  for (std::size_t i = 0; i < snapshot->gpus.size(); ++i) {
    if (!name_.Names(snapshot->gpus[i])) continue;
    const std::string key = KeyOf(snapshot->gpus[i]);
    for (OfRow& row : rows_) {
      if (row.key != key) continue;
      for (ExplainedSample& sample : row.samples) {
        sample.row = explanation.rows.size();
        explanation.samples.push_back(std::move(sample));
      }
      row.samples.clear();
    }
    explanation.rows.push_back(static_cast<std::uint32_t>(i));
  }
  std::stable_sort(explanation.samples.begin(), explanation.samples.end(),
                   [](const ExplainedSample& a, const ExplainedSample& b) {
                     return std::tie(a.row, a.field, a.outcome, a.exporter, a.metric, a.labels) <
                            std::tie(b.row, b.field, b.outcome, b.exporter, b.metric, b.labels);
                   });
  explanation.snapshot = std::move(snapshot);
  return explanation;
}

JoinFacts SampleLog::TakeFacts() {
  JoinFacts facts;
  facts.counts = counts_;
  for (const auto& [exporter, flags] : pods_) {
    JoinFacts::OfExporter its{exporter->name, 0, 0};
    for (const std::uint8_t flag : flags) {
      if ((flag & kExportedPod) != 0) {
        ++its.exported_pod;
      } else if ((flag & kOwnPod) != 0 && (flag & kWorkload) == 0) {
        ++its.own_pod;
      }
    }
    facts.exporters.push_back(its);
  }
  std::sort(facts.exporters.begin(), facts.exporters.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& [both, gpus] : overlaps_) {
    facts.overlaps.push_back({both.first, both.second, gpus.size()});
  }
  return facts;
}

}  // namespace gpumon::gpu
