// The flat YAML file of options.
#pragma once

#include <map>
#include <string>

#include "internal/base/result.h"

namespace gpumon::config {

struct FileValue {
  std::string text;
  bool is_list = false;  // `text` is its entries, comma-separated
  std::string key_at;    // "c.yaml:2:1", for messages
  std::string value_at;
};

// By key; a null is a value without text. kInvalidParameter, naming the file and where it can the
// line and column, when it cannot be read, is larger than 1 MiB, is not one mapping of plain keys
// to scalars or lists of scalars, or has a key twice.
Result<std::map<std::string, FileValue>> ReadYamlFile(const std::string& path);

// The same of one mapping inside such a file, where it has one; what stands beside it may be
// anything, but for a key that looks like a wrong spelling of `section`.
Result<std::map<std::string, FileValue>> ReadYamlSection(const std::string& path,
                                                         const std::string& section);

}  // namespace gpumon::config
