// Every exporter schema that the server knows.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "internal/base/result.h"
#include "internal/schema/exporter.h"

namespace gpumon::schema {

// Immutable. Exporters never move: pointers to them are good for the Registry's life.
class Registry {
 public:
  // Those that are part of the program.
  static const Registry& BuiltIn();

  // These and the ones in `text`; a schema of a name that is known replaces that one.
  // Errors as Load's; a priority that two schemas share is one too.
  Result<Registry> With(std::string_view text, std::string_view origin) const;

  // By priority, the best first.
  std::span<const std::shared_ptr<const Exporter>> exporters() const { return exporters_; }
  const Exporter* Find(std::string_view name) const;

 private:
  Registry() = default;

  std::vector<std::shared_ptr<const Exporter>> exporters_;
};

}  // namespace gpumon::schema
