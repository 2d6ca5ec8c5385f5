#include "internal/gpu/unit_evidence.h"

#include <algorithm>
#include <cmath>

namespace gpumon::gpu {
namespace {

constexpr double kHour = 3600;
constexpr double kDay = 86'400;

// What the targets of one job prove together.
struct JobProof {
  bool percent = false;
  bool ratio = false;
  bool in_doubt = false;  // they proved both lately, and one of them neither; or one of them both
};

}  // namespace

bool UnitEvidence::OfJob::IsMixed(double at) const {
  return std::abs(at - percent) <= kHour && std::abs(at - ratio) <= kHour;
}

auto UnitEvidence::Judge(std::string_view metric, const std::vector<Target>& targets, double at)
    -> Verdict {
  Verdict verdict;
  std::map<std::string, JobProof, std::less<>> jobs;
  for (const Target& target : targets) {
    JobProof& job = jobs[target.job];
    job.percent |= target.above_one;
    job.in_doubt |= target.above_one && target.fraction;  // one of them is impossible
    job.ratio |= target.fraction && !target.above_one;
  }
  const MutexLock lock(mutex_);
  OfMetric& its = metrics_[std::string(metric)];
  std::erase_if(its.targets, [at](const auto& one) { return one.second.at + kDay < at; });
  for (const auto& [name, job] : jobs) {
    if (job.percent) its.jobs[name].percent = std::max(its.jobs[name].percent, at);
    if (job.ratio) its.jobs[name].ratio = std::max(its.jobs[name].ratio, at);
  }
  for (const Target& target : targets) {
    bool& percent = verdict.percent[target.key];
    if (target.above_one || target.fraction) {
      percent = target.above_one;
      Proof& known = its.targets[target.key];
      if (at >= known.at) known = {percent, at};
    } else if (const auto proof = its.targets.find(target.key); proof != its.targets.end()) {
      percent = proof->second.percent;
    } else if (const auto job = its.jobs.find(target.job); job != its.jobs.end()) {
      const bool mixed = job->second.IsMixed(at);
      percent = mixed || job->second.IsPercent();
      jobs[target.job].in_doubt |= mixed;
    }
  }
  for (const auto& [name, job] : jobs) {
    verdict.mixed_jobs += (job.percent && job.ratio) || job.in_doubt ? 1U : 0U;
  }
  return verdict;
}

void UnitEvidence::Remember(std::string_view metric, const Shown& shown, double at) {
  std::vector<Target> before;
  std::vector<Target> since;
  before.reserve(shown.percent.size() + shown.fraction.size());
  for (const auto& [key, job] : shown.percent) {
    before.push_back({key, job, true, false});
    if (shown.turned.contains(key)) since.push_back({key, job, false, true});
  }
  for (const auto& [key, job] : shown.fraction) {
    if (!shown.percent.contains(key)) before.push_back({key, job, false, true});
  }
  Judge(metric, before, at);
  if (!since.empty()) Judge(metric, since, at + 1);
}

bool UnitEvidence::AnyIsPercent(std::string_view metric) const {
  const MutexLock lock(mutex_);
  const auto its = metrics_.find(metric);
  if (its == metrics_.end()) return false;
  for (const auto& [key, proof] : its->second.targets) {
    if (proof.percent) return true;
  }
  for (const auto& [name, job] : its->second.jobs) {
    if (job.IsPercent()) return true;
  }
  return false;
}

}  // namespace gpumon::gpu
