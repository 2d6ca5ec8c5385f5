#include "internal/fleet/health_rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "internal/base/text.h"
#include "internal/fleet/pieces.h"

namespace gpumon::fleet {
namespace {

std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

constexpr std::string_view kEccCorrected = "ecc_corrected";
using R = HealthRules;

constexpr std::array kRows = {
    HealthRuleRow{"temperature_warning", &R::temperature_warning, -100, 200,
                  "°C above which a GPU is warm."},
    HealthRuleRow{"temperature_critical", &R::temperature_critical, -100, 200,
                  "°C above which a GPU is too hot."},
    HealthRuleRow{"utilization_low", &R::utilization_low, 0, 100, "% below which a GPU is idle."},
    HealthRuleRow{"utilization_high", &R::utilization_high, 0, 100,
                  "% above which a GPU is a bottleneck."},
    HealthRuleRow{"memory_warning", &R::memory_warning, 0, 100,
                  "% of its memory above which a GPU is short of it."},
    HealthRuleRow{"memory_critical", &R::memory_critical, 0, 100,
                  "% of its memory above which a GPU is about to run out of it."},
    HealthRuleRow{"held_memory", &R::held_memory, 0, 100,
                  "% of its memory above which an idle GPU is held by somebody."},
    HealthRuleRow{"power_warning", &R::power_warning, 0, 200,
                  "% of its power limit above which a finding says so; no factor."},
    HealthRuleRow{"clock_throttled", &R::clock_throttled, 0, 100,
                  "% of its highest SM clock below which a GPU under load is throttled; 0: its "
                  "throttle reasons alone tell."},
    HealthRuleRow{"clock_load", &R::clock_load, 0, 100,
                  "% of utilization above which a GPU is under load."},
    HealthRuleRow{"host_memory_warning", &R::host_memory_warning, 0, 100,
                  "% of a machine's memory above which it is short of it; no factor."},
    HealthRuleRow{"host_disk_warning", &R::host_disk_warning, 0, 100,
                  "% of one of its file systems above which it is short of it; no factor."},
    HealthRuleRow{"temperature_warning_factor", &R::temperature_warning_factor, 0, 1, "Warm."},
    HealthRuleRow{"temperature_critical_factor", &R::temperature_critical_factor, 0, 1, "Too hot."},
    HealthRuleRow{"utilization_low_factor", &R::utilization_low_factor, 0, 1, "Idle."},
    HealthRuleRow{"utilization_high_factor", &R::utilization_high_factor, 0, 1, "A bottleneck."},
    HealthRuleRow{"memory_warning_factor", &R::memory_warning_factor, 0, 1, "Short of memory."},
    HealthRuleRow{"memory_critical_factor", &R::memory_critical_factor, 0, 1,
                  "About to run out of memory."},
    HealthRuleRow{"throttled_factor", &R::throttled_factor, 0, 1, "Throttled."},
    HealthRuleRow{"ecc_factor", &R::ecc_factor, 0, 1, "ECC errors since the driver was loaded."},
    HealthRuleRow{"xid_reset_factor", &R::xid_reset_factor, 0, 1,
                  "The last XID asks for a reset, a reboot or an inspection."},
    HealthRuleRow{"xid_contained_factor", &R::xid_contained_factor, 0, 1,
                  "The last XID is a contained error."},
    HealthRuleRow{"row_remap_failure_factor", &R::row_remap_failure_factor, 0, 1,
                  "A row of memory could not be remapped."},
    HealthRuleRow{"lost_factor", &R::lost_factor, 0, 1,
                  "It was there and is no longer, while its exporters are up."},
    HealthRuleRow{"healthy", &R::healthy, 0, 100, "Score in % from which on all is well."},
    HealthRuleRow{"degraded", &R::degraded, 0, 100,
                  "Score in % from which on it is degraded, else critical."},
};

Status Wrong(std::string_view piece, const std::string& why) {
  return {Code::kInvalidParameter, "\"" + std::string(piece) + "\": " + why, {}, 0};
}

constexpr char kNames[] = "; allowed: the rules of docs/HEALTH.md, as temperature_critical=90";

Status Unknown(std::string_view piece, std::string_view name) {
  std::vector<std::string_view> names = {kEccCorrected};
  for (const HealthRuleRow& row : kRows) names.push_back(row.name);
  const std::string_view near = NearestWord(name, names);
  return Wrong(piece, "there is no such rule" +
                          (near.empty() ? std::string() : "; the nearest is " + std::string(near)) +
                          kNames);
}

// `given` are the names of the pieces before this one.
std::optional<Status> Apply(std::string_view piece, std::vector<std::string_view>& given,
                            HealthRules& rules) {
  const std::size_t equals = piece.find('=');
  if (equals == std::string_view::npos)
    return Wrong(piece, std::string("must be NAME=VALUE") + kNames);
  const std::string_view name = Trim(piece.substr(0, equals));
  const std::string_view value = Trim(piece.substr(equals + 1));
  if (std::find(given.begin(), given.end(), name) != given.end()) {
    return Wrong(piece, std::string(name) + " is given twice; keep one of them");
  }
  given.push_back(name);
  if (name == kEccCorrected) {
    if (value != "count" && value != "ignore") return Wrong(piece, "allowed: count, ignore");
    rules.ecc_corrected_counts = value == "count";
    return std::nullopt;
  }
  const auto* const row = std::find_if(kRows.begin(), kRows.end(),
                                       [&](const HealthRuleRow& one) { return one.name == name; });
  if (row == kRows.end()) return Unknown(piece, name);
  const auto number = ParseNumber(value);
  if (!number || !(*number >= row->low && *number <= row->high)) {
    return Wrong(piece, "allowed: a number from " + FormatNumber(row->low) + " to " +
                            FormatNumber(row->high));
  }
  rules.*(row->number) = *number;
  return std::nullopt;
}

std::optional<Status> CheckOrder(const HealthRules& rules) {
  struct Pair {
    std::string_view low;
    double low_number;
    std::string_view high;
    double high_number;
  };
  for (const Pair& pair :
       {Pair{"temperature_warning", rules.temperature_warning, "temperature_critical",
             rules.temperature_critical},
        Pair{"utilization_low", rules.utilization_low, "utilization_high", rules.utilization_high},
        Pair{"memory_warning", rules.memory_warning, "memory_critical", rules.memory_critical},
        Pair{"degraded", rules.degraded, "healthy", rules.healthy}}) {
    if (pair.low_number <= pair.high_number) continue;
    return Status{Code::kInvalidParameter,
                  std::string(pair.low) + " must not be above " + std::string(pair.high),
                  {},
                  0};
  }
  return std::nullopt;
}

}  // namespace

std::span<const HealthRuleRow> HealthRuleRows() {
  return kRows;
}

Result<HealthRules> ParseHealthRules(std::string_view text) {
  HealthRules rules;
  std::vector<std::string_view> given;
  while (!text.empty()) {
    const std::string_view piece = TakePiece(text);
    if (piece.empty()) continue;
    if (auto wrong = Apply(piece, given, rules)) return Error(*std::move(wrong));
  }
  if (auto wrong = CheckOrder(rules)) return Error(*std::move(wrong));
  return rules;
}

}  // namespace gpumon::fleet
