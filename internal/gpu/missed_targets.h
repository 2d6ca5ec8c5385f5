// Rows and values that are missing since the scrape target that showed them is down, or says that
// it failed.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "internal/gpu/contributions.h"
#include "internal/gpu/down_targets.h"
#include "internal/gpu/exporter_rows.h"
#include "internal/gpu/own_pods.h"
#include "internal/gpu/target_memory.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. RowT is models::GpuMetrics or models::GpuProcess.
template <class RowT>
class MissedTargets {
 public:
  using Exporters = std::span<const schema::Exporter* const>;
  using Parts = std::span<const std::unique_ptr<ExporterRows<RowT>>>;

  // Both must outlive it.
  MissedTargets(Exporters exporters, const Surroundings& around)
      : exporters_(exporters), around_(around) {}

  // What Prometheus's past says of an exporter's targets.
  void SetPast(std::size_t exporter, const DownTargets::Past& past) {
    down_.SetPast(exporters_[exporter]->name, past);
  }
  // Series of `up`.
  void AddTargets(const prom::InstantVector& targets) { down_.Add(targets); }
  const DownTargets& down() const { return down_; }

  // What each target that is not down shows. `parts` are settled and `rows` know their nodes: an
  // exporter that names none may meet one that does. Nothing where nobody will ask: without a
  // `memory` while no target is down.
  void NoteShown(Parts parts, const Contributions<RowT>& contributions,
                 const std::vector<RowT>& rows, const TargetMemory* memory);
  const TargetMemory::Shown& shown() const { return shown_; }

  // After it, once: why values of `rows` are missing, and a warning for each exporter that has such
  // targets, or some that say that they failed. Of those of which neither Prometheus's past nor
  // `memory` (may be null) tells what they showed nothing is missing. Into `lost` what targets that
  // are down would give.
  void Explain(Parts parts, const TargetMemory* memory, std::vector<RowT>& rows,
               std::set<std::string>& warnings, std::vector<models::LostField>& lost);
  // Then: some target that is up shows none of the GPUs that it showed, and nobody else does.
  // Another generation of its exporter may be there now.
  bool lost_rows() const { return lost_rows_; }
  // Values that are stale since then: of series that are gone.
  std::size_t stale() const { return stale_; }

 private:
  static constexpr bool kIsProcess = std::is_same_v<RowT, models::GpuProcess>;
  static constexpr models::Part kPart = kIsProcess ? models::Part::kProcesses : models::Part::kGpus;

  // What is missing of one exporter.
  struct Missed {
    TargetMemory::Nodes nodes;
    std::set<std::string> targets;  // their names
    TargetMemory::Metrics metrics;  // by slot, the first of them that is known
  };
  // Bits as in TargetMemory::Fields of what some row lacks for one reason, and how many values this
  // time.
  struct Lacking {
    std::uint64_t fields = 0;
    std::size_t count = 0;
  };
  TargetMemory::Nodes Recall(models::Part part, const TargetMemory::Target& target,
                             const TargetMemory* memory) const;
  std::string NodeOf(std::string node, std::size_t key, const DownTargets::Target& target) const;
  void FindDown(const std::string& exporter, const ExporterRows<RowT>& part,
                const TargetMemory* memory, Missed& missed);
  void FindReplaced(const std::string& exporter, std::size_t key, const DownTargets::Target& target,
                    const TargetMemory* memory, Missed& missed);
  void FindHidden(const std::string& exporter, const ExporterRows<RowT>& part,
                  const TargetMemory* memory, Missed& missed) const;
  void FindFailed(const std::string& exporter, const ExporterRows<RowT>& part,
                  const TargetMemory* memory, Missed& missed) const;
  void FindSilent(const std::string& exporter, const ExporterRows<RowT>& part,
                  const TargetMemory* memory, const std::vector<RowT>& rows,
                  std::set<std::string>& silent) const;
  static Lacking SetReasons(const TargetMemory::Nodes& nodes, models::NullReason reason,
                            std::vector<RowT>& rows);
  void NoteMetrics(const TargetMemory::Target& target, const TargetMemory* memory,
                   Missed& missed) const;
  static void NoteLost(const std::string& exporter, const Missed& down, const Lacking& lacking,
                       std::vector<models::LostField>& lost);

  const Exporters exporters_;
  const Surroundings& around_;
  DownTargets down_;
  TargetMemory::Shown shown_;
  std::size_t stale_ = 0;
  bool lost_rows_ = false;
};

extern template class MissedTargets<models::GpuMetrics>;
extern template class MissedTargets<models::GpuProcess>;

}  // namespace gpumon::gpu
