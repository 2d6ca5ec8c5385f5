#include "internal/fleet/history.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "internal/gpu/mig.h"

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::Quantity;
using models::Text;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::optional<double> Get(const GpuMetrics& row, Quantity quantity) {
  return row.readings.Get(static_cast<std::size_t>(quantity));
}

// Of a GPU or an instance, over all snapshots.
std::array<std::string_view, 4> KeyOf(const GpuMetrics& row) {
  return {row.text(Text::kNode), row.text(Text::kGpuId), row.text(Text::kUuid),
          row.text(Text::kMigGpuInstance).empty() ? row.text(Text::kMigUuid)
                                                  : row.text(Text::kMigGpuInstance)};
}

}  // namespace

std::vector<gpu::RangePart> HistoryParts(Quantity quantity) {
  const auto part = [](gpu::Over over, std::initializer_list<Quantity> quantities) {
    gpu::RangePart its;
    its.over = over;
    for (const Quantity one : quantities) its.quantities.set(static_cast<std::size_t>(one));
    return its;
  };
  std::vector<gpu::RangePart> parts = {part(gpu::Over::kMean, {quantity}),
                                       part(gpu::Over::kLeast, {quantity}),
                                       part(gpu::Over::kMost, {quantity})};
  if (quantity == Quantity::kMemoryUsedPercent) {
    for (gpu::RangePart& its : parts) {
      its.quantities.set(static_cast<std::size_t>(Quantity::kMemoryUsed));
    }
    parts[0].quantities.set(static_cast<std::size_t>(Quantity::kMemoryTotal));
  }
  return parts;
}

History::History(HistoryBy by, Quantity quantity, double scale, std::size_t instants, Passes passes)
    : by_(by),
      quantity_(quantity),
      scale_(scale),
      instants_(instants),
      passes_(std::move(passes)) {}

// The least and the most of a share of memory are those of what is used: a total is made of used
// and free memory, whose extremes belong to different moments. NaN: not known.
double History::Of(const GpuMetrics& row, double total) const {
  if (const auto value = Get(row, quantity_)) return *value * scale_;
  if (quantity_ != Quantity::kMemoryUsedPercent) return kNaN;
  return Get(row, Quantity::kMemoryUsed).value_or(kNaN) / total * 100 * scale_;
}

HistoryLine& History::LineOf(const GpuMetrics& row) {
  const auto text = [&](Text which) { return std::string(row.text(which)); };
  Name name;
  if (by_ == HistoryBy::kNode) name[0] = text(Text::kNode);
  if (by_ == HistoryBy::kModel) name[0] = text(Text::kGpuName);
  if (by_ == HistoryBy::kGpu) {
    const auto key = KeyOf(row);
    name = {std::string(key[0]), std::string(key[1]), std::string(key[2]), std::string(key[3])};
  }
  const auto [at, is_new] = lines_.try_emplace(name);
  HistoryLine& line = at->second;
  if (is_new) {
    for (auto* const values : {&line.mean, &line.least, &line.most, &line.sum}) {
      values->assign(instants_, kNaN);
    }
    line.known.assign(instants_, 0);
    if (by_ == HistoryBy::kNode || by_ == HistoryBy::kGpu) line.node = text(Text::kNode);
    if (by_ == HistoryBy::kModel || by_ == HistoryBy::kGpu) line.gpu_name = text(Text::kGpuName);
    if (by_ == HistoryBy::kGpu) {
      line.gpu_id = text(Text::kGpuId);
      line.uuid = text(Text::kUuid);
      line.mig_uuid = text(Text::kMigUuid);
    }
  }
  gpus_[name].insert(text(Text::kUuid).empty() ? text(Text::kNode) + '/' + text(Text::kGpuId)
                                               : text(Text::kUuid));
  return line;
}

void History::Add(std::size_t instant, std::span<const models::SnapshotPtr> snapshots) {
  const auto index = [](const models::Snapshot& snapshot) {
    std::map<Key, const GpuMetrics*> rows;
    for (const GpuMetrics& row : snapshot.gpus) rows.emplace(KeyOf(row), &row);
    return rows;
  };
  const auto least = index(*snapshots[1]);
  const auto most = index(*snapshots[2]);
  const auto add = [&](const GpuMetrics& row) {
    if (!passes_(row)) return;
    const double mean = Of(row, kNaN);
    if (std::isnan(mean)) return;
    HistoryLine& line = LineOf(row);
    const double total = Get(row, Quantity::kMemoryTotal).value_or(kNaN);
    const auto extreme = [&](const std::map<Key, const GpuMetrics*>& rows) {
      const auto at = rows.find(KeyOf(row));
      const double value = at == rows.end() ? kNaN : Of(*at->second, total);
      return std::isnan(value) ? mean : value;  // a total that is made up of others
    };
    double& known = line.known[instant];
    line.sum[instant] = known == 0 ? mean : line.sum[instant] + mean;
    ++known;
    line.mean[instant] = line.sum[instant] / known;
    line.least[instant] = std::fmin(line.least[instant], extreme(least));
    line.most[instant] = std::fmax(line.most[instant], extreme(most));
  };
  if (by_ == HistoryBy::kGpu) {
    for (const GpuMetrics& row : snapshots[0]->gpus) add(row);
  } else {
    for (const GpuMetrics* const row : gpu::WholeGpus(snapshots[0]->gpus)) add(*row);
  }
}

std::vector<HistoryLine> History::Finish() {
  std::vector<HistoryLine> lines;
  for (auto& [name, line] : lines_) {
    line.gpus = gpus_[name].size();
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace gpumon::fleet
