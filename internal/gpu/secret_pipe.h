// Secrets that one command hands to the next.
#pragma once

#include <string_view>

#include "internal/gpu/secret_shape.h"

namespace gpumon::gpu {

// Adds what `echo` and `printf` pipe into a program that asks for a secret (`echo X | sudo -S`),
// and what such a program is given in place (`chpasswd <<< me:X`). Linear in the length of the
// text, whatever its bytes are.
void FindPipedSecrets(std::string_view text, TextSpans& spans);

}  // namespace gpumon::gpu
