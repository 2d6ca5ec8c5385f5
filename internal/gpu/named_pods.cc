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

Names AliasesOf(const schema::Exporter& exporter, Text which, const std::string& plain) {
  Names all = LabelsOf(exporter, which);
  const bool may_be_plain = exporter.pod_may_be_exporters && !all.empty();
  if (may_be_plain && std::find(all.begin(), all.end(), plain) == all.end()) all.push_back(plain);
  return all;
}

// Each GPU has one of its marks; and what it measures of pods alone.
Names MetricsOf(const Subject& subject) {
  const schema::Exporter& exporter = *subject.exporter;
  const std::size_t marks = std::min(kMarks, exporter.detect.size());
  const auto end = exporter.detect.begin() + static_cast<std::ptrdiff_t>(marks);
  Names names = subject.without_marks ? Names(end, exporter.detect.end())
                                      : Names(exporter.detect.begin(), end);
  for (const schema::ShareMetric& share : exporter.shares) {
    if (std::find(names.begin(), names.end(), share.name) == names.end()) {
      names.push_back(share.name);
    }
  }
  return WithPrefixes(exporter, names);
}

std::string List(const Names& names, const std::string& quote) {
  std::string all;
  for (const std::string& name : names) {
    all.append(all.empty() ? "" : ",").append(quote).append(name).append(quote);
  }
  return all;
}

std::string Join(const std::string& series, const std::string& to, const Names& labels) {
  return "label_join(" + series + ",\"" + to + "\",\"/\"," + List(labels, "\"") + ')';
}

// `to` is the first of these labels that is not empty.
std::string FirstOf(const std::string& series, const std::string& to, const Names& labels) {
  return "label_replace(" + Join(series, to, labels) + ",\"" + to + "\",\"$1\",\"" + to +
         "\",\"/*([^/]*).*\")";
}

}  // namespace

std::string WithOwnNames(const std::string& series, const Names& labels) {
  Names both;
  std::string regex;
  std::string found;
  for (const std::string& label : labels) {
    both.push_back("exported_" + label);
    both.push_back(label);
    regex += std::string(regex.empty() ? "" : "/") + "(?:([^/]+)/[^/]*|/([^/]*))";
    found += std::string(found.empty() ? "" : "/") + '$' + std::to_string(both.size() - 1) + '$' +
             std::to_string(both.size());
  }
  return "label_replace(" + Join(series, "of", both) + ",\"of\",\"" + found + "\",\"of\",\"" +
         regex + "\")";
}

std::string NamedPods(std::span<const Subject> subjects) {
  std::map<std::pair<Names, Names>, Names> by_labels;
  for (const Subject& subject : subjects) {
    const schema::Exporter& exporter = *subject.exporter;
    const Names pods = AliasesOf(exporter, Text::kPod, "pod");
    if (pods.empty()) continue;
    Names& names = by_labels[{AliasesOf(exporter, Text::kNamespace, "namespace"), pods}];
    const Names more = MetricsOf(subject);
    names.insert(names.end(), more.begin(), more.end());
  }
  std::string promql;
  for (const auto& [labels, names] : by_labels) {
    const auto& [name_space, pod] = labels;
    if (name_space.empty()) continue;  // of none kube-state-metrics tells
    const std::string named = "group by(" + List(name_space, "") + ',' + List(pod, "") + ")(" +
                              SelectorOfAny(names, {}) + ')';
    promql.append(promql.empty() ? "" : " or ")
        .append(Join(FirstOf(FirstOf(named, "of_ns", name_space), "of_pod", pod), "of",
                     {"of_ns", "of_pod"}));
  }
  return promql;
}

}  // namespace gpumon::gpu
