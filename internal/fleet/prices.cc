#include "internal/fleet/prices.h"

#include <charconv>
#include <cmath>

#include "internal/base/text.h"
#include "internal/fleet/pieces.h"

namespace gpumon::fleet {
namespace {

constexpr double kMostPerHour = 1e6;

std::optional<double> ParsePrice(std::string_view text) {
  double price = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), price);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(price >= 0 && price <= kMostPerHour)) return std::nullopt;
  return price;
}

}  // namespace

Result<Prices> Prices::Parse(std::string_view text) {
  Prices prices;
  while (!text.empty()) {
    const std::string_view piece = TakePiece(text);
    if (piece.empty()) continue;
    // A model's name may have a `=`, a price has none.
    const std::size_t equals = piece.rfind('=');
    const std::string_view model = Trim(piece.substr(0, std::min(equals, piece.size())));
    const auto price = equals == std::string_view::npos
                           ? std::nullopt
                           : ParsePrice(Trim(piece.substr(equals + 1)));
    if (model.empty() || !price) {
      return Error(Code::kInvalidParameter,
                   "\"" + std::string(piece) +
                       "\" must be MODEL=PRICE, with * for any text in the model and a price of 0 "
                       "to 1000000 for an hour of one GPU");
    }
    prices.rows_.emplace_back(model, *price);
  }
  return prices;
}

double RoundedCost(double cost) {
  constexpr double kParts = 1e6;
  return std::round(cost * kParts) / kParts;
}

double CostOf(double price_per_hour, std::int64_t millis) {
  constexpr double kHour = 3'600'000;
  return price_per_hour * static_cast<double>(millis) / kHour;
}

std::optional<double> Prices::Of(std::string_view model) const {
  for (const auto& [pattern, price] : rows_) {
    if (GlobMatch(pattern, model)) return price;
  }
  return std::nullopt;
}

}  // namespace gpumon::fleet
