// HakuRiver's own configuration file.
#pragma once

#include <string>

#include "internal/base/result.h"

namespace gpumon::ctl {

// "http://HOST:PORT" of host_reachable_address and host_port in the section [network] of a TOML
// file; "" when `path` is "", or the file names no host. kInvalidParameter when it cannot be read.
Result<std::string> HakuUrlOfConfig(const std::string& path);

}  // namespace gpumon::ctl
