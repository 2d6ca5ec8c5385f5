#include "internal/fleet/twins.h"

#include <set>
#include <string_view>

namespace gpumon::fleet {
namespace {

using models::Text;

constexpr std::size_t kMoving = 2;  // instants

}  // namespace

void Twins::Drop(std::size_t instant, std::vector<Whole>& gpus) {
  std::set<std::string_view> seen;
  std::erase_if(gpus, [&](const Whole& whole) {
    const std::string_view uuid = whole.gpu->text(Text::kUuid);
    if (uuid.empty() || seen.insert(uuid).second) return false;
    Run& run = runs_[{std::string(uuid), std::string(whole.gpu->text(Text::kNode)),
                      std::string(whole.gpu->text(Text::kGpuId))}];
    run.count = run.count > 0 && run.last + 1 == instant ? run.count + 1 : 1;
    run.last = instant;
    return run.count <= kMoving;
  });
}

}  // namespace gpumon::fleet
