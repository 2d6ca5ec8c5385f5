#include "internal/gpu/named_pods.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/gpu/selectors.h"

namespace gpumon::gpu {
namespace {

using models::Text;
using Names = std::vector<std::string>;
using LabelPair = std::pair<std::string, std::string>;  // of the namespace, of the pod

const LabelPair kPlain = {"namespace", "pod"};

Names AliasesOf(const schema::Exporter& exporter, Text which) {
  for (const auto& [text, aliases] : exporter.labels.texts) {
    if (text == which) return aliases;
  }
  return {};
}

// Of its marks, which tell the same pods, some; and what it measures of pods alone.
Names MetricsOf(const schema::Exporter& exporter) {
  constexpr std::size_t kEnough = 2;
  const std::size_t marks = std::min(kEnough, exporter.detect.size());
  Names names(exporter.detect.begin(),
              exporter.detect.begin() + static_cast<std::ptrdiff_t>(marks));
  for (const schema::ShareMetric& share : exporter.shares) {
    if (std::find(names.begin(), names.end(), share.name) == names.end()) {
      names.push_back(share.name);
    }
  }
  return WithPrefixes(exporter, names);
}

std::string Renamed(const std::string& vector, const std::string& to, const std::string& from) {
  if (to == from) return vector;
  return "label_replace(" + vector + ",\"" + to + "\",\"$1\",\"" + from + "\",\"(.*)\")";
}

}  // namespace

std::string NamedPods(std::span<const schema::Exporter* const> exporters) {
  std::map<LabelPair, Names> by_labels;
  for (const schema::Exporter* exporter : exporters) {
    const Names metrics = MetricsOf(*exporter);
    const auto add = [&](const LabelPair& labels) {
      Names& names = by_labels[labels];
      names.insert(names.end(), metrics.begin(), metrics.end());
    };
    const Names name_spaces = AliasesOf(*exporter, Text::kNamespace);
    const Names pods = AliasesOf(*exporter, Text::kPod);
    for (std::size_t i = 0; i < std::min(name_spaces.size(), pods.size()); ++i) {
      add({name_spaces[i], pods[i]});
    }
    if (exporter->pod_may_be_exporters) add(kPlain);
  }
  std::string promql;
  for (const auto& [labels, names] : by_labels) {
    const auto& [name_space, pod] = labels;
    std::string named = "group by(" + name_space + ',' + pod + ")(" +
                        SelectorOfAny(names, {}, name_space + "!=\"\"," + pod + "!=\"\"") + ')';
    promql.append(promql.empty() ? "" : " or ")
        .append(Renamed(Renamed(named, kPlain.first, name_space), kPlain.second, pod));
  }
  return promql;
}

}  // namespace gpumon::gpu
