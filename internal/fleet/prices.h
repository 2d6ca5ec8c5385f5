// What an hour of a GPU costs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/result.h"

namespace gpumon::fleet {

// Per GPU and hour, in whatever currency the configuration means. Immutable.
class Prices {
 public:
  Prices() = default;
  // `text` is like "NVIDIA H100*=2.5, *=1"; of several that match the first counts; "" has none.
  // kInvalidParameter says which piece is wrong and what is allowed.
  static Result<Prices> Parse(std::string_view text);

  std::optional<double> Of(std::string_view model) const;
  bool empty() const { return rows_.empty(); }

 private:
  std::vector<std::pair<std::string, double>> rows_;  // model, or a pattern with *
};

// In millionths: sums of what is not exact in binary look as they were meant.
double RoundedCost(double cost);
// Of so many milliseconds, not rounded; NaN where the price is.
double CostOf(double price_per_hour, std::int64_t millis);

}  // namespace gpumon::fleet
