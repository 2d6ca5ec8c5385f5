// Makes a Snapshot of instant vectors: what each exporter says, met on GPU (and process).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "internal/gpu/allotted.h"
#include "internal/gpu/command.h"
#include "internal/gpu/contributions.h"
#include "internal/gpu/exporter_rows.h"
#include "internal/gpu/identity.h"
#include "internal/gpu/missed_targets.h"
#include "internal/gpu/plan.h"
#include "internal/gpu/row_index.h"
#include "internal/gpu/row_names.h"
#include "internal/gpu/shadow_rows.h"
#include "internal/gpu/target_memory.h"
#include "internal/prom/value.h"
#include "internal/schema/exporter.h"
#include "models/gpu.h"

namespace gpumon::gpu {

// One thread at a time. RowT is models::GpuMetrics or models::GpuProcess. The result does not
// depend on the order of samples or of Add calls.
//
// Rows of two exporters are one GPU when they share its UUID (and MIG instance), or, where one of
// them has no UUID, node and id and no contradicting name. Field by field the exporter that stands
// first gives the value; the row's `source` is the first that knows the GPU. A MIG instance has
// the texts of its GPU where it has none of its own. Rows that name a UUID alone have the node and
// id that others say of it. Series of a GPU instance that name no compute instance are the row of
// its only one, and a row of their own where it has several.
template <class RowT>
class Join {
 public:
  // `exporters`, the best first, and `evidence` must outlive the Join.
  Join(std::span<const schema::Exporter* const> exporters, UnitEvidence& evidence, double as_of);

  // Takes the samples of `vector`: as values of `metric` of that exporter, or of what each one's
  // name says. What it keeps, it copies.
  void Add(std::size_t exporter, const prom::InstantVector& vector,
           std::optional<std::size_t> metric);
  // Rows of that exporter so far, and how many there may be.
  std::size_t RowsOf(std::size_t exporter) const { return parts_[exporter]->size(); }
  void Reserve(std::size_t exporter, std::size_t rows) { parts_[exporter]->Reserve(rows); }
  // The query for `metric`, or for all metrics, failed: values are absent, not zero.
  void AddFailure(std::size_t exporter, std::optional<std::size_t> metric);
  // Sample times (Unix seconds as values) by the same identity labels, kept until Finish: a row's
  // newest and oldest are taken over all of its series.
  void AddTimes(std::size_t exporter, prom::InstantVector times) {
    if constexpr (kIsProcess) devices_[exporter]->AddTimes(times);
    parts_[exporter]->AddTimes(std::move(times));
  }
  // Sample times by scrape target, as RowTimes::AddTargetTimes. `tell_pods`: with the labels of
  // all targets, instead of AddTargets.
  void AddTargetTimes(std::size_t exporter, const prom::InstantVector& times, bool tell_pods) {
    parts_[exporter]->AddTargetTimes(times);
    if constexpr (kIsProcess) devices_[exporter]->AddTargetTimes(times);
    if (tell_pods) around_.own_pods.AddTimes(times);
  }
  // The jobs whose `up` is asked for. Before any values; without it all are.
  void SetAskedJobs(std::set<std::string, std::less<>> jobs) {
    around_.own_pods.SetAsked(std::move(jobs));
  }
  // After Finish, of a metric that is asked for alone (own_query): all rows that the exporter has a
  // part in have a reading in its slot.
  bool Shows(std::size_t exporter, std::size_t slot) const {
    return shown_by_all_.contains({exporter, slot});
  }
  // After Finish, by exporter: jobs that have its series and were not among those of SetAskedJobs.
  std::vector<std::set<std::string>> new_jobs() const {
    std::vector<std::set<std::string>> jobs;
    for (const auto& part : parts_) jobs.push_back(part->new_jobs());
    return jobs;
  }
  // Series of `up`, before the values of exporters whose own pod may be taken for a workload.
  void AddTargets(const prom::InstantVector& targets);
  // Series of an exporter's GPUs, when processes are joined: what it calls the GPUs that they are
  // on.
  void AddDevices(std::size_t exporter, const prom::InstantVector& gpus) {
    const auto sides = DownSamples::Split(missed_.down(), gpus);
    if constexpr (kIsProcess) devices_[exporter]->Add(sides ? sides->up : gpus, std::nullopt);
  }
  // As Addresses::Add, before the values of exporters whose series name no node.
  void AddAddresses(const prom::InstantVector& infos) { around_.addresses.Add(infos); }
  // What is known of the exporters' targets, in their order. Before their values. Their units
  // were shown then; what is seen later is newer.
  void Expect(std::span<const Subject> subjects, double units_shown);
  // Targets of that exporter whose values no longer change. Before its values.
  void SetFrozen(std::size_t exporter, const std::set<std::size_t>& targets) {
    parts_[exporter]->SetFrozen(targets);
  }
  // Targets of that exporter that are down, and what they showed.
  void SetDown(std::size_t exporter, const DownTargets::Past& past) {
    missed_.SetPast(exporter, past);
  }
  // Sample times are unknown: the snapshot is partial.
  void AddFailedTimes() { snapshot_->times_failed = snapshot_->partial = true; }
  // The server says that it left something out.
  void MarkPartial() { snapshot_->partial = true; }
  void AddUniqueWarning(std::string text) { warnings_.insert(std::move(text)); }
  // Hears of every sample from now on; GPUs only. It must outlive the Join.
  void Record(JoinRecorder* recorder) {
    recorder_ = recorder;
    for (auto& part : parts_) part->Record(recorder);
  }
  void CountUndecodable(std::size_t n) { counts_.undecodable += n; }

