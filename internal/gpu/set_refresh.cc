// The refresh of a part whose queries are the same for any cluster: nodes, tasks, alerts.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "internal/base/mutex.h"
#include "internal/gpu/collector.h"
#include "internal/gpu/refresh_texts.h"

namespace gpumon::gpu {

// What has come of one refresh.
class Collector::SetRefresh : public std::enable_shared_from_this<SetRefresh> {
 public:
  SetRefresh(Collector& collector, const Set& set, QuerySet queries, Collected done)
      : collector_(collector),
        set_(set),
        queries_(std::move(queries)),
        started_(collector.clock_.Steady()),
        done_(std::move(done)),
        left_(queries_.queries.size()),
        answers_(queries_.queries.size()) {}

  std::size_t size() const { return queries_.queries.size(); }

  void Ask(const QueryBudget::Turn& turn) {
    // Half of the time: who asks for GPUs too waits less for these.
    const Deadline soon(collector_.clock_.Steady() + set_.deadline.Left(collector_.clock_) / 2);
    for (std::size_t i = 0; i < size(); ++i) {
      collector_.client_.Query(
          {queries_.queries[i].second, set_.time}, soon,
          [self = shared_from_this(), turn, i](Result<prom::QueryResult> answer) {
            self->Answered(turn, i, std::move(answer));
          });
    }
  }
  void Refuse() { done_(Error(PastInstantsTakeTooLong())); }

 private:
  double Seconds() const {
    return std::chrono::duration<double>(collector_.clock_.Steady() - started_).count();
  }

  void Answered(const QueryBudget::Turn& turn, std::size_t i, Result<prom::QueryResult> answer) {
    if (answer && !std::holds_alternative<prom::InstantVector>(answer->value)) {
      answer = Error(Code::kUpstreamInvalid,
                     "Prometheus answered a query for a vector with another type");
    }
    collector_.observer_.QueryDone(std::string(queries_.queries[i].first),
                                   answer ? std::string_view("ok") : answer.error().wire_name(),
                                   Seconds(), answer ? answer->bytes : 0);
    bool last = false;
    {
      const MutexLock lock(mutex_);
      answers_[i] = std::move(answer);
      last = --left_ == 0;
    }
    if (turn.queries > 0) collector_.budget_.Release({1, turn.past});
    if (last) Finish();
  }

  void Finish() {
    auto snapshot = MakeSnapshot();
    collector_.observer_.RefreshDone(
        set_.part, snapshot ? std::string_view("ok") : snapshot.error().wire_name(), Seconds(),
        snapshot ? (*snapshot)->rows() : 0);
    done_(std::move(snapshot));
  }

  Result<models::SnapshotPtr> MakeSnapshot() {
    const MutexLock lock(mutex_);
    auto snapshot = std::make_shared<models::Snapshot>();
    snapshot->part = set_.part;
    snapshot->as_of = set_.time;
    QuerySet::Answers vectors(size(), nullptr);
    std::string failed;
    const Status* error = nullptr;
    for (std::size_t i = 0; i < size(); ++i) {
      const Result<prom::QueryResult>& answer = *answers_[i];
      if (answer) {
        vectors[i] = &std::get<prom::InstantVector>(answer->value);
        TakeWarnings(*answer, *snapshot);
        continue;
      }
      const std::string name(queries_.queries[i].first);
      failed.append(failed.empty() ? "" : ",").append(name);
      snapshot->warnings.push_back(name + ": query failed (" +
                                   std::string(answer.error().wire_name()) + ")");
      if (error == nullptr) error = &answer.error();
    }
    const bool none = std::all_of(vectors.begin(), vectors.end(),
                                  [](const auto* vector) { return vector == nullptr; });
    const bool lost = none || (queries_.needs_first && vectors[0] == nullptr);
    if (error != nullptr) LogFailure(!lost, set_.part, failed, *error);
    if (lost) return Error(*error);
    snapshot->partial |= error != nullptr;
    queries_.read(vectors, *snapshot);
    if (set_.present) WarnOfClock(collector_.upstream_clock_.offset_seconds(), *snapshot);
    return models::SnapshotPtr(std::move(snapshot));
  }

  Collector& collector_;
  const Set set_;
  const QuerySet queries_;
  const SteadyTime started_;
  const Collected done_;

  Mutex mutex_;
  std::size_t left_ GUARDED_BY(mutex_);
  std::vector<std::optional<Result<prom::QueryResult>>> answers_ GUARDED_BY(mutex_);
};

void Collector::CollectSet(const Set& set, QuerySet queries, Collected done) {
  const auto refresh =
      std::make_shared<SetRefresh>(*this, set, std::move(queries), std::move(done));
  // Of a past instant they are asked beside its GPUs, whose turn may leave no room for more.
  budget_.Acquire(set.present ? refresh->size() : 0, set.of, set.deadline, [refresh](auto turn) {
    if (turn) {
      refresh->Ask(*turn);
    } else {
      refresh->Refuse();
    }
  });
}

}  // namespace gpumon::gpu
