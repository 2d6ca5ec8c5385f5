#include "internal/gpu/named_pods.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "internal/gpu/plan.h"
#include "internal/gpu/selectors.h"

namespace gpumon::gpu {
namespace {

using models::Text;
using Names = std::vector<std::string>;
using Labels = std::pair<Names, Names>;  // of the namespace, of the pod

Names RenamedOr(const std::string& label) {
  return {"exported_" + label, label};
}

const Labels& Plain() {
  static const Labels kPlain = {RenamedOr("namespace"), RenamedOr("pod")};
  return kPlain;
}

bool IsPlain(const std::string& pod) {
  return std::find(Plain().second.begin(), Plain().second.end(), pod) != Plain().second.end();
}

Names AliasesOf(const schema::Exporter& exporter, Text which) {
  for (const auto& [text, aliases] : exporter.labels.texts) {
    if (text == which) return aliases;
  }
  return {};
}

std::vector<Labels> LabelsOf(const schema::Exporter& exporter) {
  const Names name_spaces = AliasesOf(exporter, Text::kNamespace);
  const Names pods = AliasesOf(exporter, Text::kPod);
  std::vector<Labels> all;
  if (exporter.pod_may_be_exporters || std::any_of(pods.begin(), pods.end(), IsPlain)) {
    all.push_back(Plain());
  }
  for (std::size_t i = 0; i < pods.size() && !name_spaces.empty(); ++i) {
    if (IsPlain(pods[i])) continue;
    all.push_back({{name_spaces[std::min(i, name_spaces.size() - 1)]}, {pods[i]}});
  }
  return all;
}

// Each GPU has one of its marks; and what it measures of pods alone.
Names MetricsOf(const schema::Exporter& exporter) {
  const std::size_t marks = std::min(kMarks, exporter.detect.size());
  Names names(exporter.detect.begin(),
              exporter.detect.begin() + static_cast<std::ptrdiff_t>(marks));
  for (const schema::ShareMetric& share : exporter.shares) {
    if (std::find(names.begin(), names.end(), share.name) == names.end()) {
      names.push_back(share.name);
    }
  }
  return WithPrefixes(exporter, names);
}

void Append(const Names& more, const std::string& quote, std::string& all) {
  for (const std::string& one : more) {
    all.append(all.empty() ? "" : ",").append(quote).append(one).append(quote);
  }
}

}  // namespace

std::string WithNames(const std::string& series, const std::vector<Names>& parts) {
  std::string labels;
  std::string regex;
  std::string found;
  std::size_t groups = 0;
  for (const Names& part : parts) {
    Append(part, "\"", labels);
    const std::string between = regex.empty() ? "" : "/";
    regex += between + (part.size() == 1 ? "([^/]*)" : "(?:([^/]+)/[^/]*|/([^/]*))");
    found += between;
    for (std::size_t i = 0; i < part.size(); ++i) found += '$' + std::to_string(++groups);
  }
  const std::string joined = "label_join(" + series + ",\"of\",\"/\"," + labels + ')';
  if (groups == parts.size()) return joined;
  return "label_replace(" + joined + ",\"of\",\"" + found + "\",\"of\",\"" + regex + "\")";
}

std::string WithOwnNames(const std::string& series, const Names& labels) {
  std::vector<Names> parts;
  for (const std::string& label : labels) parts.push_back(RenamedOr(label));
  return WithNames(series, parts);
}

std::string NamedPods(std::span<const schema::Exporter* const> exporters) {
  std::map<Labels, Names> by_labels;
  for (const schema::Exporter* exporter : exporters) {
    const Names metrics = MetricsOf(*exporter);
    for (const Labels& labels : LabelsOf(*exporter)) {
      Names& names = by_labels[labels];
      names.insert(names.end(), metrics.begin(), metrics.end());
    }
  }
  std::string promql;
  for (const auto& [labels, names] : by_labels) {
    std::string by;
    Append(labels.first, "", by);
    Append(labels.second, "", by);
    const bool is_one = labels.second.size() == 1;
    const std::string named =
        "group by(" + by + ")(" +
        SelectorOfAny(names, {}, is_one ? labels.second.front() + "!=\"\"" : "") + ')';
    promql.append(promql.empty() ? "" : " or ")
        .append(WithNames(named, {labels.first, labels.second}));
  }
  return promql;
}

}  // namespace gpumon::gpu
