// Tokens that show whose they are.
#pragma once

#include <string_view>

#include "internal/gpu/secret_shape.h"

namespace gpumon::gpu {

// Adds tokens with a known beginning, of the length and alphabet that belong to it: JWT, AWS,
// GitHub, GitLab, Hugging Face, OpenAI, Stripe, Slack... Linear in the length of the text,
// whatever its bytes are.
void FindKnownTokens(std::string_view text, TextSpans& spans);

}  // namespace gpumon::gpu
