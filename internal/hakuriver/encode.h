// Models as JSON, the same for every generation.
#pragma once

#include "internal/hakuriver/models.h"
#include "internal/json/writer.h"

namespace gpumon::hakuriver {

// One object each. Keys are the host's own, where it has a name for the thing; ids are texts.
// Unknown is null. `time_zone` is "UTC", or null where the host wrote its local times without one:
// they then stand as it wrote them. Bytes, W, MHz, degrees Celsius, 0 to 100.
void Write(const Gpu& gpu, json::Writer& writer);
// Of one that is offline nothing that it measured: that holds no longer.
void Write(const Node& node, json::Writer& writer);
void Write(const HealthSample& sample, json::Writer& writer);
void Write(const Aggregate& aggregate, json::Writer& writer);
// Of the environment only the names: values may be secrets.
void Write(const Task& task, json::Writer& writer);
void Write(const Vps& vps, json::Writer& writer);

}  // namespace gpumon::hakuriver
