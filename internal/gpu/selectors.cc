#include "internal/gpu/selectors.h"

#include <algorithm>

#include "internal/prom/promql.h"

namespace gpumon::gpu {

using schema::Condition;
using schema::Exporter;

std::string Selector(const std::string& name, const std::vector<Condition>& conditions,
                     const std::string& first_matcher) {
  std::string matchers = first_matcher;
  for (const Condition& condition : conditions) {
    if (!matchers.empty()) matchers += ',';
    matchers += condition.label;
    if (condition.values.size() > 1) {
      std::string any;
      for (const std::string& value : condition.values) {
        any.append(&value == &condition.values.front() ? "" : "|").append(prom::EscapeRegex(value));
      }
      matchers += "=~" + prom::Quote(any);
    } else {
      matchers += condition.is == Condition::Is::kPresent ? "!=" : "=";
      matchers += prom::Quote(condition.values.empty() ? "" : condition.values.front());
    }
  }
  return matchers.empty() ? name : name + '{' + matchers + '}';
}

std::string SelectorOfAny(const std::vector<std::string>& names,
                          const std::vector<Condition>& conditions,
                          const std::string& first_matcher) {
  if (names.size() == 1) return Selector(names.front(), conditions, first_matcher);
  std::string any;
  for (const std::string& name : names) any.append(any.empty() ? "" : "|").append(name);
  std::string matchers = "__name__=~" + prom::Quote(any);
  if (!first_matcher.empty()) matchers += ',' + first_matcher;
  return Selector("", conditions, matchers);
}

std::vector<std::string> WithPrefixes(const Exporter& exporter,
                                      const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const std::string& name : names) {
    for (const std::string& prefix : exporter.prefixes) all.push_back(prefix + name);
  }
  return all;
}

const std::vector<std::string>& LabelsOf(const schema::Exporter& exporter, models::Text which) {
  static const std::vector<std::string> kNone;
  for (const auto& [text, aliases] : exporter.labels.texts) {
    if (text == which) return aliases;
  }
  return kNone;
}

std::string LabelsWithTarget(const Exporter& exporter, std::initializer_list<models::Text> texts) {
  std::string labels;
  for (const auto& [text, aliases] : exporter.labels.texts) {
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) continue;
    for (const std::string& label : aliases) labels.append(1, ',').append(label);
  }
  return labels.empty() ? labels : "job,instance" + labels;
}

std::vector<std::string> SelectorsOf(const Exporter& exporter,
                                     const std::vector<std::string>& names) {
  std::vector<std::string> selectors;
  for (const std::string& name : WithPrefixes(exporter, names)) {
    selectors.push_back(Selector(name, exporter.require));
  }
  return selectors;
}

}  // namespace gpumon::gpu
