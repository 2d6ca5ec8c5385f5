// A file of exporters' schemas.
#include "internal/schema/load.h"
#include "tests/fuzz/targets.h"

namespace gpumon::fuzz {

void SchemaFile(std::string_view input) {
  const auto exporters = schema::Load(input, "schemas.json");
  if (!exporters) RequireMessage(exporters.error().message);
}

}  // namespace gpumon::fuzz
