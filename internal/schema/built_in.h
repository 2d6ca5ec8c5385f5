// The schema files of data/, as they were when the program was built.
#pragma once

#include <span>
#include <string_view>

namespace gpumon::schema {

struct BuiltInFile {
  std::string_view name;  // "dcgm.json"
  std::string_view text;
};
std::span<const BuiltInFile> BuiltInFiles();

}  // namespace gpumon::schema
