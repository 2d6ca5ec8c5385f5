// Values of the API as cells of a table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "internal/base/clock.h"
#include "internal/json/document.h"

namespace gpumon::ctl {

// What stands where a value is absent.
inline constexpr std::string_view kAbsentCell = "-";

enum class CellKind : std::uint8_t {
  kText,      // a text, a number as it came, yes or no, a list with commas
  kWhole,     // a number without its fraction
  kTenths,    // a number with one decimal
  kGiB,       // bytes
  kDuration,  // seconds: "45s", "90m", "30h", "12d"
  kAge,       // a time, by how long it was before the answer
  kPods,      // a list of {namespace, pod}
  kMig,       // a MIG instance, by its UUID or else its profile
};
bool IsNumber(CellKind kind);

// UTF-8 without a character that a terminal would act on. "-" for null, "none" for an empty list.
std::string CellText(const json::Value& value, CellKind kind, WallTime as_of);
// "45s", "90m", "30h", "12d"; below zero "0s".
std::string DurationText(double seconds);
// A number with so many decimals.
std::string DecimalText(double value, int decimals);

// At most `width` columns of `text`; a cut is shown by "…" at its end.
std::string Fit(std::string_view text, std::size_t width);
// Fit, and blanks up to `width` columns: behind, or before when `right`.
std::string Filled(std::string_view text, std::size_t width, bool right = false);

}  // namespace gpumon::ctl
