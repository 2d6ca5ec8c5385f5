#include "internal/gpu/unit_evidence.h"

namespace gpumon::gpu {
namespace {

constexpr double kDay = 86'400;

// What the targets of one job prove together.
struct JobProof {
  bool percent = false;
  bool ratio = false;
};

}  // namespace

auto UnitEvidence::Judge(std::string_view metric, const std::vector<Target>& targets, double at)
    -> Verdict {
  Verdict verdict;
  std::map<std::string, JobProof, std::less<>> jobs;
  for (const Target& target : targets) {
    JobProof& job = jobs[target.job];
    job.percent |= target.above_one;
    job.ratio |= target.fraction && !target.above_one;
  }
  const auto learn = [at](Proof& known, bool percent) {
    if (at >= known.at) known = {percent, at};
  };
  const MutexLock lock(mutex_);
  OfMetric& its = metrics_[std::string(metric)];
  std::erase_if(its.targets, [at](const auto& one) { return one.second.at + kDay < at; });
  for (const auto& [name, job] : jobs) {
    if (job.percent || job.ratio) learn(its.jobs[name], job.percent);
    verdict.mixed_jobs += job.percent && job.ratio ? 1U : 0U;
  }
  for (const Target& target : targets) {
    bool& percent = verdict.percent[target.key];
    if (target.above_one || target.fraction) {
      percent = target.above_one;
      learn(its.targets[target.key], percent);
      continue;
    }
    const JobProof& job = jobs[target.job];
    const auto of_target = its.targets.find(target.key);
    const auto of_job = its.jobs.find(target.job);
    if (of_target != its.targets.end()) {
      percent = of_target->second.percent;
    } else if (job.percent || job.ratio) {
      percent = job.percent;
    } else {
      percent = of_job != its.jobs.end() && of_job->second.percent;
    }
  }
  return verdict;
}

void UnitEvidence::Remember(std::string_view metric,
                            const std::map<std::size_t, std::string>& percent, double at) {
  std::vector<Target> targets;
  targets.reserve(percent.size());
  for (const auto& [key, job] : percent) targets.push_back({key, job, true, false});
  Judge(metric, targets, at);
}

bool UnitEvidence::AnyIsPercent(std::string_view metric) const {
  const MutexLock lock(mutex_);
  const auto its = metrics_.find(metric);
  if (its == metrics_.end()) return false;
  for (const auto& [key, proof] : its->second.targets) {
    if (proof.percent) return true;
  }
  for (const auto& [job, proof] : its->second.jobs) {
    if (proof.percent) return true;
  }
  return false;
}

}  // namespace gpumon::gpu
