// Windows of time that routes are asked about: their parameters, and how fine they may be.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/api.h"
#include "handlers/parameters.h"
#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/fleet/parts.h"
#include "internal/gpu/range.h"
#include "internal/wire/encode.h"

namespace gpumon::handlers {

// Milliseconds since 1970. Its instants are start, start + step, ... < end.
struct Window {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t step = 0;

  std::size_t instants() const { return static_cast<std::size_t>((end - start + step - 1) / step); }
  wire::Span span() const;
};

inline constexpr std::int64_t kLongestWindow = 400LL * 24 * 3600 * 1000;
inline constexpr std::array kWindowParameters = {
    ParameterSpec{.name = "start", .kind = ParameterKind::kTime, .help = "Begin of the window."},
    ParameterSpec{.name = "end",
                  .kind = ParameterKind::kTime,
                  .help = "End of the window; now where it is not given. at means the same."},
    ParameterSpec{.name = "window",
                  .kind = ParameterKind::kDuration,
                  .help = "Length of the window up to its end, in place of start: 6h, 7d.",
                  .min = 1'000,
                  .max = kLongestWindow},
    ParameterSpec{.name = "step",
                  .kind = ParameterKind::kDuration,
                  .help = "Time between two instants; by the length of the window where it is not "
                          "given. Too fine a step is refused with the finest that is allowed.",
                  .min = 1'000,
                  .max = kLongestWindow}};

// What a route asks about where it is not told.
struct WindowDefaults {
  Millis length{24 * 3600 * 1000};
  std::size_t lists = 1;  // of rows at each instant
  // Of an answer that holds one for each GPU and instant: the step is so long that there are no
  // more.
  std::size_t points = std::numeric_limits<std::size_t>::max();
};

// `now`: of the clock. `gpus` is how many there are at present: the more, the fewer instants.
// Nothing: nobody has counted them yet, and any step is taken. kInvalidParameter, naming the
// parameter.
Result<Window> ParseWindow(const Parameters& parameters, WallTime now,
                           std::optional<std::size_t> gpus, const WindowDefaults& defaults);

// The same without a step, which stays 0: for who takes what instants come to.
Result<Window> ParseWindowEnds(const Parameters& parameters, WallTime now,
                               const WindowDefaults& defaults);

// Which GPUs a window is about: those that pass all of it at an instant.
struct GpuFilter {
  std::vector<std::string> nodes;  // patterns, any of them; empty: all
  std::vector<std::string> gpus;   // likewise, of their ids
  std::vector<std::string> uuids;
  std::vector<std::string> models;

  bool Passes(const models::GpuMetrics& row) const;
  // `nodes`, where each is one name.
  std::vector<std::string> ExactNodes() const;
};
extern const std::array<ParameterSpec, 4> kGpuFilterParameters;
GpuFilter ParseGpuFilter(const Parameters& parameters);

// Asks how many GPUs there are, so how fine the window may be, and goes on with it on a worker
// thread; answers with an error where that is not known.
void WithWindow(const CallPtr& call, const WindowDefaults& defaults, const GpuFilter& filter,
                std::function<void(const Window&)> then);

// Walks through GPUs and processes of the window: `each` hears of all parts of the GPUs that pass
// at each instant, then `done` once with what it was made of; an error is answered here. `of_all`:
// of GPUs too of which nothing is shown that a state is made of.
void WalkParts(const CallPtr& call, const Window& window, const GpuFilter& filter, bool of_all,
               std::function<void(std::size_t instant, const std::vector<fleet::Whole>&)> each,
               std::function<void(gpu::RangeEnd)> done);

}  // namespace gpumon::handlers
