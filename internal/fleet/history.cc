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
using Key = std::array<std::string_view, 4>;
Key KeyOf(const GpuMetrics& row) {
  return {row.text(Text::kNode), row.text(Text::kGpuId), row.text(Text::kUuid),
          row.text(Text::kMigGpuInstance).empty() ? row.text(Text::kMigUuid)
                                                  : row.text(Text::kMigGpuInstance)};
}

// Finds rows of a snapshot, those of which another one of that instant has, in its order.
class Others {
 public:
  explicit Others(const models::Snapshot& snapshot) : rows_(snapshot.gpus) {}

  const GpuMetrics* Find(const Key& key) {
    if (next_ < rows_.size() && KeyOf(rows_[next_]) == key) return &rows_[next_++];
    if (places_.empty()) {
      for (std::size_t i = 0; i < rows_.size(); ++i) places_.emplace(KeyOf(rows_[i]), i);
    }
    const auto at = places_.find(key);
    if (at == places_.end()) return nullptr;
    next_ = at->second + 1;
    return &rows_[at->second];
  }

 private:
  const std::vector<GpuMetrics>& rows_;
  std::size_t next_ = 0;
  std::map<Key, std::size_t> places_;  // made when it is needed
};

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

HistoryLine& History::LineOf(const GpuMetrics& row, std::size_t place) {
  if (recent_.size() <= place) recent_.resize(place + 1);
  Recent& recent = recent_[place];
  const Key key = KeyOf(row);
  const std::string_view model = row.text(Text::kGpuName);
  const bool same = recent.line != nullptr && recent.model == model &&
                    std::equal(key.begin(), key.end(), recent.gpu.begin());
  if (!same) {
    for (std::size_t i = 0; i < key.size(); ++i) recent.gpu[i] = key[i];
    recent.model = model;
    recent.line = &NewLineOf(row);
  }
  return *recent.line;
}

HistoryLine& History::NewLineOf(const GpuMetrics& row) {
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
  Others least(*snapshots[1]);
  Others most(*snapshots[2]);
  const auto add = [&](const GpuMetrics& row, std::size_t place) {
    if (!passes_(row)) return;
    const double mean = Of(row, kNaN);
    if (std::isnan(mean)) return;
    HistoryLine& line = LineOf(row, place);
    const double total = Get(row, Quantity::kMemoryTotal).value_or(kNaN);
    const auto extreme = [&](Others& rows) {
      const GpuMetrics* const other = rows.Find(KeyOf(row));
      const double value = other == nullptr ? kNaN : Of(*other, total);
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
    const auto& rows = snapshots[0]->gpus;
    for (std::size_t i = 0; i < rows.size(); ++i) add(rows[i], i);
  } else {
    const auto rows = gpu::WholeGpus(snapshots[0]->gpus);
    for (std::size_t i = 0; i < rows.size(); ++i) add(*rows[i], i);
  }
}

// Where one series alone names a GPU's id, its samples may go on for an instant without that: the
// line is the same GPU's.
void History::JoinNameless() {
  std::map<std::array<std::string_view, 3>, HistoryLine*> named;  // by node, UUID, instance
  for (auto& [name, line] : lines_) {
    if (!name[1].empty() && !name[2].empty()) named[{name[0], name[2], name[3]}] = &line;
  }
  for (auto at = lines_.begin(); at != lines_.end();) {
    const auto& [name, more] = *at;
    const auto its = name[1].empty() ? named.find({name[0], name[2], name[3]}) : named.end();
    if (its == named.end()) {
      ++at;
      continue;
    }
    HistoryLine& line = *its->second;
    for (std::size_t i = 0; i < instants_; ++i) {
      if (line.known[i] > 0 || more.known[i] == 0) continue;
      for (const auto values : {&HistoryLine::mean, &HistoryLine::least, &HistoryLine::most,
                                &HistoryLine::sum, &HistoryLine::known}) {
        (line.*values)[i] = (more.*values)[i];
      }
    }
    at = lines_.erase(at);
  }
}

std::vector<HistoryLine> History::Finish() {
  if (by_ == HistoryBy::kGpu) JoinNameless();
  std::vector<HistoryLine> lines;
  for (auto& [name, line] : lines_) {
    line.gpus = gpus_[name].size();
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace gpumon::fleet
