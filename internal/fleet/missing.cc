#include "internal/fleet/missing.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "internal/fleet/event_owners.h"
#include "internal/gpu/host_names.h"
#include "internal/gpu/identity.h"
#include "internal/gpu/mig.h"

namespace gpumon::fleet {
namespace {

using models::GpuMetrics;
using models::NullReason;
using models::Quantity;
using models::Text;
using Place = std::pair<std::string_view, std::string_view>;  // node and id

void Take(const GpuMetrics& row, Quantity quantity, LastValue& last) {
  const auto slot = static_cast<std::size_t>(quantity);
  if (const auto value = row.readings.Get(slot)) {
    last = {*value, NullReason::kNone};
  } else if (last.why != NullReason::kNone) {
    last.why = row.readings.reason(slot);
  }
}

void Name(std::string& text, std::string_view now) {
  if (!now.empty()) text = now;
}

// What a row of a board, or of an instance of it, says.
void Read(const GpuMetrics& row, const models::Snapshot& gpus, double time, LastSeen& seen) {
  Take(row, Quantity::kXidLast, seen.xid);
  Take(row, Quantity::kTemperature, seen.temperature);
  if (!std::isnan(row.newest)) seen.at = std::fmax(std::isnan(seen.at) ? 0 : seen.at, row.newest);
  for (std::uint32_t i = 0; i < row.workload_count; ++i) {
    const models::Workload& workload = gpus.workloads[row.first_workload + i];
    if (seen.held_at != time) seen.owners.clear();
    seen.held_at = time;
    seen.owners.insert({std::string(workload.name_space), std::string(workload.pod),
                        std::string(workload.container)});
  }
}

// What is there at an instant, however it is called then.
class Present {
 public:
  void Add(const GpuMetrics& row) {
    const std::string_view node = row.text(Text::kNode);
    const std::string_view id = row.text(Text::kGpuId);
    const std::string_view uuid = row.text(Text::kUuid);
    if (!uuid.empty()) uuids_.insert(uuid);
    if (id.empty()) return;
    (uuid.empty() ? bare_ : named_).insert({node, id});
  }

  bool Has(const LastSeen& gpu) const {
    const Place place(gpu.node, gpu.gpu_id);
    if (!gpu.uuid.empty()) return uuids_.contains(gpu.uuid) || bare_.contains(place);
    return bare_.contains(place) || named_.contains(place);
  }

