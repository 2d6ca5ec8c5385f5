#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "internal/gpu/metric_index.h"
#include "internal/gpu/sample_log.h"

namespace gpumon::gpu {
namespace {

using models::ExplainedSample;
using models::GpuMetrics;
using models::NullReason;
using models::Outcome;
using models::Quantity;
using As = FamilyUse::As;

constexpr std::uint8_t kNoMetric = 0xFF;

std::string WhyDropped(NullReason reason) {
  if (reason == NullReason::kNotSupported) {
    return "blank value: the exporter says that the device cannot tell";
  }
  if (reason == NullReason::kStale) {
    return "old value of a failed collection or frozen exporter";
  }
  return "impossible value";
}

void Settle(ExplainedSample& sample, Outcome outcome, std::string rule) {
  sample.outcome = outcome;
  sample.rule = std::move(rule);
}

}  // namespace

// Of what is added up. False: it has lost, and is judged.
bool SampleLog::JudgePart(Entry& entry, const std::vector<Place>& places) {
  std::set<std::size_t> parts;
  bool counts = false;
  for (const Place& place : places) {
    const bool first = parts.insert(place.part).second;
    counts |= first && place.order == entry.order;
  }
  if (counts) {
    entry.told.rule = "one of " + std::to_string(parts.size()) + " parts, added up";
  } else {
    Settle(entry.told, Outcome::kLost, "of several series of one part the newest is added up");
  }
  return counts;
}

// False: it has not won, and is judged.
bool SampleLog::JudgeRanking(Entry& entry) const {
  const auto ranking = rankings_.find({entry.of, entry.leader});
  const schema::Metric& metric = entry.of.first->gpu[entry.use.index];
  entry.told.rule = "the only series";
  if (ranking == rankings_.end()) return true;
  const std::vector<Place>& places = ranking->second;
  const auto its = std::find_if(places.begin(), places.end(),
                                [&](const Place& place) { return place.order == entry.order; });
  const std::string of_all = "of " + std::to_string(places.size()) + " series";
  const Place& best = places.front();
  if (metric.reduce == schema::Reduce::kSum) return JudgePart(entry, places);
  if (metric.reduce != schema::Reduce::kNewest && its != places.end() && !its->old) return true;
  if (its == places.begin() && metric.reduce == schema::Reduce::kNewest) {
    entry.told.rule = "newest " + of_all;
    return true;
  }
  if (its != places.end() && its->of_pod && !its->old && !best.of_pod) {
    const bool shared = metric.slot == static_cast<std::size_t>(Quantity::kUtilization) ||
                        metric.slot == static_cast<std::size_t>(Quantity::kMemoryUsed);
    Settle(entry.told, shared ? Outcome::kUsed : Outcome::kLost,
           shared ? "a pod's part of the GPU; the device's own series is the row's value"
                  : "the device's own series stands before those of its pods");
    return false;
  }
  Settle(entry.told, Outcome::kLost,
         "the newest " + of_all + " counts; of equally new ones the first in label order");
  return false;
}

// Between metrics of one exporter, then between exporters. False: it has lost, and is judged.
bool SampleLog::JudgeMetric(Entry& entry, const std::vector<Part>& parts) const {
  const schema::Exporter& exporter = *entry.of.first;
  const std::size_t slot = exporter.gpu[entry.use.index].slot;
  const auto own = std::find_if(parts.begin(), parts.end(),
                                [&](const Part& part) { return part.of == entry.of; });
  const auto first = std::find_if(parts.begin(), parts.end(),
                                  [&](const Part& part) { return part.its.readings.Has(slot); });
  if (own == parts.end()) return true;
  const std::uint8_t shown = own->shown[slot];
  if (shown != kNoMetric && shown != entry.leader &&
      exporter.gpu[entry.use.index].rule != schema::Rule::kFlag) {
    Settle(entry.told, Outcome::kLost,
           "another metric of the exporter stands first: " + exporter.gpu[shown].name);
    return false;
  }
  if (first == parts.end() || first == own) return true;
  Settle(entry.told, Outcome::kLost,
         first->of.first == &exporter ? "another row of the exporter stands first"
                                      : "another exporter stands first: " + first->of.first->name);
  return false;
}

void SampleLog::JudgeShare(Entry& entry, const std::vector<Part>& parts) {
  const schema::Exporter& exporter = *entry.of.first;
  const schema::ShareMetric& share = exporter.shares[entry.use.index];
  const auto own = std::find_if(parts.begin(), parts.end(),
                                [&](const Part& part) { return part.of == entry.of; });
  if (entry.reading.reason != NullReason::kNone) {
    return Settle(entry.told, Outcome::kDropped, WhyDropped(entry.reading.reason));
  }
  if (share.needs_device && own != parts.end() && !ShowsDeviceOf(exporter, own->shown, share)) {
    return Settle(entry.told, Outcome::kDropped,
                  "the GPU has no series of its own of this metric, which its pods may repeat");
  }
  Settle(entry.told, Outcome::kUsed, "a pod's part of the GPU");
}

void SampleLog::Judge(Entry& entry, const std::vector<Part>& parts, const GpuMetrics& row) const {
  ExplainedSample& told = entry.told;
  told.at = TimeOf(entry);
  if (entry.use.as == As::kShare) return JudgeShare(entry, parts);
  if (entry.use.as != As::kMetric) return Settle(told, Outcome::kUsed, "says what the GPU is");
  if (IsUnfit(entry.reading)) return Settle(told, Outcome::kDropped, told.rule);
  if (entry.reading.reason != NullReason::kNone) {
    return Settle(told, Outcome::kDropped, WhyDropped(entry.reading.reason));
  }
  const schema::Metric& metric = entry.of.first->gpu[entry.use.index];
  const auto value = row.readings.Get(metric.slot);
  if (metric.allotted && value && *value != entry.reading.value) {
    return Settle(told, Outcome::kLost,
                  "what is measured, or derived of that, stands before what a scheduler hands out");
  }
  if (!JudgeRanking(entry) || !JudgeMetric(entry, parts)) return;
  if (row.readings.reason(metric.slot) == NullReason::kConflict) {
    return Settle(told, Outcome::kDropped, "contradicted by another series of the same time");
  }
  if (!value) {
    return Settle(told, Outcome::kDropped, "impossible beside the GPU's other values");
  }
  const bool of_many =
      metric.reduce == schema::Reduce::kMax || metric.reduce == schema::Reduce::kMin;
  if (of_many && metric.rule != schema::Rule::kFlag) {
    const bool is_it = *value == entry.reading.value;
    const std::string which = metric.reduce == schema::Reduce::kMax ? "largest" : "smallest";
    return Settle(told, is_it ? Outcome::kUsed : Outcome::kLost,
                  "the " + which + " of its series counts");
  }
  if (metric.rule == schema::Rule::kFlag) told.rule = "one bit of the mask";
  told.outcome = Outcome::kUsed;
}

}  // namespace gpumon::gpu
