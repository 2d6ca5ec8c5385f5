// The program of one target, named by FUZZ_TARGET. libFuzzer brings main().
#include <cstddef>
#include <cstdint>

#include "internal/base/log.h"
#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool kQuiet = [] {
    gpumon::log::SetLevel(gpumon::log::Level::kOff);
    return true;
  }();
  static_cast<void>(kQuiet);
  gpumon::fuzz::FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
