#include "internal/gpu/passing.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "internal/gpu/range_plan.h"

namespace gpumon::gpu {
namespace {

bool IsOneOf(const std::vector<std::string>& sorted, const prom::Label& label) {
  return std::binary_search(sorted.begin(), sorted.end(), label.name);
}

}  // namespace

std::string KeyWithout(prom::LabelSet labels, const std::vector<std::string>& names,
                       const std::vector<std::string>& others) {
  std::string key;
  for (const prom::Label& label : labels) {
    if (IsOneOf(names, label) || IsOneOf(others, label)) continue;
    key.append(label.name).append(1, '\0').append(label.value).append(1, '\0');
  }
  return key;
}

std::string KeyOf(prom::LabelSet labels, const Passing& passing) {
  const bool has_uuid =
      std::any_of(passing.uuids.begin(), passing.uuids.end(),
                  [&](const std::string& uuid) { return !prom::Get(labels, uuid).empty(); });
  return has_uuid ? KeyWithout(labels, passing.pods, passing.texts)
                  : KeyWithout(labels, passing.pods);
}

Passing PassingOf(const schema::Exporter& exporter) {
  using models::Text;
  constexpr std::array kTexts = {Text::kGpuId, Text::kGpuName, Text::kDriverVersion,
                                 Text::kPciBusId, Text::kVendor};
  constexpr std::array kKeys = {Text::kNode, Text::kUuid, Text::kMigUuid, Text::kMigGpuInstance,
                                Text::kMigComputeInstance};
  Passing passing;
  passing.pods = PodLabels(exporter);
  std::set<std::string> texts;
  std::set<std::string> keys;
  for (const auto& [text, aliases] : exporter.labels.texts) {
    const auto is_one_of = [its = text](const auto& all) {
      return std::find(all.begin(), all.end(), its) != all.end();
    };
    if (is_one_of(kTexts)) texts.insert(aliases.begin(), aliases.end());
    if (is_one_of(kKeys)) keys.insert(aliases.begin(), aliases.end());
    if (text == Text::kUuid) passing.uuids = aliases;
  }
  std::set_difference(texts.begin(), texts.end(), keys.begin(), keys.end(),
                      std::back_inserter(passing.texts));
  return passing;
}

}  // namespace gpumon::gpu
