// Small texts that several checks read or write.
#pragma once

#include <string>
#include <vector>

#include "internal/json/document.h"

namespace gpumon::checks {

// The string's own text; "" for anything else.
std::string TextOf(const json::Value& value);

// "a, b, c"
std::string Joined(const std::vector<std::string>& texts);

// The whole of a file of /proc, which has no size; "" when it cannot be read.
std::string ReadProcFile(const std::string& path);

}  // namespace gpumon::checks
