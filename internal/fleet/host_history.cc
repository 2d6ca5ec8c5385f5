#include "internal/fleet/host_history.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gpumon::fleet {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool HasAny(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return !std::isnan(value); });
}

}  // namespace

HostHistory::HostHistory(HistoryBy by, models::NodeQuantity quantity, std::size_t instants,
                         Passes passes)
    : by_(by), quantity_(quantity), instants_(instants), passes_(std::move(passes)) {}

void HostHistory::Add(std::size_t instant, const models::Snapshot& nodes) {
  for (const models::Node& node : nodes.nodes) {
    if (!passes_(node.name)) continue;
    Machine& machine = machines_[std::string(node.name)];
    machine.has_gpus |= node.has_gpus;
    if (machine.values.empty()) machine.values.assign(instants_, kNaN);
    machine.values[instant] = node.Get(quantity_).value_or(kNaN);
  }
}

HistoryLine HostHistory::LineOf(const std::vector<const Machine*>& machines) const {
  HistoryLine line;
  for (auto* const values : {&line.mean, &line.least, &line.most, &line.sum}) {
    values->assign(instants_, kNaN);
  }
  line.known.assign(instants_, 0);
  for (std::size_t i = 0; i < instants_; ++i) {
    double sum = 0;
    for (const Machine* const machine : machines) {
      if (std::isnan(machine->values[i])) continue;
      sum += machine->values[i];
      ++line.known[i];
    }
    if (line.known[i] == 0) continue;
    line.sum[i] = sum;
    line.mean[i] = sum / line.known[i];
  }
  return line;
}

std::vector<HistoryLine> HostHistory::Finish() {
  std::vector<HistoryLine> lines;
  std::vector<const Machine*> all;
  for (const auto& [name, machine] : machines_) {
    if (!machine.has_gpus || !HasAny(machine.values)) continue;
    all.push_back(&machine);
    if (by_ != HistoryBy::kNode) continue;
    lines.push_back(LineOf({&machine}));
    lines.back().node = name;
  }
  if (by_ == HistoryBy::kFleet && !all.empty()) lines.push_back(LineOf(all));
  return lines;
}

}  // namespace gpumon::fleet
