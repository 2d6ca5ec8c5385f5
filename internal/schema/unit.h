// Units that exporters use, and the base unit of each field.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "internal/schema/exporter.h"
#include "models/field.h"

namespace gpumon::schema {

enum class Dimension : std::uint8_t {
  kPercent,
  kBytes,
  kCelsius,
  kWatt,
  kJoule,
  kMegahertz,
  kBytesPerSecond,
  kWhole,  // counts and codes
  kMask,
};

struct Unit {
  std::string_view name;
  Dimension dimension;
  double scale;  // base = sample * scale
  Rule rule = Rule::kScale;
};
std::span<const Unit> Units();
const Unit* FindUnit(std::string_view name);

// A field that a metric can measure: its name in schema files and its base unit.
struct Measured {
  std::string_view name;
  std::size_t slot;
  Dimension dimension;
};
std::span<const Measured> MeasuredOfGpus();
std::span<const Measured> MeasuredOfProcesses();
// By models::Text: the name that schema files use for it.
struct TextName {
  std::string_view name;
  models::Text text;
};
std::span<const TextName> TextNames();

}  // namespace gpumon::schema
