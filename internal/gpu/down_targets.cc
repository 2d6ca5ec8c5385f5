#include "internal/gpu/down_targets.h"

#include <algorithm>

#include "internal/gpu/contest.h"

namespace gpumon::gpu {
namespace {

constexpr std::string_view kMissing = " down, what only it showed is missing (";

}  // namespace

std::string TargetName(prom::LabelSet labels) {
  return "job " + std::string(prom::Get(labels, "job")) + ", " +
         std::string(prom::Get(labels, "instance"));
}

std::string DownWarning(const std::string& exporter, const std::set<std::string>& names) {
  std::string warning = exporter + ": ";
  warning += names.size() == 1 ? "a scrape target is" : "scrape targets are";
  warning.append(kMissing).append(*names.begin());
  if (names.size() > 1) warning += " and " + std::to_string(names.size() - 1) + " more";
  return warning + ')';
}

bool IsDownWarning(std::string_view warning) {
  return warning.find(kMissing) != std::string_view::npos;
}

void DownTargets::Add(const prom::InstantVector& targets) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets.point(i).value != 0) continue;
    const prom::LabelSet labels = targets.labels(i);
    targets_.push_back({Contest::TargetOf(labels), TargetName(labels)});
  }
}

bool DownTargets::Has(std::size_t target) const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [target](const Target& one) { return one.key == target; });
}

auto DownTargets::MissedOf(const schema::Exporter& exporter, const TargetMemory* memory) const
    -> std::optional<Missed> {
  Missed missed;
  std::set<std::string> names;
  const auto past = past_.find(exporter.name);
  for (const Target& target : targets_) {
    TargetMemory::Memory its;
    if (memory != nullptr) its = memory->Recall(exporter.name, target.key);
    if (its.nodes.empty() && past != past_.end()) {
      const auto found = past->second.find(target.key);
      if (found != past->second.end()) its = found->second.what;
    }
    if (its.nodes.empty()) continue;
    missed.nodes.insert(its.nodes.begin(), its.nodes.end());
    missed.fields |= its.fields;
    names.insert(target.name);
  }
  if (names.empty()) return std::nullopt;
  missed.warning = DownWarning(exporter.name, names);
  return missed;
}

}  // namespace gpumon::gpu
