#include "internal/wire/throttle.h"

#include <array>
#include <sstream>

namespace gpumon::wire {

std::string_view ThrottleNameOf(unsigned bit) {
  // By bit: 0x1, 0x2, 0x4, ...
  static constexpr std::array<std::string_view, 9> kNames = {
      "gpu_idle",   "clocks_setting", "sw_power_cap",   "hw_slowdown",   "sync_boost",
      "sw_thermal", "hw_thermal",     "hw_power_brake", "display_clocks"};
  return bit < kNames.size() ? kNames[bit] : std::string_view();
}

std::string UnknownThrottleName(unsigned bit) {
  std::ostringstream name;
  name << "unknown_0x" << std::hex << (std::uint64_t{1} << bit);
  return name.str();
}

std::vector<std::string> ThrottleNames(std::int64_t mask) {
  std::vector<std::string> names;
  VisitThrottleNames(mask, [&](std::string_view name) { names.emplace_back(name); });
  return names;
}

}  // namespace gpumon::wire
