// Requests as lines of the log.
#pragma once

#include <memory>

#include "internal/base/clock.h"
#include "internal/fetch/client.h"

namespace gpumon::ctl {

// `client`, with a debug line for each request that has ended: what was asked, what came of it, and
// after how many milliseconds, without credentials. `clock` must outlive it.
std::unique_ptr<fetch::Client> Logged(std::unique_ptr<fetch::Client> client, const Clock& clock);

}  // namespace gpumon::ctl
