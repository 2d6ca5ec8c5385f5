// Reads exporter schemas from their JSON text.
#pragma once

#include <string_view>
#include <vector>

#include "internal/base/result.h"
#include "internal/schema/exporter.h"

namespace gpumon::schema {

// One schema, or an array of schemas. `origin` (a file's name) begins every error.
//
// kInvalidParameter, with the place (`gpu[3].unit`) and the nearest valid name or what is allowed,
// for an unknown key, field or unit, a unit that does not fit its field, a name that no metric or
// no label can have, a field derived from itself, metrics of GPUs without a label that names the
// GPU, a key or an entry twice, a missing key, or a text that is no JSON.
Result<std::vector<Exporter>> Load(std::string_view text, std::string_view origin);

}  // namespace gpumon::schema
