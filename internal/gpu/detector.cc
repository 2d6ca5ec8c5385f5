#include "internal/gpu/detector.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "internal/base/log.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

constexpr std::string_view kFallback = "nvidia_gpu";

std::string NamesOf(const std::vector<const schema::Exporter*>& exporters) {
  std::string names;
  for (const auto* exporter : exporters)
    names.append(names.empty() ? "" : ",").append(exporter->name);
  return names;
}

}  // namespace

std::string Detector::Query(const schema::Registry& registry) {
  std::string promql;
  for (const auto& exporter : registry.exporters()) {
    std::vector<std::string> names;
    for (const auto& name : exporter->detect) {
      for (const auto& prefix : exporter->prefixes) names.push_back(prefix + name);
    }
    promql.append(promql.empty() ? "" : " or ")
        .append("label_replace(group(")
        .append(SelectorOfAny(names, exporter->require))
        .append("),\"exporter\",")
        .append(prom::Quote(exporter->name))
        .append(",\"\",\"\")");
  }
  return promql;
}

Detector::Detector(prom::Client& client, const Clock& clock, const schema::Registry& registry,
                   DetectorOptions options)
    : client_(client),
      clock_(clock),
      registry_(registry),
      options_(options),
      query_(Query(registry)),
      known_(Plan({registry.Find(kFallback)})) {}

DetectedPtr Detector::Plan(std::vector<const schema::Exporter*> exporters) const {
  auto detected = std::make_shared<Detected>();
  detected->gpu_plan = PlanQueries(exporters, models::Part::kGpus);
  detected->process_plan = PlanQueries(exporters, models::Part::kProcesses);
  detected->exporters = std::move(exporters);
  return detected;
}

void Detector::Ask(double time, Deadline deadline, std::function<void(Result<DetectedPtr>)> done) {
  client_.Query({query_, time}, deadline,
                [this, done = std::move(done)](Result<prom::QueryResult> answer) {
                  if (!answer) return done(Error(answer.error()));
                  const auto* const vector = std::get_if<prom::InstantVector>(&answer->value);
                  std::vector<const schema::Exporter*> exporters;
                  for (const auto& exporter : registry_.exporters()) {
                    for (std::size_t i = 0; vector != nullptr && i < vector->size(); ++i) {
                      if (prom::Get(vector->labels(i), "exporter") == exporter->name) {
                        exporters.push_back(exporter.get());
                        break;
                      }
                    }
                  }
                  if (exporters.empty()) exporters = {registry_.Find(kFallback)};
                  done(Plan(std::move(exporters)));
                });
}

void Detector::Keep(const Result<DetectedPtr>& detected) {
  const MutexLock lock(mutex_);
  if (!detected) {
    in_vain_ = true;
    return;  // what was known stays
  }
  if (!found_ || known_->exporters != (*detected)->exporters) {
    log::Info("exporters to ask", {{"exporters", NamesOf((*detected)->exporters)}});
    known_ = *detected;
  }
  found_ = true;
  look_again_ = clock_.Steady() + options_.refresh;
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
    Ask(time, deadline, [this](const Result<DetectedPtr>& detected) {
      Keep(detected);
      const MutexLock lock(mutex_);
      looking_ = false;
    });
    return false;
  }
  Ask(time, Share(deadline), [this, found = std::move(found)](const Result<DetectedPtr>& detected) {
    Keep(detected);
    found(detected ? *detected : nullptr);
  });
  return true;
}

void Detector::LookBack(double time, Deadline deadline, Found found) {
  Ask(time, Share(deadline), [found = std::move(found)](const Result<DetectedPtr>& detected) {
    found(detected ? *detected : nullptr);
  });
}

void Detector::SawNothing() {
  const MutexLock lock(mutex_);
  look_again_ = clock_.Steady();
}

}  // namespace gpumon::gpu
