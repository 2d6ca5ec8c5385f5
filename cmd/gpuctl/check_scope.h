// What the options of gpuctl check come to.
#pragma once

#include <memory>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/checks/plan.h"
#include "internal/config/options.h"

namespace gpumon::ctl {

// `clock` lives as long as the scope's client does. kInvalidParameter in one line, as
// Values::Refuse writes it.
Result<checks::Scope> MakeCheckScope(const config::Values& values,
                                     const std::shared_ptr<const Clock>& clock);

}  // namespace gpumon::ctl
