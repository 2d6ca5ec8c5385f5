// What a HakuRiver host tells, as rows: keys are the host's own names where it has one.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "internal/gpu/command.h"
#include "internal/hakuriver/models.h"
#include "internal/wire/records.h"

namespace gpumon::handlers {

std::span<const wire::Column> HakuRiverNodeColumns();
std::span<const wire::Column> HakuRiverHealthColumns();
std::span<const wire::Column> HakuRiverTaskColumns();
std::span<const wire::Column> HakuRiverVpsColumns();

wire::Records RecordsOf(const std::vector<hakuriver::Node>& nodes);
// The newest sample of each node, with what the samples before it said.
wire::Records RecordsOf(const hakuriver::Health& health);
wire::Records RecordsOf(const std::vector<hakuriver::Task>& tasks, gpu::CommandStyle style);
wire::Records RecordsOf(const std::vector<hakuriver::Vps>& vps, gpu::CommandStyle style);

}  // namespace gpumon::handlers
