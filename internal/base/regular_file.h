// Files that are read whole: tokens, certificates, schemas.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "internal/base/result.h"

namespace gpumon {

inline constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20U;

// What is in `path`, a regular file or a link to one. Waits for nobody, as a pipe would have it.
// kInvalidParameter when it is anything else, cannot be read or is larger than kMaxFileBytes; the
// message goes on behind the path: "cannot be read: No such file or directory".
Result<std::string> ReadRegularFile(const std::string& path);

// What a file of this mode is that is no regular one: "a pipe".
std::string_view KindOfFile(mode_t mode);

}  // namespace gpumon
