#include "internal/gpu/explainer.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "internal/base/log.h"
#include "internal/base/mutex.h"
#include "internal/gpu/down_targets.h"
#include "internal/gpu/sample_log.h"
#include "internal/gpu/target_checks.h"

namespace gpumon::gpu {
// One request: the replay and the checks beside it.
class Explainer::Case : public std::enable_shared_from_this<Explainer::Case> {
 public:
  Case(Explainer& explainer, std::shared_ptr<SampleLog> log, Explained done)
      : explainer_(explainer),
        log_(std::move(log)),
        detected_(explainer.collector_.detected()),
        done_(std::move(done)) {}

  void Ask(double time, Deadline deadline) {
    struct Check {
      std::string promql;
      std::string what;
    };
    std::vector<Check> checks;
    for (const schema::Exporter* exporter : detected_->exporters) {
      checks.push_back({FrozenQuery(*exporter), "whether " + exporter->name + " is frozen"});
    }
    std::erase_if(checks, [](const Check& check) { return check.promql.empty(); });
    {
      const MutexLock lock(mutex_);
      left_ = checks.size() + 1;
    }
    const auto self = shared_from_this();
    for (const Check& check : checks) {
      explainer_.client_.Query(
          {check.promql, time}, deadline,
          [self, what = check.what](auto answer) { self->Checked(what, std::move(answer)); });
    }
    explainer_.collector_.Replay(time, deadline, log_,
                                 [self](auto result) { self->Replayed(std::move(result)); });
  }

 private:
  void Checked(const std::string& what, const Result<prom::QueryResult>& answer) {
    {
      const MutexLock lock(mutex_);
      const auto* const vector =
          answer ? std::get_if<prom::InstantVector>(&answer->value) : nullptr;
      if (vector == nullptr) {
        checks_.failed_checks.push_back(what);
        log::Warning("a check of the join doctor failed",
                     {{"check", what}, {"error", answer ? "wrong type" : answer.error().message}});
      } else {
        for (std::size_t i = 0; i < vector->size(); ++i) {
          checks_.frozen.push_back(TargetName(vector->labels(i)));
        }
      }
    }
    EndOne();
  }

  void Replayed(Result<SnapshotPtr> result) {
    {
      const MutexLock lock(mutex_);
      replayed_ = std::move(result);
    }
    EndOne();
  }

  void EndOne() {
    {
      const MutexLock lock(mutex_);
      if (--left_ > 0) return;
    }
    Conclude();
  }

  // What the look for exporters has found out.
  void TellOfTargets(JoinFacts& facts) const {
    std::set<std::string> down;  // one target may show two exporters
    std::set<std::string> stuck;
    for (const Subject& subject : detected_->subjects) {
      for (const auto& [target, shown] : subject.down) down.insert(shown.name);
      for (const auto& [target, name] : subject.frozen) stuck.insert(name);
    }
    facts.down.assign(down.begin(), down.end());
    facts.stuck.assign(stuck.begin(), stuck.end());
  }

  // Nobody else is left.
  void Conclude() {
    Result<models::Explanation> result = Error(Code::kInternal, "the replay gave nothing");
    {
      const MutexLock lock(mutex_);
      if (!*replayed_) {
        result = Error(replayed_->error());
      } else {
        JoinFacts facts = log_->TakeFacts();
        facts.frozen = std::move(checks_.frozen);
        TellOfTargets(facts);
        facts.failed_checks = std::move(checks_.failed_checks);
        result = log_->Explain(**replayed_);
        result->findings = FindAll(facts, ***replayed_, detected_->exporters);
      }
    }
    explainer_.busy_ = false;
    done_(std::move(result));
  }

  Explainer& explainer_;
  const std::shared_ptr<SampleLog> log_;
  const DetectedPtr detected_;
  const Explained done_;
  Mutex mutex_;
  std::size_t left_ GUARDED_BY(mutex_) = 0;
  JoinFacts checks_ GUARDED_BY(mutex_);
  std::optional<Result<SnapshotPtr>> replayed_ GUARDED_BY(mutex_);
};

void Explainer::Explain(const GpuName& name, const SnapshotPtr& snapshot, Deadline deadline,
                        Explained done) {
  std::vector<const models::GpuMetrics*> known;
  for (const models::GpuMetrics& row : snapshot->gpus) {
    if (name.Names(row)) known.push_back(&row);
  }
  if (known.empty()) {
    return done(Error(Code::kNotFound,
                      "there is no such GPU now; GET /api/v1/gpu/metrics lists node_name, gpu_id "
                      "and uuid of all"));
  }
  if (busy_.exchange(true)) {
    return done(Error(Status{Code::kTooManyRequests,
                             "another GPU's row is being explained; ask again in a second",
                             {},
                             1}));
  }
  const auto one =
      std::make_shared<Case>(*this, std::make_shared<SampleLog>(name, known), std::move(done));
  one->Ask(snapshot->as_of, deadline);
}

}  // namespace gpumon::gpu
