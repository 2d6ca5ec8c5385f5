// What one exporter generation calls things: metrics, units, labels.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/field.h"

namespace gpumon::schema {

// One metric family that measures one quantity. base value = sample * scale.
struct GpuMetric {
  std::string
      selector;  // PromQL vector selector, e.g. `nvidia_gpu_temperature_celsius{minor_number=""}`
  models::Quantity quantity;
  double scale = 1;
};
struct ProcessMetric {
  std::string selector;
  models::ProcessQuantity quantity;
  double scale = 1;
};

// Label names in order of trust: the first that a series has, and that is not empty, wins.
using Aliases = std::vector<std::string_view>;

struct LabelRow {
  models::Text text;
  Aliases aliases;
};

// Immutable.
struct Exporter {
  std::string_view name;  // the rows' `source`
  Aliases node;
  Aliases gpu;
  Aliases pid;
  std::vector<LabelRow> texts;  // beside node and gpu
  std::vector<GpuMetric> gpu_metrics;
  std::vector<ProcessMetric> process_metrics;
};

// The requirement's exporter: nvidia_gpu_*, with its labels (node, gpu) and with those of the
// exporter that exists (hostname, gpu_id).
const Exporter& NvidiaGpu();

}  // namespace gpumon::schema
