#include "internal/gpu/detector.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "internal/base/log.h"
#include "internal/gpu/contest.h"
#include "internal/gpu/row_times.h"
#include "internal/gpu/target_checks.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

constexpr std::string_view kFallback = "nvidia_gpu";
constexpr std::string_view kWithoutNode = "without_node";
constexpr std::string_view kFrozen = "frozen";
constexpr std::string_view kDown = "down";

std::string NamesOf(const std::vector<const schema::Exporter*>& exporters) {
  std::string names;
  for (const auto* exporter : exporters)
    names.append(names.empty() ? "" : ",").append(exporter->name);
  return names;
}

const std::vector<std::string>& NodeLabels(const schema::Exporter& exporter) {
  static const std::vector<std::string> kNone;
  for (const auto& [text, aliases] : exporter.labels.texts) {
    if (text == models::Text::kNode) return aliases;
  }
  return kNone;
}

// What its series are, and that no label of them names a node.
std::vector<schema::Condition> WithoutNode(const schema::Exporter& exporter) {
  std::vector<schema::Condition> conditions = exporter.require;
  for (const std::string& label : NodeLabels(exporter)) {
    conditions.push_back({label, schema::Condition::Is::kAbsent, {}});
  }
  return conditions;
}

std::string Labelled(const std::string& vector, std::string_view label, std::string_view value) {
  return "label_replace(" + vector + ',' + prom::Quote(label) + ',' + prom::Quote(value) +
         R"(,"",""))";
}

// `or`, between all of them.
void AppendTo(std::string& promql, const std::string& vector) {
  promql.append(promql.empty() ? "" : " or ").append(vector);
}

// `label=~"a|b"`.
std::string AnyOf(std::string_view label, const std::set<std::string>& values) {
  std::string any;
  for (const std::string& value : values) {
    any.append(any.empty() ? "" : "|").append(prom::EscapeRegex(value));
  }
  return std::string(label) + "=~" + prom::Quote(any);
}

std::string_view NodeOf(const schema::Exporter& exporter, prom::LabelSet labels) {
  for (const std::string& label : NodeLabels(exporter)) {
    if (const auto node = prom::Get(labels, label); !node.empty()) return node;
  }
  return {};
}

}  // namespace

bool Detected::AsksOtherThan(const Detected& other) const {
  return !std::equal(subjects.begin(), subjects.end(), other.subjects.begin(), other.subjects.end(),
                     [](const Subject& a, const Subject& b) { return !a.AnswersOtherThan(b); });
}

std::string Detector::Query(const schema::Registry& registry) {
  std::string promql;
  for (const auto& exporter : registry.exporters()) {
    const auto add = [&](const std::string& vector, std::string_view is) {
      const std::string its = Labelled(vector, "exporter", exporter->name);
      AppendTo(promql, is.empty() ? its : Labelled(its, "is", is));
    };
    add("group by(job)(" +
            SelectorOfDetected(*exporter, exporter->require, exporter->detect.size()) + ")",
        "");
    add("group by(job)(" + SelectorOfDetected(*exporter, WithoutNode(*exporter), kMarks) + ")",
        kWithoutNode);
    if (const std::string stuck = StuckQuery(*exporter); !stuck.empty()) add(stuck, kFrozen);
  }
  AppendTo(promql, Labelled("group by(job,instance)(up == 0)", "is", kDown));
  return promql;
}

std::string Detector::PastQuery(const schema::Registry& registry,
                                const prom::InstantVector& found) {
  // More are found by their jobs alone.
  constexpr std::size_t kNamedTargets = 100;
  std::set<std::string> jobs;
  std::set<std::string> instances;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (prom::Get(found.labels(i), "is") != kDown) continue;
    jobs.emplace(prom::Get(found.labels(i), "job"));
    instances.emplace(prom::Get(found.labels(i), "instance"));
  }
  if (jobs.empty()) return "";
  std::string targets = AnyOf("job", jobs);
  if (instances.size() <= kNamedTargets) targets += ',' + AnyOf("instance", instances);
  std::string promql;
  for (const auto& exporter : registry.exporters()) {
    std::string labels = "job,instance";
    for (const std::string& label : NodeLabels(*exporter)) labels += ',' + label;
    AppendTo(promql, Labelled("group by(" + labels + ")(" + SelectorOfPast(*exporter, targets) +
                                  ") and on(job,instance) (up == 0)",
                              "exporter", exporter->name));
  }
  return promql;
}

Detector::Detector(prom::Client& client, const Clock& clock, const schema::Registry& registry,
                   const TargetMemory* targets, DetectorOptions options)
    : client_(client),
      clock_(clock),
      registry_(registry),
      targets_(targets),
      options_(options),
      query_(Query(registry)) {
  const MutexLock lock(mutex_);
  known_ = Plan({});
}

