#include "internal/fleet/parts.h"

#include <cstddef>
#include <span>

#include "internal/gpu/gpu_rows.h"
#include "internal/gpu/mig.h"

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::Text;

std::vector<std::set<std::string_view>> UsersOf(const models::Snapshot& gpus,
                                                const models::Snapshot* processes) {
  std::vector<std::set<std::string_view>> users(gpus.gpus.size());
  if (processes == nullptr || processes->processes.empty()) return users;
  const gpu::GpuRows rows(gpus.gpus);
  for (const models::GpuProcess& process : processes->processes) {
    const std::size_t at = rows.Find(process);
    if (at != gpu::GpuRows::kNone) users[at].insert(process.text(Text::kUser));
  }
  return users;
}

}  // namespace

std::vector<Whole> PartsOf(const models::Snapshot& gpus, const models::Snapshot* processes,
                           const HealthRules& rules) {
  const auto users = UsersOf(gpus, processes);
  const auto part_of = [&](const GpuMetrics& row) {
    Part part;
    part.row = &row;
    part.users = users[static_cast<std::size_t>(&row - gpus.gpus.data())];
    const auto workloads =
        std::span(gpus.workloads).subspan(row.first_workload, row.workload_count);
    for (const models::Workload& workload : workloads) {
      part.pods.insert({workload.name_space, workload.pod});
    }
    const bool held = !part.pods.empty() || !part.users.empty();
    part.state = StateOf(row, Assess(row, rules), held, rules);
    return part;
  };
  const std::vector<std::size_t> boards = gpu::BoardsOf(gpus.gpus);
  std::vector<Whole> wholes;
  std::vector<std::size_t> places(boards.size());  // of the board in `wholes`, by row
  for (std::size_t i = 0; i < boards.size(); ++i) {
    if (boards[i] != i) continue;
    places[i] = wholes.size();
    wholes.push_back({&gpus.gpus[i], {}});
  }
  for (std::size_t i = 0; i < boards.size(); ++i) {
    if (!gpu::IsInstance(gpus.gpus[i])) continue;
    wholes[places[boards[i]]].parts.push_back(part_of(gpus.gpus[i]));
  }
  for (Whole& whole : wholes) {
    if (!whole.parts.empty() && gpu::IsInstance(*whole.gpu)) continue;
    Part itself = part_of(*whole.gpu);
    if (whole.parts.empty()) {
      whole.parts.push_back(std::move(itself));
    } else if (itself.state == State::kUnhealthy) {
      for (Part& part : whole.parts) part.state = State::kUnhealthy;
    }
  }
  return wholes;
}

}  // namespace gpumon::fleet
