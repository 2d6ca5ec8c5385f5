// The synthetic fleet as a Collector.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "internal/exporter/collector.h"
#include "internal/exporter/fleet.h"

namespace gpumon::exporter {

// How much is published around the nine metrics that every consumer needs. A fleet of 100,000
// GPUs is 0.2 GB of text with kNone and 1 GB with kAll.
enum class Surroundings : std::uint8_t {
  kNone,  // nothing
  kGpu,   // the rest of what the driver tells
  kAll,   // that, the nodes and the cluster
};
Result<Surroundings> ParseSurroundings(std::string_view text);  // none, gpu, all

class DemoCollector final : public Collector {
 public:
  DemoCollector(Fleet fleet, Surroundings surroundings, std::string version)
      : fleet_(std::move(fleet)), surroundings_(surroundings), version_(std::move(version)) {}

  // Never fails. Begins with gpu_exporter_info{demo="true"}: nobody shall take this for real.
  Result<void> Collect(WallTime at, std::string& out) const override;

 private:
  const Fleet fleet_;
  const Surroundings surroundings_;
  const std::string version_;
};

}  // namespace gpumon::exporter
