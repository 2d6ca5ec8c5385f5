// Samples that are no part of a row.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/metric_index.h"
#include "internal/prom/value.h"
#include "models/null_reason.h"

namespace gpumon::gpu {

// Kept for the join doctor until the rows of the others are known: these make none. One thread at a
// time.
class UnfitSamples {
 public:
  // Why: kNotExported: the schema asks for other labels than it has.
  void Add(FamilyUse use, prom::LabelSet labels, double raw, models::NullReason why) {
    Sample& sample = samples_.emplace_back(Sample{use, raw, why, {}});
    for (const prom::Label& label : labels) sample.labels.emplace_back(label.name, label.value);
  }
  // Of a whole vector what is measured: by `metric`, or by what each name says.
  void AddAll(const MetricIndex& names, const prom::InstantVector& vector,
              std::optional<std::size_t> metric, models::NullReason why) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const prom::LabelSet labels = vector.labels(i);
      const double raw = vector.point(i).value;
      if (metric) {
        Add({FamilyUse::As::kMetric, *metric}, labels, raw, why);
        continue;
      }
      for (const FamilyUse& use : names.Find(prom::Get(labels, "__name__"))) {
        if (use.as == FamilyUse::As::kMetric) Add(use, labels, raw, why);
      }
    }
  }

  // tell(use, labels, raw, why) for each, in the order of Add.
  template <class Tell>
  void ForEach(Tell tell) const {
    for (const Sample& sample : samples_) {
      std::vector<prom::Label> labels;
      for (const auto& [name, value] : sample.labels) labels.push_back({name, value});
      tell(sample.use, prom::LabelSet(labels), sample.raw, sample.why);
    }
  }

 private:
  struct Sample {
    FamilyUse use;
    double raw;
    models::NullReason why;
    std::vector<std::pair<std::string, std::string>> labels;
  };

  std::vector<Sample> samples_;
};

}  // namespace gpumon::gpu
