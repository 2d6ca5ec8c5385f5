// Reads the text that exporters give Prometheus.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpumon::checks {

struct TextSample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;

  // "" when there is no such label.
  std::string_view Label(std::string_view label) const;
};

struct ExpositionText {
  std::vector<TextSample> samples;  // those that are numbers
  std::size_t bad_lines = 0;
};

// Of any bytes: what is no sample is counted, comments and times are passed over. NaN is no number.
ExpositionText ReadExposition(std::string_view text);

}  // namespace gpumon::checks
