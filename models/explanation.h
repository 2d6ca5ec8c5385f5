// How one GPU's row came about: what the join doctor tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/gpu.h"

namespace gpumon::models {

// What became of a sample.
enum class Outcome : std::uint8_t {
  kUsed,     // the row shows it
  kLost,     // another one stands first
  kDropped,  // it cannot be believed, or says that there is nothing
};
constexpr std::string_view NameOf(Outcome outcome) {
  return outcome == Outcome::kUsed ? "used" : outcome == Outcome::kLost ? "lost" : "dropped";
}

struct ExplainedSample {
  std::string exporter;
  std::string metric;
  std::vector<std::pair<std::string, std::string>> labels;  // secrets masked
  double raw = 0;                                           // as exported; may be NaN
  std::optional<double> value;  // in the base unit; nothing when it is none
  std::string field;            // or what else it gave: "texts", "workloads", "gpu_id"
  double at = std::numeric_limits<double>::quiet_NaN();  // Unix seconds; NaN when unknown
  Outcome outcome = Outcome::kUsed;
  std::string rule;     // why
  std::size_t row = 0;  // its place in Explanation::rows
};

struct Finding {
  bool warning = false;  // else for information
  std::string what;
  std::string next_step;
};

struct Explanation {
  std::shared_ptr<const Snapshot> snapshot;  // of the same samples
  std::vector<std::uint32_t> rows;           // of its GPUs: the asked one, with its MIG instances
  std::vector<ExplainedSample> samples;      // by row, exporter, field, outcome
  std::vector<Finding> findings;             // of the whole snapshot; warnings first
};

}  // namespace gpumon::models
