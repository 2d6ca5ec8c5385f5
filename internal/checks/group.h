// Checks whose number is known only after a look.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "internal/base/clock.h"
#include "internal/checks/check.h"

namespace gpumon::checks {

// What one look saw. There is always a row: one of the group's name where nothing was found.
struct GroupDone {
  std::vector<Done> rows;
  std::string detailed;  // for people who ask for all: lines, each with its end; or ""
};

// As Probe: blocks its thread until the deadline and throws nothing. A driver that hangs may hold
// it up for longer: a runner then leaves the thread, which needs the probe itself and the clock
// alone.
using GroupProbe = std::function<GroupDone(const Clock& clock, Deadline deadline)>;

struct Group {
  std::string name;  // "GPU Hardware": of the row of a probe that does not end
  GroupProbe probe;
};

}  // namespace gpumon::checks