DetectedPtr Detector::Plan(std::vector<Subject> subjects) const {
  Detected detected;
  detected.subjects = std::move(subjects);
  if (detected.subjects.empty()) {
    detected.subjects.emplace_back().exporter = registry_.Find(kFallback);
  }
  for (Subject& subject : detected.subjects) {
    subject.brings_times = brings_times_.count(subject.exporter) > 0;
    detected.exporters.push_back(subject.exporter);
  }
  detected.gpu_plan = PlanQueries(detected.subjects, models::Part::kGpus);
  detected.process_plan = PlanQueries(detected.subjects, models::Part::kProcesses);
  return std::make_shared<const Detected>(std::move(detected));
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
  known_ = Plan(known_->subjects);
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
    if (subject.jobs.empty()) continue;  // each series is asked for its time anyway
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

std::vector<Subject> Detector::Read(const prom::InstantVector& found,
                                    const prom::InstantVector& past) const {
  std::vector<Subject> subjects;
  for (const auto& exporter : registry_.exporters()) {
    Subject subject;
    subject.exporter = exporter.get();
    std::set<std::string> jobs;
    // Calls `use` with the labels of its samples.
    const auto each = [&](const prom::InstantVector& vector, const auto& use) {
      for (std::size_t i = 0; i < vector.size(); ++i) {
        if (prom::Get(vector.labels(i), "exporter") == exporter->name) use(vector.labels(i));
      }
    };
    bool is_there = false;
    const auto seen = [&](prom::LabelSet labels) {
      is_there = true;
      if (const auto job = prom::Get(labels, "job"); !job.empty()) jobs.emplace(job);
    };
    each(found, [&](prom::LabelSet labels) {
      const std::string_view is = prom::Get(labels, "is");
      if (is == kFrozen) {
        subject.frozen.insert(Contest::TargetOf(labels));
        return;
      }
      seen(labels);
      subject.without_node |= is == kWithoutNode;
    });
    each(past, [&](prom::LabelSet labels) {
      seen(labels);
      const std::string_view node = NodeOf(*exporter, labels);
      if (!node.empty()) subject.down[Contest::TargetOf(labels)].emplace(node);
    });
    if (!is_there) continue;
    subject.jobs.assign(jobs.begin(), jobs.end());
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

void Detector::Ask(double time, Deadline deadline, Answer done) {
  client_.Query({query_, time}, deadline,
                [this, time, deadline, done = std::move(done)](Result<prom::QueryResult> answer) {
                  if (!answer) return done(Error(answer.error()));
                  auto found = std::make_shared<prom::InstantVector>();
                  if (auto* vector = std::get_if<prom::InstantVector>(&answer->value)) {
                    *found = std::move(*vector);
                  }
                  AskPast(time, deadline, std::move(found), done);
                });
}

// Without an answer nothing is known of the past, and what is there now is.
void Detector::AskPast(double time, Deadline deadline,
                       std::shared_ptr<const prom::InstantVector> found, Answer done) {
  std::string promql = PastQuery(registry_, *found);
  if (promql.empty()) return done(Read(*found, {}));
  client_.Query({std::move(promql), time}, deadline,
                [this, found = std::move(found),
                 done = std::move(done)](const Result<prom::QueryResult>& answer) {
                  const auto* const past =
                      answer ? std::get_if<prom::InstantVector>(&answer->value) : nullptr;
                  done(Read(*found, past != nullptr ? *past : prom::InstantVector()));
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

DetectedPtr Detector::Keep(Result<std::vector<Subject>> subjects) {
  const MutexLock lock(mutex_);
  if (!subjects) {
    in_vain_ = true;
    return nullptr;  // what was known stays
  }
  if (found_) KeepMissed(*subjects);
  DetectedPtr planned = Plan(*std::move(subjects));
  if (!found_ || known_->exporters != planned->exporters) {
    log::Info("exporters to ask", {{"exporters", NamesOf(planned->exporters)}});
  }
  known_ = planned;
  found_ = true;
  look_again_ = clock_.Steady() + options_.refresh;
  return planned;
}

DetectedPtr Detector::Known() const {
  const MutexLock lock(mutex_);
  return known_;
}

Deadline Detector::Share(Deadline deadline) const {
  return Deadline(clock_.Steady() + deadline.Left(clock_) / 4);
}

bool Detector::LookBeside(double time, Deadline deadline, Found found) {
  {
    const MutexLock lock(mutex_);
    const bool waits = !found_ && !in_vain_;
    if (!waits) {
      if (looking_ || (found_ && !saw_nothing_ && clock_.Steady() < look_again_)) return false;
      looking_ = true;
      found = nullptr;
    }
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
      [this, time, deadline, found = std::move(found)](Result<std::vector<Subject>> subjects) {
        found(Keep(std::move(subjects)));
        CheckTimes(time, deadline);
      });
  return true;
}

void Detector::LookBack(double time, Deadline deadline, Found found) {
  Ask(time, Share(deadline),
      [this, found = std::move(found)](Result<std::vector<Subject>> subjects) {
        DetectedPtr planned;
        if (subjects) {
          const MutexLock lock(mutex_);
          planned = Plan(*std::move(subjects));
        }
        found(std::move(planned));
      });
}

void Detector::Saw(std::size_t gpus) {
  const MutexLock lock(mutex_);
  saw_nothing_ = gpus == 0;
}

}  // namespace gpumon::gpu
