#include <algorithm>

#include "internal/dashboard/assets.h"

namespace gpumon::dashboard {

const Asset* Find(std::string_view name) {
  const auto assets = Assets();
  const auto found = std::find_if(assets.begin(), assets.end(),
                                  [name](const Asset& asset) { return asset.name == name; });
  return found == assets.end() ? nullptr : &*found;
}

}  // namespace gpumon::dashboard
