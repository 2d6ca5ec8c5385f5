// The refresh of the part kPods: one query, and no exporter that has to be found first.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "internal/gpu/collector.h"
#include "internal/gpu/pods.h"
#include "internal/gpu/refresh_texts.h"

namespace gpumon::gpu {
namespace {

using Collection = Result<std::shared_ptr<const models::Snapshot>>;

Result<std::shared_ptr<models::Snapshot>> MakeSnapshot(double time,
                                                       const Result<prom::QueryResult>& answer) {
  if (!answer) return Error(answer.error());
  const auto* const vector = std::get_if<prom::InstantVector>(&answer->value);
  if (vector == nullptr) {
    return Error(Code::kUpstreamInvalid,
                 "Prometheus answered a query for a vector with another type");
  }
  auto snapshot = std::make_shared<models::Snapshot>();
  snapshot->part = models::Part::kPods;
  snapshot->as_of = time;
  ReadPods(*vector, *snapshot);
  if (!snapshot->pods.empty()) snapshot->sources = {"kube_state_metrics"};
  const bool any_asks = std::any_of(snapshot->pods.begin(), snapshot->pods.end(),
                                    [](const models::Pod& pod) { return pod.asks_for_gpus(); });
  if (!any_asks && !answer->partial) {
    snapshot->warnings.emplace_back(
        "Prometheus has no pods that request GPUs at this instant: there are none, or "
        "kube-state-metrics is not scraped");
  }
  TakeWarnings(*answer, *snapshot);
  return snapshot;
}

}  // namespace

// Which pods exporters name is known when it is known who is there.
void Collector::CollectPods(const Set& set, Collected done) {
  const auto ask = [this, set, done = std::move(done)](const DetectedPtr& there) {
    AskForPods(set, PodsQuery(there->subjects), done);
  };
  const auto heard = [this, ask](Result<DetectedPtr> there) {
    ask(there ? *there : detector_.Known());
  };
  if (!detector_.Known()->assumed) return ask(detector_.Known());
  if (!set.present) return detector_.LookBack(set.time, set.deadline, heard);
  if (!detector_.LookBeside(set.time, set.deadline, heard)) ask(detector_.Known());
}

void Collector::AskForPods(const Set& set, std::string promql, Collected done) {
  const SteadyTime started = clock_.Steady();
  const auto answered = [this, started, set, done](const QueryBudget::Turn& turn,
                                                   const Result<prom::QueryResult>& answer) {
    const double seconds = std::chrono::duration<double>(clock_.Steady() - started).count();
    auto made = MakeSnapshot(set.time, answer);
    if (made && set.present) WarnOfClock(upstream_clock_.offset_seconds(), **made);
    Collection snapshot = std::move(made);
    const std::string_view result = snapshot ? "ok" : snapshot.error().wire_name();
    observer_.QueryDone(std::string(kPodsQueryName), result, seconds, answer ? answer->bytes : 0);
    observer_.RefreshDone(models::Part::kPods, result, seconds, snapshot ? (*snapshot)->rows() : 0);
    if (!snapshot) LogFailure(false, models::Part::kPods, kPodsQueryName, snapshot.error());
    budget_.Release(turn);
    done(std::move(snapshot));
  };
  // Of a past instant they are asked beside its GPUs, whose turn may leave no room for one more.
  budget_.Acquire(set.present ? 1 : 0, set.of, set.deadline,
                  [this, set, answered, promql = std::move(promql), done](auto turn) {
                    if (!turn) return done(Error(PastInstantsTakeTooLong()));
                    // Owners come beside what exporters measure: who asks for both waits less for
                    // these.
                    const Deadline soon(clock_.Steady() + set.deadline.Left(clock_) / 2);
                    client_.Query({promql, set.time}, soon, [answered, turn](const auto& answer) {
                      answered(*turn, answer);
                    });
                  });
}

}  // namespace gpumon::gpu
