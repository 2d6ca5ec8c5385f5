// Secrets that stand behind a name, or behind the option of a client.
#pragma once

#include <string_view>

#include "internal/gpu/secret_shape.h"

namespace gpumon::gpu {

// Adds the values of options, variables, headers, query parameters, JSON keys and elements whose
// names say so (secret_name.h), what follows Bearer, and what clients take by letter
// (secret_argument.h). Linear in the length of the text, whatever its bytes are.
void FindNamedSecrets(std::string_view text, TextSpans& spans);

}  // namespace gpumon::gpu
