// What every list says of itself, whatever its rows are.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/json/writer.h"
#include "internal/wire/encode.h"
#include "models/gpu.h"

namespace gpumon::wire {

void WriteTexts(json::Writer& writer, std::span<const std::string> texts);

// The data behind a page.
struct Behind {
  double as_of = 0;
  bool partial = false;
  std::span<const std::string> sources;
  // Of the fields that no row has.
  std::vector<std::pair<std::string_view, models::NullReason>> null_reasons;
  std::optional<Span> window = std::nullopt;
};

// The envelope's `meta`.
void WriteMeta(json::Writer& writer, const Behind& behind, const Page& page);

}  // namespace gpumon::wire
