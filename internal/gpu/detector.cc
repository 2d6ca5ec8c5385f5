#include "internal/gpu/detector.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "internal/base/log.h"
#include "internal/gpu/look.h"
#include "internal/gpu/row_times.h"

namespace gpumon::gpu {
namespace {

// Of one exporter: enough for every cluster, and a bound.
constexpr std::size_t kMostSeenJobs = 1000;
constexpr std::string_view kFallback = "nvidia_gpu";

std::string NamesOf(const std::vector<const schema::Exporter*>& exporters) {
  std::string names;
  for (const auto* exporter : exporters)
    names.append(names.empty() ? "" : ",").append(exporter->name);
  return names;
}

}  // namespace

bool Detected::AsksOtherThan(const Detected& other) const {
  return !std::equal(subjects.begin(), subjects.end(), other.subjects.begin(), other.subjects.end(),
                     [](const Subject& a, const Subject& b) { return !a.AnswersOtherThan(b); });
}

Detector::Detector(prom::Client& client, const Clock& clock, const schema::Registry& registry,
                   const TargetMemory* targets, DetectorOptions options)
    : client_(client),
      clock_(clock),
      registry_(registry),
      targets_(targets),
      long_query_(client),
      options_(options),
      query_(LookQuery(registry)) {
  const MutexLock lock(mutex_);
  auto assumed = std::make_shared<Detected>(*Plan({}));
  assumed->assumed = true;
  known_ = std::move(assumed);
}

DetectedPtr Detector::Plan(std::vector<Subject> subjects) const {
  Detected detected;
  detected.subjects = std::move(subjects);
  if (detected.subjects.empty()) {
    detected.subjects.emplace_back().exporter = registry_.Find(kFallback);
  }
  for (Subject& subject : detected.subjects) {
    subject.brings_times = brings_times_.count(subject.exporter) > 0;
    AddJobs(subject);
    detected.exporters.push_back(subject.exporter);
  }
  detected.gpu_plan = PlanQueries(detected.subjects, models::Part::kGpus);
  detected.process_plan = PlanQueries(detected.subjects, models::Part::kProcesses);
  return std::make_shared<const Detected>(std::move(detected));
}

// What is learnt of exporters that are only assumed tells nobody who is there.
void Detector::PlanAnew() {
  auto planned = std::make_shared<Detected>(*Plan(known_->subjects));
  planned->assumed = known_->assumed;
  planned->why = known_->why;
  known_ = std::move(planned);
}

// Of one whose jobs are not known all are asked about.
void Detector::AddJobs(Subject& subject) const {
  const auto seen = seen_jobs_.find(subject.exporter);
  if (subject.jobs.empty() || seen == seen_jobs_.end()) return;
  std::set<std::string> all(subject.jobs.begin(), subject.jobs.end());
  all.insert(seen->second.begin(), seen->second.end());
  subject.jobs.assign(all.begin(), all.end());
}

DetectedPtr Detector::WithSeriesTimes(const Detected& detected) {
  Detected its = detected;
  for (Subject& subject : its.subjects) subject.brings_times = true;
  its.gpu_plan = PlanQueries(its.subjects, models::Part::kGpus);
  its.process_plan = PlanQueries(its.subjects, models::Part::kProcesses);
  return std::make_shared<const Detected>(std::move(its));
}

void Detector::SawTimes(const Detected& detected, const std::vector<std::size_t>& exporters) {
  for (const std::size_t exporter : exporters) SetBringsTimes(detected.exporters[exporter], true);
}

void Detector::SetBringsTimes(const schema::Exporter* exporter, bool brings) {
  const MutexLock lock(mutex_);
  const bool changed =
      brings ? brings_times_.insert(exporter).second : brings_times_.erase(exporter) > 0;
  if (!changed) return;
  log::Info(brings ? "samples have time stamps of their own" : "samples have their scrapes' times",
            {{"exporter", exporter->name}});
  PlanAnew();
}

void Detector::CheckTimes(double time, Deadline deadline) {
  DetectedPtr known;
  {
    const MutexLock lock(mutex_);
    if (!found_ || clock_.Steady() < check_again_) return;
    check_again_ = clock_.Steady() + options_.check_times;
    known = known_;
  }
  for (const Subject& subject : known->subjects) {
    if (subject.jobs.empty()) continue;
    client_.Query({AllTimesQuery(subject), time}, deadline,
                  [this, time, exporter = subject.exporter](Result<prom::QueryResult> answer) {
                    const auto* const shown =
                        answer ? std::get_if<prom::InstantVector>(&answer->value) : nullptr;
                    if (shown == nullptr) return;
                    RowTimes times;
                    times.SetAsOf(time);
                    times.AddTargetTimes(*shown);
                    SetBringsTimes(exporter, times.BringsItsOwn());
                  });
  }
}

void Detector::Ask(double time, Deadline deadline, Answer done) {
  long_query_.Ask(
      {query_, time}, deadline,
      [this, time, deadline, done = std::move(done)](Result<prom::InstantVector> vector) {
        if (!vector) return done(Error(std::move(vector.error())));
        AskAgain(time, deadline, std::make_shared<prom::InstantVector>(*std::move(vector)), done);
      });
}

// Without an answer to that only less is known.
void Detector::AskAgain(double time, Deadline deadline,
                        std::shared_ptr<const prom::InstantVector> found, Answer done) {
  const std::string promql = SecondLookQuery(registry_, *found);
  if (promql.empty()) {
    const prom::InstantVector nothing;
    return done(ReadLook(registry_, *found, &nothing));
  }
  long_query_.Ask({promql, time}, deadline,
                  [this, found = std::move(found),
                   done = std::move(done)](const Result<prom::InstantVector>& second) {
                    done(ReadLook(registry_, *found, second ? &*second : nullptr));
                  });
}

// Exporters that are no longer found but remembered, in the registry's order among the others.
void Detector::KeepMissed(std::vector<Subject>& subjects) const {
  if (targets_ == nullptr) return;
  std::vector<Subject> all;
  for (const auto& exporter : registry_.exporters()) {
    const auto take = [&](const std::vector<Subject>& from) {
      const auto its = std::find_if(from.begin(), from.end(), [&](const Subject& subject) {
        return subject.exporter == exporter.get();
      });
      if (its == from.end()) return false;
      all.push_back(*its);
      return true;
    };
    if (!take(subjects) && targets_->Knows(exporter->name)) take(known_->subjects);
  }
  subjects = std::move(all);
}

Result<DetectedPtr> Detector::Keep(Result<std::vector<Subject>> subjects) {
  const MutexLock lock(mutex_);
  if (!subjects) {
    // What fails at once costs the next one no wait.
    in_vain_ = subjects.error().code == Code::kUpstreamTimeout;
    if (known_->assumed) {
      auto doubted = std::make_shared<Detected>(*known_);
      doubted->why = subjects.error().wire_name();
      known_ = std::move(doubted);
    }
    return Error(subjects.error());  // what was known stays
  }
  if (found_) KeepMissed(*subjects);
  DetectedPtr planned = Plan(*std::move(subjects));
  if (!found_ || known_->exporters != planned->exporters) {
    log::Info("exporters to ask", {{"exporters", NamesOf(planned->exporters)}});
  }
  known_ = planned;
  found_ = true;
  looked_ = clock_.Steady();
  look_again_ = looked_ + options_.refresh;
  return planned;
}

DetectedPtr Detector::Known() const {
  const MutexLock lock(mutex_);
  return known_;
}

Deadline Detector::Share(Deadline deadline) const {
  return Deadline(clock_.Steady() + deadline.Left(clock_) / 2);
}

bool Detector::LookBeside(double time, Deadline deadline, Found found) {
  {
    const MutexLock lock(mutex_);
    // Nobody asked for so long that what is known may be of another day.
    const bool overdue = found_ && clock_.Steady() >= look_again_ + options_.refresh;
    const bool waits = !in_vain_ && (overdue ? !looking_ : !found_);
    if (!waits) {
      if (looking_ || (found_ && !saw_nothing_ && clock_.Steady() < look_again_)) return false;
      found = nullptr;
    }
    const SteadyTime now = clock_.Steady();
    if (found_ && now < looked_ + options_.refresh) hurried_ = now;
    looking_ |= found_ || !waits;
    saw_nothing_ = false;
  }
  if (!found) {
    Ask(time, deadline, [this, time, deadline](Result<std::vector<Subject>> subjects) {
      Keep(std::move(subjects));
      CheckTimes(time, deadline);
      const MutexLock lock(mutex_);
      looking_ = false;
    });
    return false;
  }
  Ask(time, Share(deadline),
      [this, found = std::move(found)](Result<std::vector<Subject>> subjects) {
        auto kept = Keep(std::move(subjects));
        {
          const MutexLock lock(mutex_);
          looking_ = false;
          if (!kept && found_) kept = known_;  // then that has to do
        }
        found(std::move(kept));
      });
  return true;
}

void Detector::LookBack(double time, Deadline deadline, Found found) {
  Ask(time, Share(deadline),
      [this, found = std::move(found)](Result<std::vector<Subject>> subjects) {
        if (!subjects) return found(Error(subjects.error()));
        DetectedPtr planned;
        {
          const MutexLock lock(mutex_);
          planned = Plan(*std::move(subjects));
        }
        found(std::move(planned));
      });
}

void Detector::SawJobs(const Detected& detected, const std::vector<std::set<std::string>>& jobs) {
  const MutexLock lock(mutex_);
  bool any = false;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    auto& seen = seen_jobs_[detected.exporters[i]];
    for (const std::string& job : jobs[i]) {
      if (seen.size() < kMostSeenJobs) any |= seen.insert(job).second;
    }
  }
  if (!any) return;
  PlanAnew();
  if (found_) look_again_ = std::min(look_again_, looked_ + options_.soon);
}

void Detector::Saw(std::size_t gpus) {
  const MutexLock lock(mutex_);
  saw_nothing_ = gpus == 0;
  if (gpus < saw_) Hurry();
  saw_ = gpus;
}

void Detector::LookSoon() {
  const MutexLock lock(mutex_);
  Hurry();
}

// Those that are missing may be shown by another exporter now, or as soon as that one is scraped.
void Detector::Hurry() {
  if (!found_) return;
  const SteadyTime now = clock_.Steady();
  look_again_ = std::min(look_again_, hurried_ ? std::max(now, *hurried_ + options_.soon) : now);
}

}  // namespace gpumon::gpu
