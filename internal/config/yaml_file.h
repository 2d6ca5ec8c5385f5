// The flat YAML file of options.
#pragma once

#include <map>
#include <string>

#include "internal/base/result.h"

namespace gpumon::config {

// Key -> value as text; a sequence of scalars becomes a comma-separated list, a null is left out.
// kInvalidParameter, naming the file and where it can the line, when it cannot be read, is larger
// than 1 MiB, is not one mapping of plain keys to scalars, or has a key twice.
Result<std::map<std::string, std::string>> ReadYamlFile(const std::string& path);

}  // namespace gpumon::config
