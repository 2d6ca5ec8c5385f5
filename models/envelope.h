// The one shape of every answer under /api and of every error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpumon::models {

// `data` is finished JSON. Written by internal/wire.
struct Envelope {
  bool success = true;
  std::string_view data = "null";
  std::string_view message;           // "" is null
  std::string_view error;             // "" is null
  std::string_view code;              // on errors only
  std::vector<std::string> warnings;  // only when there are some
  std::string_view meta;              // finished JSON; "" = no meta
};

}  // namespace gpumon::models
