#include "handlers/stream.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/list_query.h"
#include "handlers/live_feed.h"

namespace gpumon::handlers {
namespace {

// What a page, a past instant or a table needs has no meaning for what goes on.
constexpr std::array<std::string_view, 7> kNotFollowed = {"sort",  "limit",   "offset", "at",
                                                          "stale", "partial", "format"};

std::vector<ParameterSpec> Followed() {
  std::vector<ParameterSpec> followed;
  for (const ParameterSpec& spec : ListParameters(models::Part::kGpus)) {
    const bool is_followed =
        std::find(kNotFollowed.begin(), kNotFollowed.end(), spec.name) == kNotFollowed.end();
    if (is_followed) followed.push_back(spec);
  }
  return followed;
}

}  // namespace

void GetStream(const CallPtr& call) {
  auto query = ParseListQuery(models::Part::kGpus, call->parameters());
  if (!query) return call->SendError(query.error());
  call->services().live_feed.Join(call, std::move(*query));
}

std::span<const ParameterSpec> StreamParameters() {
  static const std::vector<ParameterSpec> kParameters = Followed();
  return kParameters;
}

}  // namespace gpumon::handlers
