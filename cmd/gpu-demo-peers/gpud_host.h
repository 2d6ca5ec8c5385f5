// Stands in for the GPUd v0.5.1 of one node of the fleet: the one whose GPU reports XID errors,
// where there is one. It speaks HTTP alone; the real one HTTPS.
#pragma once

#include <string>
#include <vector>

#include "cmd/gpu-demo-peers/peer.h"
#include "internal/exporter/fleet.h"

namespace gpumon::demo {

class GpudHost {
 public:
  // `fleet` must outlive this object, and both its rows.
  explicit GpudHost(const exporter::Fleet& fleet);
  std::vector<Row> Rows() const;

 private:
  Answer MachineInfo(const Question& question) const;
  Answer Components(const Question& question) const;
  Answer States(const Question& question) const;
  Answer Events(const Question& question) const;
  Answer Metrics(const Question& question) const;

  const exporter::Fleet& fleet_;
  const std::size_t node_;
};

}  // namespace gpumon::demo
