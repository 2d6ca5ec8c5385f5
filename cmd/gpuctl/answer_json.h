// Parts of an answer.
#pragma once

#include <string>
#include <string_view>

#include "internal/json/document.h"
#include "internal/json/writer.h"

namespace gpumon::ctl {

// "" when it is no text.
std::string TextOf(const json::Value& value);

// JSON text, as one line, with each character that a terminal would act on escaped.
std::string EscapeHidden(std::string_view json);

// In lines, indented by 2 for each level; escaped so too.
std::string IndentedJson(const json::Value& value);

// Writes it as it came.
void CopyJson(const json::Value& value, json::Writer& writer);

}  // namespace gpumon::ctl
