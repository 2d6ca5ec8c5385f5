// Parts of an answer.
#pragma once

#include <string>

#include "internal/json/document.h"
#include "internal/json/writer.h"

namespace gpumon::ctl {

// "" when it is no text.
std::string TextOf(const json::Value& value);

// In lines, indented by 2 for each level.
std::string IndentedJson(const json::Value& value);

// Writes it as it came.
void CopyJson(const json::Value& value, json::Writer& writer);

}  // namespace gpumon::ctl
