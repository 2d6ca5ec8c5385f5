// Names of NVML's clock event reasons (nvml.h, nvmlClocksEventReason*).
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpumon::wire {

// Empty where that bit has none.
std::string_view ThrottleNameOf(unsigned bit);
// `unknown_0x200` for bit 9.
std::string UnknownThrottleName(unsigned bit);

// Calls `visit` with a name for each bit of `mask`, the lowest first; a negative mask has none but
// those below its sign.
template <class Visit>
void VisitThrottleNames(std::int64_t mask, Visit visit) {
  auto bits = static_cast<std::uint64_t>(mask & INT64_MAX);
  for (; bits != 0; bits &= bits - 1) {
    const auto bit = static_cast<unsigned>(std::countr_zero(bits));
    const std::string_view name = ThrottleNameOf(bit);
    name.empty() ? visit(std::string_view(UnknownThrottleName(bit))) : visit(name);
  }
}

std::vector<std::string> ThrottleNames(std::int64_t mask);

}  // namespace gpumon::wire
