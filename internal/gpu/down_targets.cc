#include "internal/gpu/down_targets.h"

#include "internal/gpu/contest.h"

namespace gpumon::gpu {
namespace {

constexpr std::string_view kMissing = " down, what only it showed is missing (";
constexpr std::string_view kSilent = " no longer shown, though the scrape target is up (";
constexpr std::string_view kFailed = " last collection failed, what only it showed is missing (";

std::string NamesOf(const std::set<std::string>& names) {
  std::string text = *names.begin();
  if (names.size() > 1) text += " and " + std::to_string(names.size() - 1) + " more";
  return text;
}

}  // namespace

std::string TargetName(prom::LabelSet labels) {
  return "job " + std::string(prom::Get(labels, "job")) + ", " +
         std::string(prom::Get(labels, "instance"));
}

std::string DownWarning(const std::string& exporter, const std::set<std::string>& names) {
  return exporter + (names.size() == 1 ? ": a scrape target is" : ": scrape targets are") +
         std::string(kMissing) + NamesOf(names) + ')';
}

std::string FailedWarning(const std::string& exporter, const std::set<std::string>& names) {
  return exporter +
         (names.size() == 1 ? ": a scrape target says that its"
                            : ": scrape targets say that their") +
         std::string(kFailed) + NamesOf(names) + ')';
}

std::string SilentWarning(const std::string& exporter, const std::set<std::string>& nodes) {
  return exporter + ": what it showed of " + (nodes.size() == 1 ? "a node is" : "some nodes is") +
         std::string(kSilent) + NamesOf(nodes) + ')';
}

bool IsSilentWarning(std::string_view warning) {
  return warning.find(kSilent) != std::string_view::npos;
}

bool IsFailedWarning(std::string_view warning) {
  return warning.find(kFailed) != std::string_view::npos;
}

bool IsDownWarning(std::string_view warning) {
  return warning.find(kMissing) != std::string_view::npos;
}

void DownTargets::Add(const prom::InstantVector& targets) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const prom::LabelSet labels = targets.labels(i);
    const std::size_t target = Contest::TargetOf(labels);
    const std::string_view job = prom::Get(labels, "job");
    auto its = ups_.find(job);
    if (its == ups_.end()) its = ups_.emplace(job, 0).first;
    if (targets.point(i).value != 0) {
      its->second += up_.insert(target).second ? 1U : 0U;
      continue;
    }
    zeros_.try_emplace(target, Target{TargetName(labels), std::string(job),
                                      std::string(prom::Get(labels, "instance"))});
  }
}

std::size_t DownTargets::UpOf(std::string_view job) const {
  const auto found = ups_.find(job);
  return found == ups_.end() ? 0 : found->second;
}

auto DownTargets::PastOf(const std::string& exporter, std::size_t target) const -> const Shown* {
  const auto past = past_.find(exporter);
  if (past == past_.end()) return nullptr;
  const auto found = past->second.find(target);
  return found == past->second.end() ? nullptr : &found->second;
}

}  // namespace gpumon::gpu
