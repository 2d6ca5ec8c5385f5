#include "internal/gpu/missed_targets.h"

#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "internal/gpu/mig.h"

namespace gpumon::gpu {

using models::NullReason;
using models::Text;

namespace {

using Fields = TargetMemory::Fields;

std::uint64_t& FieldsFor(const models::GpuMetrics& row, Fields& fields) {
  return IsInstance(row) ? fields.of_instances : fields.of_gpus;
}
std::uint64_t& FieldsFor(const models::GpuProcess&, Fields& fields) {
  return fields.of_gpus;
}

std::uint64_t& LackingFor(const models::GpuMetrics& row, Fields& fields) {
  return IsInstance(row) ? fields.lacking_of_instances : fields.lacking_of_gpus;
}
std::uint64_t& LackingFor(const models::GpuProcess&, Fields& fields) {
  return fields.lacking_of_gpus;
}

// Bits by slot.
template <class RowT>
std::uint64_t ValuesOf(const RowT& row) {
  std::uint64_t bits = 0;
  for (std::size_t slot = 0; slot < decltype(RowT::readings)::size(); ++slot) {
    bits |= std::uint64_t{row.readings.Has(slot) ? 1U : 0U} << slot;
  }
  return bits;
}

void Merge(const TargetMemory::Metrics& more, TargetMemory::Metrics& metrics) {
  if (metrics.size() < more.size()) metrics.resize(more.size());
  for (std::size_t slot = 0; slot < more.size(); ++slot) {
    if (metrics[slot].empty()) metrics[slot] = more[slot];
  }
}

template <class RowT>
std::uint64_t BitOf(Text text) {
  constexpr std::size_t kSlots = decltype(RowT::readings)::size();
  static_assert(kSlots + std::tuple_size_v<decltype(RowT::texts)> <= 64);
  return std::uint64_t{1} << (kSlots + static_cast<std::size_t>(text));
}

template <class RowT>
std::uint64_t TextsOf(const RowT& row) {
  std::uint64_t bits = 0;
  for (std::size_t text = 0; text < row.texts.size(); ++text) {
    if (!row.texts[text].empty()) bits |= BitOf<RowT>(static_cast<Text>(text));
  }
  return bits;
}

}  // namespace

template <class RowT>
void MissedTargets<RowT>::NoteShown(Parts parts, const Contributions<RowT>& contributions,
                                    const std::vector<RowT>& rows, const TargetMemory* memory) {
  if (memory == nullptr && down_.zeros().empty()) return;
  std::set<std::string_view> jobs;  // with a target that is down: not all that they show is there
  for (const auto& [key, target] : down_.zeros()) {
    if (down_.Has(key)) jobs.insert(target.job);
  }
  for (std::size_t e = 0; e < parts.size(); ++e) {
    const ExporterRows<RowT>& part = *parts[e];
    const auto& metrics = exporters_[e]->metrics(kIsProcess);
    // One target's rows mostly stand together, and so do one node's.
    Fields* its = nullptr;
    TargetMemory::Metrics* names = nullptr;
    std::size_t last_target = 0;
    std::string_view last_node;
    part.times().ForEach([&](std::uint32_t i, std::size_t target, std::uint64_t fields) {
      const RowT& row = rows[contributions.PlaceOf(e, i)];
      const std::string_view node = row.text(Text::kNode);
      if (its == nullptr || target != last_target || node != last_node) {
        if (part.says_failed().contains(target)) return;  // what is still there is not all
        TargetMemory::What& what = shown_[{exporters_[e]->name, target}];
        its = &what.nodes[std::string(node)];
        names = &what.metrics;
        names->resize(decltype(RowT::readings)::size());
        last_target = target;
        last_node = node;
      }
      // The rows of an only exporter are the join's own.
      const RowT& own = i < part.size() ? part.row(i) : row;
      FieldsFor(row, *its) |= (fields & part.FieldsOf(i)) | TextsOf(own);
      LackingFor(row, *its) |= ~ValuesOf(own);
      const auto shown = part.shown(i);
      for (std::size_t slot = 0; slot < shown.size(); ++slot) {
        if (shown[slot] == ExporterRows<RowT>::kNoMetric || (fields >> slot & 1U) == 0) continue;
        (*names)[slot] = metrics[shown[slot]].name;
      }
      // Of GPUs they stand beside the rows.
      if constexpr (!kIsProcess) {
        if (part.IsHeld(i)) FieldsFor(row, *its) |= BitOf<RowT>(Text::kPod);
      }
    });
    if constexpr (!kIsProcess) {
      for (auto& [its_target, what] : shown_) {
        if (its_target.exporter != exporters_[e]->name) continue;
        for (auto& [node, fields] : what.nodes) AddDerived(*exporters_[e], fields, what.metrics);
      }
    }
    part.times().ForEachTarget([&](std::size_t target, const std::string& job) {
      if (jobs.contains(job) || !down_.IsHidden(target, job)) return;
      const auto shown = shown_.find({exporters_[e]->name, target});
      if (shown != shown_.end()) shown->second.hidden_in = job;
    });
  }
}

template <class RowT>
void MissedTargets<RowT>::NoteMetrics(const TargetMemory::Target& target,
                                      const TargetMemory* memory, Missed& missed) const {
  if (memory != nullptr) Merge(memory->RecallMetrics(kPart, target), missed.metrics);
  const DownTargets::Shown* const past = down_.PastOf(target.exporter, target.target);
  if (past != nullptr) {
    Merge(kIsProcess ? past->process_metrics : past->gpu_metrics, missed.metrics);
  }
}

template <class RowT>
TargetMemory::Nodes MissedTargets<RowT>::Recall(models::Part part,
                                                const TargetMemory::Target& target,
                                                const TargetMemory* memory) const {
  TargetMemory::Nodes nodes;
  if (memory != nullptr) nodes = memory->Recall(part, target);
  if (!nodes.empty()) return nodes;
  const DownTargets::Shown* const past = down_.PastOf(target.exporter, target.target);
  if (past == nullptr) return nodes;
  return part == models::Part::kGpus ? past->gpus : past->processes;
}

// As RowTable reads it: Prometheus's past knows labels alone.
template <class RowT>
std::string MissedTargets<RowT>::NodeOf(std::string node, std::size_t key,
                                        const DownTargets::Target& target) const {
  if (around_.own_pods.IsNamed(key, node)) node.clear();
  const std::string_view named = around_.addresses.NodeAt(node.empty() ? target.instance : node);
  return named.empty() ? node : std::string(named);
}

template <class RowT>
void MissedTargets<RowT>::FindDown(const std::string& exporter, const ExporterRows<RowT>& part,
                                   const TargetMemory* memory, Missed& missed) {
  for (const auto& [key, target] : down_.zeros()) {
    const TargetMemory::Target its{exporter, key};
    if (!down_.Has(key)) {
      FindReplaced(exporter, key, target, memory, missed);
      continue;
    }
    const TargetMemory::Nodes nodes = Recall(kPart, its, memory);
    for (const auto& [node, fields] : nodes) missed.nodes[NodeOf(node, key, target)] |= fields;
    NoteMetrics(its, memory, missed);
    // Whose GPUs are gone may have had processes.
    const bool may_have = kIsProcess && part.may_have_rows();
    if (!nodes.empty() || (may_have && !Recall(models::Part::kGpus, its, memory).empty())) {
      missed.targets.insert(target.name);
    }
  }
}

// One pod of it is down and another up, which took its place or is on another machine: lost are the
// machines that it no longer shows. Processes end by themselves: the GPUs' machines tell.
template <class RowT>
void MissedTargets<RowT>::FindReplaced(const std::string& exporter, std::size_t key,
                                       const DownTargets::Target& target,
                                       const TargetMemory* memory, Missed& missed) {
  const TargetMemory::Target its{exporter, key};
  if constexpr (kIsProcess) {
    if (memory != nullptr && memory->HasLost(models::Part::kGpus, its)) {
      missed.targets.insert(target.name);
    }
    return;
  }
  TargetMemory::Nodes lost = Recall(kPart, its, memory);
  const auto now = shown_.find(its);
  std::erase_if(lost, [&](const auto& one) {
    if (now == shown_.end()) return false;
    const auto& shown = now->second.nodes;
    // What names no node may be any of those that are shown.
    if (NodeOf(one.first, key, target).empty()) return true;
    return shown.contains(one.first) || shown.contains(NodeOf(one.first, key, target));
  });
  if (lost.empty()) return;
  for (const auto& [node, fields] : lost) missed.nodes[NodeOf(node, key, target)] |= fields;
  NoteMetrics(its, memory, missed);
  missed.targets.insert(target.name);
  // To be known still when it is looked for again.
  TargetMemory::What& what = shown_[its];
  what.has_lost = true;
  what.nodes.merge(lost);
}

// Nobody knows which of a job's targets it is that shows a GPU. One that is down did when something
// that the job showed is gone, or, where nothing is remembered, when each that is up does.
template <class RowT>
void MissedTargets<RowT>::FindHidden(const std::string& exporter, const ExporterRows<RowT>& part,
                                     const TargetMemory* memory, Missed& missed) const {
  std::map<std::string, std::set<std::string>> jobs;  // -> names of targets that are down
  for (const auto& [key, target] : down_.zeros()) {
    if (down_.Has(key)) jobs[target.job].insert(target.name);
  }
  for (const auto& one : jobs) {
    const std::string& job = one.first;  // clang 14 lets no lambda use a part of a binding
    const auto& targets = one.second;
    TargetMemory::Shown known;
    if (memory != nullptr) known = memory->RecallHidden(kPart, exporter, job);
    std::size_t now = 0;
    part.times().ForEachTarget([&](std::size_t target, const std::string& its) {
      now += its == job && down_.IsHidden(target, its) ? 1U : 0U;
    });
    // What was seen only since the target is down tells nothing of it.
    bool lost = known.empty() && now > 0 && now >= down_.UpOf(job);
    for (const auto& [target, what] : known) {
      if (part.times().HasSeen(target.target)) continue;
      lost = true;
      for (const auto& [node, fields] : what.nodes) missed.nodes[node] |= fields;
      Merge(what.metrics, missed.metrics);
    }
    if (lost) missed.targets.insert(targets.begin(), targets.end());
  }
}

template <class RowT>
void MissedTargets<RowT>::FindFailed(const std::string& exporter, const ExporterRows<RowT>& part,
                                     const TargetMemory* memory, Missed& missed) const {
  for (const auto& [target, name] : part.says_failed()) {
    if (part.times().HasSeen(target)) continue;  // what it still shows is stale, and counted
    missed.targets.insert(name);
    for (const auto& [node, fields] : Recall(kPart, {exporter, target}, memory)) {
      missed.nodes[node] |= fields;
    }
  }
}

// Its nodes of which no row is left. Processes end by themselves.
template <class RowT>
void MissedTargets<RowT>::FindSilent(const std::string& exporter, const ExporterRows<RowT>& part,
                                     const TargetMemory* memory, const std::vector<RowT>& rows,
                                     std::set<std::string>& silent) const {
  if (kIsProcess || memory == nullptr) return;
  const TargetMemory::Shown others = memory->RecallOthers(kPart, exporter, shown_);
  std::set<std::string_view> nodes;
  for (std::size_t i = 0; !others.empty() && i < rows.size(); ++i) {
    nodes.insert(rows[i].text(Text::kNode));
  }
  for (const auto& [target, what] : others) {
    if (!down_.IsUp(target.target) || part.says_failed().contains(target.target)) continue;
    for (const auto& [node, fields] : what.nodes) {
      if (!node.empty() && !nodes.contains(node)) silent.insert(node);
    }
  }
}

template <class RowT>
auto MissedTargets<RowT>::SetReasons(const TargetMemory::Nodes& nodes, NullReason reason,
                                     std::vector<RowT>& rows) -> Lacking {
  Lacking lacking;
  if (nodes.empty()) return lacking;
  for (RowT& row : rows) {
    auto& readings = row.readings;
    const auto its = nodes.find(row.text(Text::kNode));
    // Of rows without a node nobody knows whether they are the same machine's.
    if (its == nodes.end() || its->first.empty()) continue;
    Fields fields = its->second;
    const std::uint64_t bits = FieldsFor(row, fields);
    // What every row of the node had this one had too, whatever another exporter says of it.
    const std::uint64_t told = bits & ~LackingFor(row, fields);
    for (std::size_t slot = 0; slot < readings.size(); ++slot) {
      const NullReason now = readings.reason(slot);
      const std::uint64_t may = now == NullReason::kNotSupported ? told : bits;
      const bool lacks = now == NullReason::kNotExported || now == NullReason::kNotSupported;
      if ((may >> slot & 1U) == 0 || (!lacks && now != reason)) continue;
      lacking.count += lacks ? 1U : 0U;
      lacking.fields |= std::uint64_t{1} << slot;
      readings.SetAbsent(slot, reason);
    }
    for (std::size_t text = 0; text < row.texts.size(); ++text) {
      const std::uint64_t bit = bits & BitOf<RowT>(static_cast<Text>(text));
      if (reason == NullReason::kExporterDown && bit != 0 && row.texts[text].empty()) {
        row.texts_gone |= std::uint32_t{1} << text;
        lacking.fields |= bit;
      }
    }
  }
  return lacking;
}

template <class RowT>
void MissedTargets<RowT>::NoteLost(const std::string& exporter, const Missed& down,
                                   const Lacking& lacking, std::vector<models::LostField>& lost) {
  constexpr std::size_t kSlots = decltype(RowT::readings)::size();
  for (std::size_t bit = 0; bit < 64; ++bit) {
    if ((lacking.fields >> bit & 1U) == 0) continue;
    models::LostField field{exporter, "", bit >= kSlots, bit};
    if (field.is_text) {
      field.slot -= kSlots;
    } else if (bit < down.metrics.size()) {
      field.metric = down.metrics[bit];
    }
    lost.push_back(field);
  }
}

template <class RowT>
void MissedTargets<RowT>::Explain(Parts parts, const TargetMemory* memory, std::vector<RowT>& rows,
                                  std::set<std::string>& warnings,
                                  std::vector<models::LostField>& lost) {
  for (std::size_t e = 0; e < parts.size(); ++e) {
    const std::string& exporter = exporters_[e]->name;
    Missed down;
    if (!down_.empty()) {
      FindDown(exporter, *parts[e], memory, down);
      FindHidden(exporter, *parts[e], memory, down);
    }
    if (!down.targets.empty()) warnings.insert(DownWarning(exporter, down.targets));
    NoteLost(exporter, down, SetReasons(down.nodes, NullReason::kExporterDown, rows), lost);
    Missed failed;
    FindFailed(exporter, *parts[e], memory, failed);
    if (!failed.targets.empty()) warnings.insert(FailedWarning(exporter, failed.targets));
    stale_ += SetReasons(failed.nodes, NullReason::kStale, rows).count;
    std::set<std::string> silent;
    FindSilent(exporter, *parts[e], memory, rows, silent);
    if (!silent.empty()) warnings.insert(SilentWarning(exporter, silent));
    lost_rows_ |= !silent.empty();
  }
}

template class MissedTargets<models::GpuMetrics>;
template class MissedTargets<models::GpuProcess>;

}  // namespace gpumon::gpu
