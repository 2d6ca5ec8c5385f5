// What the server knows at one instant: rows and the snapshot that holds them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/alert.h"
#include "models/coverage.h"
#include "models/field.h"
#include "models/node.h"
#include "models/null_reason.h"
#include "models/part.h"
#include "models/pod.h"
#include "models/task.h"
#include "models/workload.h"

namespace gpumon::models {

// N measured values, each there or absent with a reason. Absent is not zero.
template <std::size_t N>
class Readings {
 public:
  Readings() { reasons_.fill(NullReason::kNotExported); }

  static constexpr std::size_t size() { return N; }
  bool Has(std::size_t slot) const { return reasons_[slot] == NullReason::kNone; }
  std::optional<double> Get(std::size_t slot) const {
    return Has(slot) ? std::optional<double>(values_[slot]) : std::nullopt;
  }
  NullReason reason(std::size_t slot) const { return reasons_[slot]; }
  void Set(std::size_t slot, double value) {
    values_[slot] = value;
    reasons_[slot] = NullReason::kNone;
  }
  void SetAbsent(std::size_t slot, NullReason reason) { reasons_[slot] = reason; }

 private:
  std::array<double, N> values_{};
  std::array<NullReason, N> reasons_;
};

// One line of an answer. Texts are views into the snapshot's Arena; an empty text is absent.
template <std::size_t Texts, std::size_t Slots>
struct Row {
  static constexpr std::int32_t kNoIndex = -1;

  std::array<std::string_view, Texts> texts{};
  Readings<Slots> readings;
  std::int32_t gpu_index = kNoIndex;
  std::int64_t pid = 0;  // process rows
  // Unix seconds of the row's newest and oldest sample; NaN when the server did not tell.
  double newest = std::numeric_limits<double>::quiet_NaN();
  double oldest = std::numeric_limits<double>::quiet_NaN();
  // Of Snapshot::workloads, by namespace, pod, container. The texts of the first stand in `texts`.
  std::uint32_t first_workload = 0;
  std::uint32_t workload_count = 0;
  std::uint32_t texts_gone = 0;  // bits by Text: an exporter that is down showed them
  // Who shows it, values or not: bits by place in Snapshot::sources, of the first 32.
  std::uint32_t exporters = 0;
  bool bad_time = false;  // a sample's time was impossible, and is not counted
  bool divided = false;   // MIG is on, whether or not its instances are rows
  // Its series name a pod, and nobody can tell whether that holds it or is the exporter's own: why.
  NullReason pod_untold = NullReason::kNone;

  std::string_view text(Text t) const { return texts[static_cast<std::size_t>(t)]; }
  // Only an exporter that is down named it. Text::kPod of a GPU: those that hold it.
  bool has_lost(Text t) const {
    return text(t).empty() && (texts_gone >> static_cast<unsigned>(t) & 1U) != 0;
  }
  // Why nobody knows whether a pod holds it; kNone where one does, or none is known to.
  NullReason holder_reason() const {
    if (!text(Text::kPod).empty()) return NullReason::kNone;
    return has_lost(Text::kPod) ? NullReason::kExporterDown : pod_untold;
  }
  void set_text(Text t, std::string_view value) { texts[static_cast<std::size_t>(t)] = value; }
};

using GpuMetrics = Row<kGpuTexts, kQuantities>;
using GpuProcess = Row<kProcessTexts, kProcessQuantities>;

// A machine. Only those that a GPU may be on matter; `has_gpus` says what Kubernetes and the
// exporters on it say.
struct Node {
  std::string_view name;
  Readings<kNodeQuantities> readings;
  NodeParts parts;
  bool in_kubernetes = false;  // it lists the node at this instant
  // Unix seconds when Kubernetes listed it last; NaN where it does now, or not within the hour.
  double vanished = std::numeric_limits<double>::quiet_NaN();
  bool has_gpus = false;

  std::optional<double> Get(NodeQuantity quantity) const {
    return readings.Get(static_cast<std::size_t>(quantity));
  }
};

// Owns texts; what it hands out never moves. One thread at a time while it grows.
class Arena {
 public:
  std::string_view Keep(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > left_) {
      const std::size_t grown = kLeast << std::min<std::size_t>(blocks_.size(), kDoublings);
      const std::size_t size = std::max(grown, text.size());
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
      next_ = blocks_.back().get();
      left_ = size;
    }
    char* const start = std::copy(text.begin(), text.end(), next_) - text.size();
    next_ += text.size();
    left_ -= text.size();
    return {start, text.size()};
  }

 private:
  // Bytes of the first block, and how often the next ones are twice as large.
  static constexpr std::size_t kLeast = 4 * 1024;
  static constexpr std::size_t kDoublings = 3;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

// One answer's worth of rows. Immutable once published, shared by every reader.
struct Snapshot {
  Part part = Part::kGpus;
  // Sorted by node (bytewise), gpu index (none last), gpu id; processes then by pid; pods and tasks
  // by namespace, name and kind; nodes by name. Only the vectors of `part` are filled.
  std::vector<GpuMetrics> gpus;
  std::vector<GpuProcess> processes;
  std::vector<Pod> pods;
  std::vector<Task> tasks;
  std::vector<Node> nodes;
  std::vector<Disk> disks;
  std::vector<NumaNode> numa;
  std::vector<NodeTarget> targets;
  std::vector<SilentTarget> silent;  // by job and instance
  std::vector<Alert> alerts;
  std::vector<std::string_view> alert_labels;  // "name=value"
  std::vector<Workload> workloads;
  std::vector<Coverage> coverage;  // which metric gave what, by exporter and metric
  std::vector<LostField> lost;     // which are missing since a target is down
  double as_of = 0;                // Unix seconds: the evaluation time of every query of the set
  bool times_failed = false;       // the rows' sample times are unknown
  bool partial = false;            // some queries failed
  bool texts_failed = false;       // of them one that gives rows their texts
  bool upstream_warned = false;    // the server sent warnings or isPartial: cache it briefly
  std::vector<std::string> warnings;
  std::vector<std::string> sources;  // exporter schemas that gave rows
  std::uint32_t pod_tellers = 0;     // those that named any pod: bits as in Row::exporters
  // Per slot: the reason why no row has it, or kNone.
  std::array<NullReason, kQuantities> missing_gpu{};
  std::array<NullReason, kProcessQuantities> missing_process{};
  Arena arena;

  std::size_t rows() const {
    return gpus.size() + processes.size() + pods.size() + tasks.size() + nodes.size() +
           alerts.size();
  }
  void AddSource(std::string_view exporter, bool tells_pods) {
    sources.emplace_back(exporter);
    if (tells_pods) pod_tellers |= exporter_bit(exporter);
  }
  // Row::holder_reason, and of a row whose exporters say no word of pods.
  NullReason holder_reason(const GpuMetrics& row) const {
    const bool told = row.workload_count > 0 || row.exporters == 0;
    if (!told && (row.exporters & pod_tellers) == 0) return NullReason::kNotExported;
    return row.holder_reason();
  }
  // In Row::exporters; 0 for one that gave no rows, or has no place there.
  std::uint32_t exporter_bit(std::string_view exporter) const {
    const auto place = std::find(sources.begin(), sources.end(), exporter) - sources.begin();
    return place < std::min<std::ptrdiff_t>(std::ssize(sources), 32) ? std::uint32_t{1} << place
                                                                     : 0;
  }
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace gpumon::models
