// GET /api/v1/gpu/ledger: where GPU time went.
#pragma once

#include <span>

#include "handlers/api.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

void GetLedger(const CallPtr& call);

std::span<const ParameterSpec> LedgerParameters();
std::span<const wire::Column> LedgerColumns();

}  // namespace gpumon::handlers
