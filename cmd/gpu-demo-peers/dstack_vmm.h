// Stands in for the DStack VMM of the fleet's first node.
#pragma once

#include <vector>

#include "cmd/gpu-demo-peers/peer.h"

namespace gpumon::demo {

class DstackVmm {
 public:
  // `fleet` must outlive this object, and both its rows.
  explicit DstackVmm(const exporter::Fleet& fleet) : fleet_(fleet) {}
  std::vector<Row> Rows() const;

 private:
  Answer ListGpus(WallTime now) const;

  const exporter::Fleet& fleet_;
};

}  // namespace gpumon::demo
