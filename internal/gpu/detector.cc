#include "internal/gpu/detector.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "internal/base/log.h"
#include "internal/gpu/contest.h"
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

// Targets that are down, with the nodes that they showed ten minutes or an hour ago.
std::string DownClause(const schema::Exporter& exporter) {
  std::string labels = "job,instance";
  for (const std::string& label : NodeLabels(exporter)) labels += ',' + label;
  return "group by(" + labels + ")(" +
         SelectorOfDetected(exporter, exporter.require, kMarks, " offset 10m") + " or " +
         SelectorOfDetected(exporter, exporter.require, kMarks, " offset 1h") +
         ") and on(job,instance) (up == 0)";
}

std::string_view NodeOf(const schema::Exporter& exporter, prom::LabelSet labels) {
  for (const std::string& label : NodeLabels(exporter)) {
    if (const auto node = prom::Get(labels, label); !node.empty()) return node;
  }
  return {};
}

}  // namespace

bool Detected::AsksOtherThan(const Detected& other) const {
  if (exporters != other.exporters || frozen != other.frozen || down != other.down) return true;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (subjects[i].without_node != other.subjects[i].without_node) return true;
  }
  return false;
}

std::string Detector::Query(const schema::Registry& registry) {
  std::string promql;
  for (const auto& exporter : registry.exporters()) {
    const auto add = [&](const std::string& clause, std::string_view is) {
      std::string labelled = "label_replace(" + clause + ",\"exporter\"," +
                             prom::Quote(exporter->name) + ",\"\",\"\")";
      if (!is.empty()) {
        labelled = "label_replace(" + labelled + ",\"is\"," + prom::Quote(is) + ",\"\",\"\")";
      }
      promql.append(promql.empty() ? "" : " or ").append(labelled);
    };
    add("group by(job)(" +
            SelectorOfDetected(*exporter, exporter->require, exporter->detect.size()) + ")",
        "");
    add("group by(job)(" + SelectorOfDetected(*exporter, WithoutNode(*exporter), kMarks) + ")",
        kWithoutNode);
    add(DownClause(*exporter), kDown);
    if (const std::string stuck = StuckQuery(*exporter); !stuck.empty()) add(stuck, kFrozen);
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

DetectedPtr Detector::Plan(Detected detected) const {
  if (detected.subjects.empty()) detected.subjects.push_back({registry_.Find(kFallback), {}});
  detected.exporters.clear();
  for (Subject& subject : detected.subjects) {
    subject.brings_times |= brings_times_.count(subject.exporter) > 0;
    detected.exporters.push_back(subject.exporter);
  }
  detected.frozen.resize(detected.subjects.size());
  detected.down.resize(detected.subjects.size());
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

DetectedPtr Detector::SawTimes(const Detected& detected,
                               const std::vector<std::size_t>& exporters) {
  const MutexLock lock(mutex_);
  for (const std::size_t exporter : exporters) {
    if (!brings_times_.insert(detected.exporters[exporter]).second) continue;
    log::Info("samples have time stamps of their own",
              {{"exporter", detected.exporters[exporter]->name}});
  }
  known_ = Plan(*known_);
  return Plan(detected);
}

Detected Detector::Read(const prom::InstantVector* found) const {
  Detected detected;
  for (const auto& exporter : registry_.exporters()) {
    Subject subject{exporter.get(), {}};
    std::set<std::size_t> frozen;
    DownTargets::Nodes down;
    std::set<std::string> jobs;
    bool is_there = false;
    for (std::size_t i = 0; found != nullptr && i < found->size(); ++i) {
      const prom::LabelSet labels = found->labels(i);
      if (prom::Get(labels, "exporter") != exporter->name) continue;
      const std::string_view is = prom::Get(labels, "is");
      if (is == kFrozen) {
        frozen.insert(Contest::TargetOf(labels));
        continue;
      }
      is_there = true;
      if (is == kDown) {
        const std::string_view node = NodeOf(*exporter, labels);
        if (!node.empty()) down[Contest::TargetOf(labels)].emplace(node);
      }
      subject.without_node |= is == kWithoutNode;
      if (const auto job = prom::Get(labels, "job"); !job.empty()) jobs.emplace(job);
    }
    if (!is_there) continue;
    subject.jobs.assign(jobs.begin(), jobs.end());
    detected.subjects.push_back(std::move(subject));
    detected.frozen.push_back(std::move(frozen));
    detected.down.push_back(std::move(down));
  }
  return detected;
}

void Detector::Ask(double time, Deadline deadline, std::function<void(Result<Detected>)> done) {
  client_.Query({query_, time}, deadline,
                [this, done = std::move(done)](const Result<prom::QueryResult>& answer) {
                  if (!answer) return done(Error(answer.error()));
                  done(Read(std::get_if<prom::InstantVector>(&answer->value)));
                });
}

// Exporters that are no longer found but remembered, in the registry's order among the others.
void Detector::KeepMissed(Detected& detected) const {
  if (targets_ == nullptr) return;
  Detected all;
  for (const auto& exporter : registry_.exporters()) {
    const auto take = [&](const Detected& from) {
      for (std::size_t i = 0; i < from.subjects.size(); ++i) {
        if (from.subjects[i].exporter != exporter.get()) continue;
        all.subjects.push_back(from.subjects[i]);
        all.frozen.push_back(from.frozen[i]);
        all.down.push_back(from.down[i]);
        return true;
      }
      return false;
    };
    if (!take(detected) && targets_->Knows(exporter->name)) take(*known_);
  }
  detected = std::move(all);
}

DetectedPtr Detector::Keep(Result<Detected> detected) {
  const MutexLock lock(mutex_);
  if (!detected) {
    in_vain_ = true;
    return nullptr;  // what was known stays
  }
  if (found_) KeepMissed(*detected);
  brings_times_.clear();  // perhaps it was one target that was being replaced
  DetectedPtr planned = Plan(*std::move(detected));
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
      if (looking_ || (found_ && clock_.Steady() < look_again_)) return false;
      looking_ = true;
      found = nullptr;
    }
  }
  if (!found) {
    Ask(time, deadline, [this](Result<Detected> detected) {
      Keep(std::move(detected));
      const MutexLock lock(mutex_);
      looking_ = false;
    });
    return false;
  }
  Ask(time, Share(deadline), [this, found = std::move(found)](Result<Detected> detected) {
    found(Keep(std::move(detected)));
  });
  return true;
}

void Detector::LookBack(double time, Deadline deadline, Found found) {
  Ask(time, Share(deadline), [this, found = std::move(found)](Result<Detected> detected) {
    DetectedPtr planned;
    if (detected) {
      const MutexLock lock(mutex_);
      planned = Plan(*std::move(detected));
    }
    found(std::move(planned));
  });
}

void Detector::SawNothing() {
  const MutexLock lock(mutex_);
  look_again_ = clock_.Steady();
}

}  // namespace gpumon::gpu