 private:
  std::set<std::string_view> uuids_;
  std::set<Place> bare_;   // that show no UUID
  std::set<Place> named_;  // that do
};

}  // namespace

Sightings::Key Sightings::KeyOf(std::string_view uuid, std::string_view node, std::string_view id) {
  if (!uuid.empty()) return {std::string(uuid), "", ""};
  return {"", std::string(node), std::string(id)};
}

void Sightings::Add(double time, const models::Snapshot& gpus) {
  const std::size_t instant = times_.size();
  times_.push_back(time);
  const std::vector<std::size_t> boards = gpu::BoardsOf(gpus.gpus);
  for (std::size_t i = 0; i < boards.size(); ++i) {
    const GpuMetrics& row = gpus.gpus[i];
    const GpuMetrics& of = gpus.gpus[boards[i]];
    const std::string_view uuid = of.text(Text::kUuid);
    const std::string_view id = of.text(Text::kGpuId);
    if (uuid.empty() && id.empty()) continue;  // which one it is nobody could say later
    Board& board = boards_[KeyOf(uuid, of.text(Text::kNode), id)];
    LastSeen& seen = board.seen;
    const bool is_new = seen.node.empty() && seen.gpu_id.empty() && seen.uuid.empty();
    if (is_new || board.instant + 1 < instant) board.first = instant;
    board.brief = false;
    if (board.instant != instant || seen.uuid.empty() || boards[i] == i) {
      if (board.instant != instant) seen.at = LastSeen::kNever;
      board.instant = instant;
      Name(seen.node, of.text(Text::kNode));
      Name(seen.gpu_id, id);
      Name(seen.uuid, uuid);
      Name(seen.gpu_name, of.text(Text::kGpuName));
      Name(seen.exporter, of.text(Text::kSource));
    }
    Read(row, gpus, time, seen);
  }
}

void Sightings::AddProcesses(double time, const models::Snapshot& gpus,
                             const models::Snapshot& processes) {
  const std::vector<std::size_t> boards = gpu::BoardsOf(gpus.gpus);
  EventOwners owners(gpus, &processes, boards);
  for (std::size_t i = 0; i < boards.size(); ++i) {
    if (boards[i] != i) continue;
    const GpuMetrics& of = gpus.gpus[i];
    const auto board =
        boards_.find(KeyOf(of.text(Text::kUuid), of.text(Text::kNode), of.text(Text::kGpuId)));
    if (board == boards_.end()) continue;
    LastSeen& seen = board->second.seen;
    Owners its = owners.Of(i);
    if (!its.users.empty()) seen.users = std::move(its.users);
    if (seen.held_at == time || its.pods.empty()) continue;
    seen.held_at = time;
    seen.owners.clear();
    for (const auto& [name_space, pod] : its.pods) seen.owners.insert({name_space, pod, ""});
  }
}

void Sightings::AddBetween(const models::Snapshot& gpus) {
  if (times_.size() < 2) return;  // that is before them all
  const std::size_t before = times_.size() - 2;
  const std::vector<std::size_t> boards = gpu::BoardsOf(gpus.gpus);
  for (std::size_t i = 0; i < boards.size(); ++i) {
    const GpuMetrics& of = gpus.gpus[i];
    const std::string_view uuid = of.text(Text::kUuid);
    const std::string_view id = of.text(Text::kGpuId);
    if (boards[i] != i || (uuid.empty() && id.empty())) continue;
    const auto [at, is_new] = boards_.try_emplace(KeyOf(uuid, of.text(Text::kNode), id));
    Board& board = at->second;
    if (!is_new && board.instant >= before) continue;
    board.first = board.instant = before;
    board.brief = true;
    board.seen.at = LastSeen::kNever;
    Take(of, Quantity::kXidLast, board.seen.xid);
    Take(of, Quantity::kTemperature, board.seen.temperature);
    Name(board.seen.node, of.text(Text::kNode));
    Name(board.seen.gpu_id, id);
    Name(board.seen.uuid, uuid);
    Name(board.seen.gpu_name, of.text(Text::kGpuName));
    Name(board.seen.exporter, of.text(Text::kSource));
  }
}

bool IsBefore(const LostGpu& a, const LostGpu& b) {
  const auto order = [](const LostGpu& gpu) {
    return std::tuple(-gpu.gone, std::string_view(gpu.seen.node),
                      gpu::ParseGpuIndex(gpu.seen.gpu_id), std::string_view(gpu.seen.gpu_id),
                      std::string_view(gpu.seen.uuid));
  };
  return order(a) < order(b);
}

// The only one of that id on a node that is called the same but for a domain began afterwards.
bool Sightings::IsRenamed(const Board& board) const {
  const Board* now = nullptr;
  for (const auto& [key, other] : boards_) {
    const bool alike = key[0].empty() && other.instant + 1 == times_.size() &&
                       other.seen.gpu_id == board.seen.gpu_id &&
                       gpu::ShortName(other.seen.node) == gpu::ShortName(board.seen.node);
    if (!alike) continue;
    if (now != nullptr) return false;
    now = &other;
  }
  return now != nullptr && (now->first > board.instant || board.brief);
}

std::vector<LostGpu> Sightings::Lost(const models::Snapshot* present) const {
  Present there;
  if (present != nullptr) {
    for (const GpuMetrics& row : present->gpus) there.Add(row);
  }
  // By place: one after the instant at which a GPU was seen there last, without and with a UUID.
  std::array<std::map<Place, std::size_t>, 2> newest;
  for (const auto& [key, board] : boards_) {
    const LastSeen& seen = board.seen;
    std::size_t& at = newest[key[0].empty() ? 0 : 1][{seen.node, seen.gpu_id}];
    at = std::max(at, board.instant + 1);
    if (board.instant + 1 < times_.size()) continue;
    GpuMetrics row;
    row.set_text(Text::kNode, seen.node);
    row.set_text(Text::kGpuId, seen.gpu_id);
    row.set_text(Text::kUuid, key[0]);
    there.Add(row);
  }
  std::vector<LostGpu> lost;
  for (const auto& [key, board] : boards_) {
    if (board.instant + 1 == times_.size() || there.Has(board.seen)) continue;
    // One GPU whose exporter showed its UUID only some of the time: it counts as seen last.
    const bool bare = key[0].empty();
    const auto& others = newest[bare ? 1 : 0];
    const auto other = others.find({board.seen.node, board.seen.gpu_id});
    const std::size_t its_next = board.instant + (bare ? 0 : 1);
    if (other != others.end() && other->second > its_next) continue;
    if (bare && IsRenamed(board)) continue;
    LostGpu& its = lost.emplace_back();
    its.seen = board.seen;
    its.instant = times_[board.instant];
    its.gone = times_[board.instant + 1];
    its.brief = board.brief;
    if (std::isnan(its.seen.at)) its.seen.at = its.instant;
  }
  std::sort(lost.begin(), lost.end(), IsBefore);
  return lost;
}

void ShownLast::Add(const LostGpu& gpu) {
  const auto add = [&](Times& times, double at) {
    double& last = times.try_emplace({gpu.seen.node, gpu.seen.exporter}, at).first->second;
    last = std::fmax(last, at);
  };
  add(samples_, gpu.seen.at);
  add(instants_, gpu.instant);
}

double ShownLast::Of(const LastSeen& gpu) const {
  const auto found = samples_.find({gpu.node, gpu.exporter});
  return found == samples_.end() ? LastSeen::kNever : found->second;
}

double ShownLast::InstantOf(const LastSeen& gpu) const {
  const auto found = instants_.find({gpu.node, gpu.exporter});
  return found == instants_.end() ? LastSeen::kNever : found->second;
}

void Sightings::Refine(LostGpu& lost) const {
  if (times_.empty()) return;
  const auto found = boards_.find(KeyOf(lost.seen.uuid, lost.seen.node, lost.seen.gpu_id));
  if (found == boards_.end()) {
    // A look at instants alone passes over what is brief.
    if (!lost.brief && times_.front() > lost.instant) lost.gone = times_.front();
    return;
  }
  const Board& board = found->second;
  LastSeen seen = board.seen;
  if (seen.owners.empty()) {
    seen.owners = std::move(lost.seen.owners);
    seen.held_at = lost.seen.held_at;
  }
  if (seen.users.empty()) seen.users = std::move(lost.seen.users);
  if (seen.xid.why != NullReason::kNone) seen.xid = lost.seen.xid;
  if (seen.temperature.why != NullReason::kNone) seen.temperature = lost.seen.temperature;
  if (seen.gpu_name.empty()) seen.gpu_name = std::move(lost.seen.gpu_name);
  lost.instant = times_[board.instant];
  lost.brief = board.brief;
  if (std::isnan(seen.at)) seen.at = lost.instant;
  lost.seen = std::move(seen);
  if (board.instant + 1 < times_.size()) lost.gone = times_[board.instant + 1];
}

}  // namespace gpumon::fleet
