// The flags that say which server is asked, of every command that asks one.
#pragma once

#include <vector>

#include "cmd/gpuctl/server.h"
#include "internal/base/result.h"
#include "internal/config/options.h"

namespace gpumon::ctl {

// --server, --token-file, --ca-file and --timeout, then `rows`, then those of log_flags.h.
std::vector<config::OptionRow> WithServerFlags(config::Rows rows);
// Of a command that asks somebody else: --timeout, and those of log_flags.h.
std::vector<config::OptionRow> TimeoutFlags();
// By these flags. kInvalidParameter, in one line, when one cannot be used.
Result<Server> ServerOf(const config::Values& values);

}  // namespace gpumon::ctl
