// Which metrics of which exporters a snapshot is made of.
#pragma once

#include <cstddef>
#include <string_view>

namespace gpumon::models {

// How many rows of a snapshot show what one metric of one exporter measured.
struct Coverage {
  std::string_view exporter;  // a schema's name
  std::string_view metric;
  std::size_t slot = 0;    // Quantity or ProcessQuantity
  std::size_t rows = 0;    // that show it
  std::size_t losers = 0;  // that show another source's value instead
  bool percent = false;    // of a metric that may be a ratio: some job was seen to mean percent
};

// A field that some rows of a snapshot lack since a scrape target of that exporter is down.
struct LostField {
  std::string_view exporter;  // a schema's name
  std::string_view metric;    // that showed it; empty where nobody knows, and of a text
  bool is_text = false;
  std::size_t slot = 0;  // Quantity or ProcessQuantity; of a text Text
};

}  // namespace gpumon::models
