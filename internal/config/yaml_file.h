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

// What is in the file. kInvalidParameter when it cannot be read or is larger than 1 MiB; the
// message goes on behind the path.
Result<std::string> ReadYamlText(const std::string& path);

// `text` of the file `path`, by key; a null is a value without text. kInvalidParameter, naming the
// file and where it can the line and column, when it is not one mapping of plain keys to scalars or
// lists of scalars, or has a key twice.
Result<std::map<std::string, FileValue>> ParseYaml(const std::string& text,
                                                   const std::string& path);

// The same of one mapping inside such a file, where it has one; what stands beside it may be
// anything, but for a key that looks like a wrong spelling of `section`.
Result<std::map<std::string, FileValue>> ParseYamlSection(const std::string& text,
                                                          const std::string& path,
                                                          const std::string& section);

}  // namespace gpumon::config
