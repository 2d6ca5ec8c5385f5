#include "internal/gpu/gpu_rows.h"

#include "internal/gpu/mig.h"

namespace gpumon::gpu {

using models::Text;

GpuRows::GpuRows(const std::vector<models::GpuMetrics>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Add(PlaceOf(rows[i]), i);
    const Text uuid = IsInstance(rows[i]) ? Text::kMigUuid : Text::kUuid;
    if (rows[i].text(uuid).empty()) continue;
    Add({rows[i].text(Text::kNode), rows[i].text(uuid), "", ""}, i);
    Add({"", rows[i].text(uuid), "", ""}, i);
  }
}

std::size_t GpuRows::Find(const models::GpuProcess& process) const {
  const auto of_uuid = [&](std::string_view uuid) {
    const std::size_t at = At({process.text(Text::kNode), uuid, "", ""});
    return at != kNone ? at : At({"", uuid, "", ""});
  };
  const std::string_view instance = process.text(Text::kMigUuid);
  if (!instance.empty()) {
    if (const std::size_t at = of_uuid(instance); at != kNone) return at;
  }
  const std::string_view uuid = process.text(Text::kUuid);
  if (instance.empty() && !uuid.empty() && process.text(Text::kMigGpuInstance).empty()) {
    return of_uuid(uuid);
  }
  return At(PlaceOf(process));
}

void GpuRows::Add(const GpuKey& key, std::size_t row) {
  const auto [known, is_new] = rows_.try_emplace(key, row);
  if (!is_new && known->second != row) known->second = kNone;
}

std::size_t GpuRows::At(const GpuKey& key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? kNone : found->second;
}

}  // namespace gpumon::gpu
