#include "internal/gpu/target_labels.h"

#include <algorithm>
#include <string>

namespace gpumon::gpu {
namespace {

using models::Text;

bool NamesHolder(Text which) {
  return which == Text::kPod || which == Text::kNamespace || which == Text::kContainer ||
         which == Text::kUser;
}

// Those of a target never are.
bool IsRenamed(const std::string& label) {
  return label.starts_with("exported_");
}

}  // namespace

bool MayBeTargets(const schema::Labels& schema) {
  return std::any_of(schema.texts.begin(), schema.texts.end(), [](const auto& text) {
    return NamesHolder(text.first) &&
           !std::all_of(text.second.begin(), text.second.end(), IsRenamed);
  });
}

void DropTargets(const schema::Labels& schema, const OwnPods& own_pods, prom::LabelSet labels,
                 Identity& identity) {
  for (const auto& [which, aliases] : schema.texts) {
    if (!NamesHolder(which) || identity.text(which).empty()) continue;
    const auto its = std::find_if(aliases.begin(), aliases.end(), [&](const std::string& alias) {
      return !prom::Get(labels, alias).empty();
    });
    if (its == aliases.end() || IsRenamed(*its) || !own_pods.IsTargets(labels, *its)) continue;
    identity.texts[static_cast<std::size_t>(which)] = {};
  }
}

}  // namespace gpumon::gpu
