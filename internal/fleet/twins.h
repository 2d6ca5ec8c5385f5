// One UUID at several places at one instant.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "internal/fleet/parts.h"

namespace gpumon::fleet {

// A GPU that moves may be shown by both nodes for a scrape: it is one. From the third instant in a
// row on that they show it together they are two of one UUID. One thread at a time.
class Twins {
 public:
  // Leaves of `gpus`, all at `instant`, those that count. Instants in their order.
  void Drop(std::size_t instant, std::vector<Whole>& gpus);

 private:
  struct Run {
    std::size_t last = 0;   // instant
    std::size_t count = 0;  // of instants in a row
  };
  std::map<std::array<std::string, 3>, Run> runs_;  // by UUID, node and id
};

}  // namespace gpumon::fleet
