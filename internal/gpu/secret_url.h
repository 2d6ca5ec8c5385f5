// Secrets that URLs and addresses carry by their form.
#pragma once

#include <string_view>

#include "internal/gpu/secret_shape.h"

namespace gpumon::gpu {

// Adds the userinfo of URLs, the password of `user:password@host` and of
// `jdbc:oracle:thin:user/password@host`, and the stream key of `rtmp://host/live/KEY`.
// `ssh://git@host` has none. Linear in the length of the text, whatever its bytes are.
void FindUrlSecrets(std::string_view text, TextSpans& spans);

}  // namespace gpumon::gpu
