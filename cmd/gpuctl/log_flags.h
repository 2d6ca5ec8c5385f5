// How much a command says of what it does.
#pragma once

#include "internal/base/log.h"
#include "internal/config/options.h"

namespace gpumon::ctl {

// --log-level with LOG_LEVEL, and RUST_LOG.
config::Rows LogFlags();
bool HasLogFlags(config::Rows rows);
// By --log-level, else by RUST_LOG ("debug", "warn,health_checker=trace") where it names a level.
log::Level LogLevelOf(const config::Values& values);

}  // namespace gpumon::ctl
