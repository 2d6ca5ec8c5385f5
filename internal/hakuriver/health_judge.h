// Which of a host's samples hold now. Used inside internal/hakuriver alone.
#pragma once

#include <string>
#include <vector>

#include "internal/base/result.h"
#include "internal/hakuriver/models.h"

namespace gpumon::hakuriver {

// The heartbeats are newer than the newest sample by more than a host that samples lets them be.
// Both are times of the host's own clock, so their zone does not matter.
bool IsBehind(const Health& health, const std::vector<Node>& nodes);
// Marks what is fresh; `stale` is set.
void MarkFresh(Health& health);
// Fills Health::unsampled.
void FindUnsampled(const std::vector<Node>& nodes, Health& health);
// Leaves the samples of that node alone: all, or the newest. False when there are none of it.
bool KeepNode(const std::string& hostname, bool past, Health& health);

}  // namespace gpumon::hakuriver
