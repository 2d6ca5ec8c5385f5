#include "internal/gpu/board_places.h"

#include <cstddef>
#include <map>
#include <unordered_map>
#include <utility>

#include "internal/gpu/identity.h"
#include "internal/gpu/mig.h"

namespace gpumon::gpu {
namespace {

using models::GpuMetrics;
using models::Text;

constexpr std::string_view kSeveral = "\n";  // no node's name, nor a GPU's id

struct Board {
  std::string_view node;  // the best exporter's; kSeveral: cloned machines
  std::string_view id;    // the same one's, if it has one
  std::size_t exporter = 0;
  std::string_view other;  // the node by the exporter that is heard last
  std::size_t other_exporter = 0;
};

class Boards {
 public:
  explicit Boards(GpuParts parts) : parts_(parts) {
    ForEach([&](std::size_t, GpuMetrics& row) {
      if (IsInstance(row) && !row.text(Text::kUuid).empty()) boards_[row.text(Text::kUuid)];
    });
    if (boards_.empty()) return;
    ForEach([&](std::size_t exporter, GpuMetrics& row) { Hear(exporter, row); });
  }

  std::set<std::string_view> Place() {
    std::set<std::string_view> moved;
    if (boards_.empty()) return moved;
    ForEach([&](std::size_t exporter, GpuMetrics& row) {
      const std::string_view uuid = UuidOf(exporter, row);
      const auto its = boards_.find(uuid);
      if (its == boards_.end() || row.text(Text::kNode).empty()) return;
      const Board& board = its->second;
      if (board.node == kSeveral || board.node == row.text(Text::kNode)) return;
      row.set_text(Text::kNode, board.node);
      if (!board.id.empty() && board.id != kSeveral) row.set_text(Text::kGpuId, board.id);
      row.gpu_index = ParseGpuIndex(row.text(Text::kGpuId));
      moved.insert(uuid);
    });
    return moved;
  }

 private:
  using NodeAndId = std::pair<std::string_view, std::string_view>;

  template <class Each>
  void ForEach(const Each& each) const {
    for (std::size_t exporter = 0; exporter < parts_.size(); ++exporter) {
      for (std::size_t i = 0; i < parts_[exporter]->size(); ++i) {
        each(exporter, parts_[exporter]->row(i));
      }
    }
  }

  void Hear(std::size_t exporter, const GpuMetrics& row) {
    const std::string_view node = row.text(Text::kNode);
    const std::string_view id = row.text(Text::kGpuId);
    const std::string_view uuid = row.text(Text::kUuid);
    const auto found = boards_.find(uuid);
    if (node.empty() || uuid.empty() || found == boards_.end()) return;
    auto& place = places_[{exporter, NodeAndId(node, id)}];
    place = place.empty() || place == uuid ? uuid : kSeveral;
    Board& board = found->second;
    if (board.node == kSeveral) return;
    if (board.node.empty()) {
      board = {node, id, exporter, node, exporter};
    } else if (board.other_exporter == exporter && board.other != node) {
      board.node = kSeveral;
    } else {
      board.other = node;
      board.other_exporter = exporter;
      if (exporter == board.exporter && board.id.empty()) board.id = id;
      if (exporter == board.exporter && !Agree(board.id, id)) board.id = kSeveral;
    }
  }

  // Of an instance that names none that of the GPU at its place.
  std::string_view UuidOf(std::size_t exporter, const GpuMetrics& row) const {
    if (!row.text(Text::kUuid).empty() || !IsInstance(row)) return row.text(Text::kUuid);
    const auto found =
        places_.find({exporter, NodeAndId(row.text(Text::kNode), row.text(Text::kGpuId))});
    return found == places_.end() ? std::string_view() : found->second;
  }

  const GpuParts parts_;
  std::unordered_map<std::string_view, Board> boards_;
  std::map<std::pair<std::size_t, NodeAndId>, std::string_view> places_;  // -> UUID; kSeveral
};

}  // namespace

std::set<std::string_view> PlaceBoards(GpuParts parts) {
  return Boards(parts).Place();
}

}  // namespace gpumon::gpu
