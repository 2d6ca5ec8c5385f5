// What makes a GPU less healthy, and by how much. One row per number, in HealthRuleRows().
#pragma once

#include <span>
#include <string_view>

#include "internal/base/result.h"

namespace gpumon::fleet {

// Thresholds are strict: 85.0 is not above 85. Factors multiply a score that starts at 1.
struct HealthRules {
  double temperature_warning = 75;  // degrees Celsius
  double temperature_critical = 85;
  double utilization_low = 10;  // %
  double utilization_high = 95;
  double memory_warning = 90;  // % of the GPU's memory
  double memory_critical = 95;
  double held_memory = 5;       // %: more of its memory in use is somebody's
  double power_warning = 95;    // % of the power limit; no factor: a GPU may draw what it may
  double clock_throttled = 90;  // % of the highest SM clock, under load
  double clock_load = 50;       // %: above this utilization a GPU is under load

  double host_memory_warning = 95;  // % of the machine's memory
  double host_disk_warning = 95;    // % of a file system

  double temperature_warning_factor = 0.8;
  double temperature_critical_factor = 0.5;
  double utilization_low_factor = 0.9;
  double utilization_high_factor = 0.95;
  double memory_warning_factor = 0.9;
  double memory_critical_factor = 0.8;
  double throttled_factor = 0.7;
  double ecc_factor = 0.6;
  double xid_reset_factor = 0.5;
  double xid_contained_factor = 0.8;
  double row_remap_failure_factor = 0.5;
  double lost_factor = 0;

  double healthy = 80;   // scores from here on, in %
  double degraded = 60;  // and from here to there; what is below is critical

  bool ecc_corrected_counts = true;  // else uncorrected errors alone are errors
};

struct HealthRuleRow {
  std::string_view name;
  double HealthRules::*number;
  double low;   // least that is allowed
  double high;  // most
  std::string_view help;
};
std::span<const HealthRuleRow> HealthRuleRows();

// `text` is like "temperature_critical=90, ecc_corrected=ignore"; "" changes nothing.
// kInvalidParameter says which piece is wrong and what is allowed.
Result<HealthRules> ParseHealthRules(std::string_view text);

}  // namespace gpumon::fleet
