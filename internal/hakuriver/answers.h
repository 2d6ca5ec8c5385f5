// Reads what a host answers. Used inside internal/hakuriver alone.
#pragma once

#include <string>
#include <vector>

#include "internal/base/result.h"
#include "internal/hakuriver/models.h"

namespace gpumon::hakuriver {

// Each takes the body of one answer of status 200. The error is a clause about the host: "its
// nodes are no list". Elements without a name or id are passed over.
Result<std::vector<Node>> ReadNodes(const std::string& body);
// Whichever of its two shapes; nothing in it is fresh yet.
Result<Health> ReadHealth(const std::string& body);
Result<Task> ReadTask(const std::string& body);
Result<std::vector<Task>> ReadTasks(const std::string& body);
Result<std::vector<Vps>> ReadVps(const std::string& body);

}  // namespace gpumon::hakuriver
