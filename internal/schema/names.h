// Names in a schema's text: of metrics, of labels, and what labels have to be.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "internal/schema/exporter.h"
#include "internal/schema/node.h"

namespace gpumon::schema {

// The end of a sentence about what is no such name.
inline constexpr char kMetricNames[] = " metric name; allowed: [a-zA-Z_:][a-zA-Z0-9_:]*";

// [a-zA-Z_:][a-zA-Z0-9_:]*
bool IsMetricName(std::string_view name);
// [a-z0-9_]{1,32}
bool IsSchemaName(std::string_view name);

// Each refuses what is no such name (Mistake).
std::string MetricName(const Node& node);
void CheckLabelName(const Node& node, const std::string& name);
// And what stands there twice.
std::vector<std::string> MetricNames(const std::vector<Node>& nodes);
std::vector<std::string> LabelNames(const std::vector<Node>& nodes);
// `{"label": "value"}`; "" is absent, "*" present, and an array one of its values.
std::vector<Condition> Conditions(const std::optional<Node>& node);

}  // namespace gpumon::schema
