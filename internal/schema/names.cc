#include "internal/schema/names.h"

#include <algorithm>
#include <utility>

namespace gpumon::schema {
namespace {

constexpr char kLabelNames[] = " label name; allowed: [a-zA-Z_][a-zA-Z0-9_]*";

bool IsLabelName(std::string_view name) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto allowed = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || digit(c);
  };
  return !name.empty() && !digit(name[0]) && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

// A label's name that may have colons.
bool IsMetricName(std::string_view name) {
  std::string without_colons(name);
  std::replace(without_colons.begin(), without_colons.end(), ':', '_');
  return IsLabelName(without_colons);
}

bool IsSchemaName(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), allowed);
}

std::string MetricName(const Node& node) {
  std::string name = node.Text();
  if (!IsMetricName(name)) node.Fail('"' + name + "\" is no" + kMetricNames);
  return name;
}

void CheckLabelName(const Node& node, const std::string& name) {
  if (!IsLabelName(name)) node.Fail('"' + name + "\" is no" + kLabelNames);
}

std::vector<std::string> MetricNames(const std::vector<Node>& nodes) {
  std::vector<std::string> names;
  for (const Node& node : nodes) {
    std::string name = MetricName(node);
    if (std::find(names.begin(), names.end(), name) != names.end()) node.Fail("stands here twice");
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> LabelNames(const std::vector<Node>& nodes) {
  std::vector<std::string> names;
  for (const Node& node : nodes) {
    std::string name = node.Text();
    CheckLabelName(node, name);
    if (std::find(names.begin(), names.end(), name) != names.end()) node.Fail("stands here twice");
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<Condition> Conditions(const std::optional<Node>& node) {
  std::vector<Condition> conditions;
  if (!node) return conditions;
  if (!node->value().is_object()) node->Fail("must be an object of labels");
  for (const auto& [label, value] : node->value().members()) {
    CheckLabelName(*node, label);
    const Node what(value, node->place() + '.' + label);
    Condition condition{label, Condition::Is::kOneOf, {}};
    if (value.is_array()) {
      for (const Node& one : what.Elements()) condition.values.push_back(one.Text());
      if (condition.values.empty()) what.Fail("must name a value");
    } else {
      condition.values = {what.Text()};
      if (what.Text().empty()) condition = {label, Condition::Is::kAbsent, {}};
      if (what.Text() == "*") condition = {label, Condition::Is::kPresent, {}};
    }
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

}  // namespace gpumon::schema
