// Reads exporter schemas from their JSON text.
#pragma once

#include <string_view>
#include <vector>

#include "internal/base/result.h"
#include "internal/schema/exporter.h"

namespace gpumon::schema {

// One schema, or an array of schemas. `origin` (a file's name) begins every error.
//
// kInvalidParameter, with the place (`gpu[3].unit`) and the nearest valid name, for an unknown key,
// field or unit, a unit that does not fit its field, a key or an entry twice, a missing key, or a
// text that is no JSON.
Result<std::vector<Exporter>> Load(std::string_view text, std::string_view origin);

}  // namespace gpumon::schema
