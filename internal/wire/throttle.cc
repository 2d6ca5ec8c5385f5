#include "internal/wire/throttle.h"

#include <array>
#include <sstream>
#include <string_view>

namespace gpumon::wire {

std::vector<std::string> ThrottleNames(std::int64_t mask) {
  // By bit: 0x1, 0x2, 0x4, ...
  static constexpr std::array<std::string_view, 9> kNames = {
      "gpu_idle",   "clocks_setting", "sw_power_cap",   "hw_slowdown",   "sync_boost",
      "sw_thermal", "hw_thermal",     "hw_power_brake", "display_clocks"};
  std::vector<std::string> names;
  for (std::size_t bit = 0; bit < 63; ++bit) {
    const std::int64_t value = std::int64_t{1} << bit;
    if ((mask & value) == 0) continue;
    if (bit < kNames.size()) {
      names.emplace_back(kNames[bit]);
    } else {
      std::ostringstream name;
      name << "unknown_0x" << std::hex << value;
      names.push_back(name.str());
    }
  }
  return names;
}

}  // namespace gpumon::wire