  // Derives, checks bounds, states reasons, sorts. Call once, last.
  // Scrape targets that are down, and of which SetDown or `memory` (may be null) tells what they
  // showed, are why values of their nodes' rows are missing.
  std::shared_ptr<models::Snapshot> Finish(CommandStyle commands,
                                           const TargetMemory* memory = nullptr);
  const JoinCounts& counts() const { return counts_; }
  // After Finish: which target showed what of which node.
  const TargetMemory::Shown& shown() const { return missed_.shown(); }
  bool lost_rows() const { return missed_.lost_rows(); }
  // AddTargetTimes is not enough, since samples have time stamps of their own.
  bool BringsItsOwnTimes(std::size_t exporter) const {
    return parts_[exporter]->times().BringsItsOwn();
  }

 private:
  static constexpr bool kIsProcess = std::is_same_v<RowT, models::GpuProcess>;
  static constexpr std::size_t kSlots =
      kIsProcess ? models::kProcessQuantities : models::kQuantities;

  void Take(std::size_t exporter);
  std::uint32_t Find(const RowT& row, std::size_t exporter);
  std::uint32_t FindByUuid(const RowT& row, std::size_t exporter) const;
  bool SameGpu(std::uint32_t at, const RowT& row, std::size_t exporter, bool by_uuid) const;
  bool IsShadow(std::size_t exporter, std::size_t row) const {
    const ShadowRow one{exporter, row};
    return std::binary_search(shadows_.begin(), shadows_.end(), one, IsBefore);
  }
  void TakeAll();
  void DeriveAll();
  void AddRow(std::size_t exporter, std::size_t i);
  void FillRow(std::uint32_t at, std::size_t exporter, std::size_t i);
  void TellMet(std::size_t exporter, std::size_t i, std::uint32_t at);
  void Cover(std::size_t exporter, std::size_t i, std::size_t slot, bool shown);
  void CoverRow(std::size_t exporter, std::size_t i, const RowT& row, bool shown);
  void CheckRow(RowT& row);
  void NoteOwnQueries();
  void StateReasons();
  void StateWarnings();

  const std::span<const schema::Exporter* const> exporters_;
  UnitEvidence& evidence_;
  std::shared_ptr<models::Snapshot> snapshot_;
  Surroundings around_;
  MissedTargets<RowT> missed_;
  std::vector<std::unique_ptr<ExporterRows<RowT>>> parts_;  // one for each exporter
  // Processes: what the exporters' info families say of the GPUs they run on.
  std::vector<std::unique_ptr<ExporterRows<models::GpuMetrics>>> devices_;

  RowNames<RowT> names_;
  std::vector<RowT> rows_;
  std::vector<std::size_t> last_exporter_;  // row -> who added to it last
  std::vector<std::uint32_t> twice_;        // rows that are not shown, ascending
  std::vector<ShadowRow> shadows_;
  Contributions<RowT> contributions_;
  std::vector<std::vector<models::Workload>> held_;  // row -> its workloads
  Allotted allotted_;
  std::set<std::pair<std::size_t, std::size_t>> shown_by_all_;  // exporter, slot
  RowIndex by_uuid_;
  RowIndex by_id_;
  std::vector<std::size_t> first_coverage_;  // exporter -> its place in snapshot_->coverage
  std::vector<bool> failed_;
  std::set<std::string> warnings_;
  JoinCounts counts_;
  JoinRecorder* recorder_ = nullptr;
};

extern template class Join<models::GpuMetrics>;
extern template class Join<models::GpuProcess>;

}  // namespace gpumon::gpu
