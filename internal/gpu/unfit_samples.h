// Samples of metrics whose schema asks for other labels than they have.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/metric_index.h"
#include "internal/prom/value.h"

namespace gpumon::gpu {

// Kept for the join doctor until the rows of the others are known: these make none. One thread at a
// time.
class UnfitSamples {
 public:
  void Add(FamilyUse use, prom::LabelSet labels, double raw) {
    Sample& sample = samples_.emplace_back(Sample{use, raw, {}});
    for (const prom::Label& label : labels) sample.labels.emplace_back(label.name, label.value);
  }

  // tell(use, labels, raw) for each, in the order of Add.
  template <class Tell>
  void ForEach(Tell tell) const {
    for (const Sample& sample : samples_) {
      std::vector<prom::Label> labels;
      for (const auto& [name, value] : sample.labels) labels.push_back({name, value});
      tell(sample.use, prom::LabelSet(labels), sample.raw);
    }
  }

 private:
  struct Sample {
    FamilyUse use;
    double raw;
    std::vector<std::pair<std::string, std::string>> labels;
  };

  std::vector<Sample> samples_;
};

}  // namespace gpumon::gpu
