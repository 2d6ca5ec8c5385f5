// An alert of the rules that the connected Prometheus evaluates.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace gpumon::models {

// Texts are views into the snapshot's Arena; an empty text and NaN are absent.
struct Alert {
  std::string_view name;
  bool firing = false;  // else pending: its condition holds, not yet for as long as its rule wants
  std::string_view severity;
  // Since when its condition holds, Unix seconds.
  double since = std::numeric_limits<double>::quiet_NaN();
  std::string_view node;
  std::string_view gpu_id;
  std::string_view uuid;
  std::string_view name_space;
  std::string_view pod;
  // Of Snapshot::alert_labels: all of its labels, by name.
  std::uint32_t first_label = 0;
  std::uint32_t label_count = 0;
};

}  // namespace gpumon::models
