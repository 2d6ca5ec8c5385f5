// What every part of the OpenAPI document is written with.
#pragma once

#include <string>
#include <string_view>

#include "internal/json/writer.h"

namespace gpumon::handlers {

// A member that is a text.
inline void Text(json::Writer& writer, std::string_view key, std::string_view value) {
  writer.Key(key);
  writer.String(value);
}

// An object that refers to components/schemas.
inline void Ref(json::Writer& writer, std::string_view schema) {
  writer.BeginObject();
  Text(writer, "$ref", "#/components/schemas/" + std::string(schema));
  writer.EndObject();
}

}  // namespace gpumon::handlers
