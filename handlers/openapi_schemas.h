// components/schemas of the OpenAPI document: rows from the field registry, codes from kCodes.
#pragma once

#include <string>

namespace gpumon::handlers {

std::string OpenApiSchemas();  // a JSON object

}  // namespace gpumon::handlers
