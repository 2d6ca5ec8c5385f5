#include "internal/gpu/collector.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "internal/base/mutex.h"
#include "internal/gpu/join.h"
#include "internal/gpu/metric_index.h"
#include "internal/gpu/refresh_texts.h"

namespace gpumon::gpu {
namespace {

using models::Part;
constexpr double kHour = 3600;

double SecondsSince(SteadyTime start, const Clock& clock) {
  return std::chrono::duration<double>(clock.Steady() - start).count();
}

}  // namespace

// The state of one refresh, shared by the callbacks of its queries. Each answer is joined as it
// arrives and then freed, so a refresh never holds a whole query set.
template <class RowT>
class Collector::Refresh : public std::enable_shared_from_this<Refresh<RowT>> {
 public:
  Refresh(Collector& collector, Set set, DetectedPtr detected, Drafted done)
      : collector_(collector),
        set_(set),
        detected_(std::move(detected)),
        plan_(detected_->plan(set.part)),
        started_(collector.clock_.Steady()),
        evidence_(set.remembers ? collector.evidence_ : past_evidence_),
        done_(std::move(done)),
        join_(detected_->exporters, evidence_, set.time),
        left_(plan_.size()),
        around_left_(std::count_if(plan_.begin(), plan_.end(), IsOfSurroundings)) {
    const MutexLock lock(mutex_);
    join_.Expect(detected_->subjects, set.time - kHour);
  }

  void Record(std::shared_ptr<JoinRecorder> recorder) {
    const MutexLock lock(mutex_);
    recorder_ = std::move(recorder);
    join_.Record(recorder_.get());
  }

  void FinishEmpty() { Finish(); }  // nobody has anything of this part

  void Ask(const QueryBudget::Turn& turn) {
    bool wanted = true;
    {
      MutexLock lock(mutex_);
      waited_ = SecondsSince(started_, collector_.clock_);
      wanted = !given_up_;
      turn_ = turn;
    }
    if (!wanted) return collector_.budget_.Release(turn);
    AskFrom(0);
  }

  // Another set has taken its place: what of it is under way no longer counts.
  void GiveUp() {
    std::optional<QueryBudget::Turn> turn;
    {
      const MutexLock lock(mutex_);
      given_up_ = true;
      turn = turn_;
      if (turn) turn->queries = left_;
    }
    if (turn) collector_.budget_.Release(*turn);
  }

  // It has no turn.
  void Refuse() {
    Drafted done;
    {
      MutexLock lock(mutex_);
      done = std::move(done_);
    }
    done(gpumon::Error(PastInstantsTakeTooLong()));
  }

 private:
  void AskFrom(std::size_t first) {
    // Whoever answers last may make the plan longer.
    const std::size_t end = plan_.size();
    for (std::size_t i = first; i < end; ++i) {
      collector_.client_.Query({plan_[i].promql, set_.time}, set_.deadline,
                               [self = this->shared_from_this(), i](Result<prom::QueryResult> r) {
                                 self->Answered(i, std::move(r));
                               });
    }
  }

  void Answered(std::size_t i, Result<prom::QueryResult> answer) {
    const double seconds = SecondsSince(started_, collector_.clock_);
    if (answer && !std::holds_alternative<prom::InstantVector>(answer->value)) {
      answer = gpumon::Error(Code::kUpstreamInvalid,
                             "Prometheus answered a query for a vector with another type");
    }
    collector_.observer_.QueryDone(plan_[i].name,
                                   answer ? std::string_view("ok") : answer.error().wire_name(),
                                   seconds, answer ? answer->bytes : 0);
    bool last = false;
    std::optional<QueryBudget::Turn> turn;
    {
      MutexLock lock(mutex_);
      if (answer) {
        Take(plan_[i], std::move(*answer));
      } else {
        Fail(i, std::move(answer.error()));
      }
      last = --left_ == 0;
      if (!given_up_) turn = turn_;
    }
    // So what hangs takes its own room alone.
    if (turn) collector_.budget_.Release({1, turn->past});
    if (last && !AsksForSeriesTimes()) Finish();
  }

  void Take(const PlannedQuery& query, prom::QueryResult result) REQUIRES(mutex_) {
    auto& vector = std::get<prom::InstantVector>(result.value);
    if (query.gives == PlannedQuery::Gives::kValues) {
      ++values_answered_;
      samples_ += CountSeries(*detected_->exporters[query.exporter], set_.part, vector);
      if (vector.size() == 0 && query.metric) empty_.insert(&query - plan_.data());
      PutWhenPlacesAreKnown(query, std::move(vector));
    } else {
      TakeOther(query, std::move(vector));
    }
    join_.CountUndecodable(result.bad_samples);
    upstream_warned_ |= result.partial || !result.warnings.empty();
    for (const auto* texts : {&result.warnings, &result.infos}) {
      for (const auto& text : *texts) join_.AddUniqueWarning(PassedOn(text));
    }
    if (!result.partial) return;
    join_.MarkPartial();
    join_.AddUniqueWarning("Prometheus says that its answer is partial");
  }

  void TakeOther(const PlannedQuery& query, prom::InstantVector vector) REQUIRES(mutex_) {
    switch (query.gives) {
      case PlannedQuery::Gives::kSeriesTimes:
        return join_.AddTimes(query.exporter, std::move(vector));
      case PlannedQuery::Gives::kTargetTimes:
        join_.AddTargetTimes(query.exporter, vector, query.tells_pods);
        break;
      case PlannedQuery::Gives::kTargets:
        join_.AddTargets(vector);
        break;
      case PlannedQuery::Gives::kAddresses:
        join_.AddAddresses(vector);
        break;
      case PlannedQuery::Gives::kDevices:
      case PlannedQuery::Gives::kValues:
        return PutWhenPlacesAreKnown(query, std::move(vector));
    }
    if (IsOfSurroundings(query)) HearOfSurroundings();
  }

  // Whose a pod is, and where a target runs, has to be known before series are read.
  void PutWhenPlacesAreKnown(const PlannedQuery& query, prom::InstantVector vector)
      REQUIRES(mutex_) {
    if (around_left_ > 0) {
      kept_.emplace_back(&query, std::move(vector));
    } else {
      Put(query, vector);
    }
  }

  void Put(const PlannedQuery& query, const prom::InstantVector& vector) REQUIRES(mutex_) {
    if (query.gives == PlannedQuery::Gives::kDevices) {
      join_.AddDevices(query.exporter, vector);
    } else {
      join_.Add(query.exporter, vector, query.metric);
    }
  }

  void HearOfSurroundings() REQUIRES(mutex_) {
    if (--around_left_ > 0) return;
    for (const auto& [query, vector] : kept_) Put(*query, vector);
    kept_ = {};
  }

  void Fail(std::size_t i, Status status) REQUIRES(mutex_) {
    const PlannedQuery& query = plan_[i];
    failed_names_ += (failed_names_.empty() ? "" : ",") + query.name;
    using Gives = PlannedQuery::Gives;
    if (query.gives == Gives::kValues) {
      values_failed_ = true;
      join_.AddFailure(query.exporter, query.metric);
    } else if (query.gives == Gives::kSeriesTimes || query.gives == Gives::kTargetTimes) {
      join_.AddFailedTimes();
    } else {
      join_.MarkPartial();
    }
    if (IsOfSurroundings(query)) HearOfSurroundings();
    join_.AddUniqueWarning(query.name + ": query failed (" + std::string(status.wire_name()) + ")");
    TellOfWaiting(status, SecondsSince(started_, collector_.clock_), waited_);
    if (!first_error_ || i < first_failed_) {
      first_error_ = std::move(status);
      first_failed_ = i;
    }
  }

  void Finish() {
    Drafted done;
    auto result = Conclude(done);
    TellObserver(result);
    done(std::move(result));
  }

  // Where targets' expositions bring time stamps along, the times of targets are not their
  // series': once those are asked for. True: there is more to wait for.
  bool AsksForSeriesTimes() {
    std::size_t first = 0;
    std::vector<std::size_t> exporters;
    {
      const MutexLock lock(mutex_);
      first = plan_.size();
      for (std::size_t i = 0; i < first && !asked_again_ && !given_up_; ++i) {
        if (plan_[i].gives != PlannedQuery::Gives::kTargetTimes) continue;
        if (join_.BringsItsOwnTimes(plan_[i].exporter)) exporters.push_back(plan_[i].exporter);
      }
      asked_again_ = true;
      left_ = exporters.size();
      for (const std::size_t exporter : exporters) {
        plan_.push_back(PlanSeriesTimes(*detected_->exporters[exporter], exporter, set_.part));
      }
    }
    if (exporters.empty()) return false;
    if (set_.present) collector_.detector_.SawTimes(*detected_, exporters);
    collector_.budget_.Extend({exporters.size(), set_.of != QueryBudget::Of::kPresent});
    AskFrom(first);
    return true;
  }

  void TellObserver(const RefreshChoice::Collection& result) {
    const MutexLock lock(mutex_);
    if (recorder_) return;
    const std::size_t rows = result ? (*result)->rows() : std::size_t{0};
    collector_.observer_.RefreshDone(set_.part,
                                     result ? std::string_view("ok") : result.error().wire_name(),
                                     SecondsSince(started_, collector_.clock_), rows);
    if (result) collector_.observer_.Joined(join_.counts());
  }

  RefreshChoice::Collection Conclude(Drafted& done) {
    MutexLock lock(mutex_);
    done = std::move(done_);
    // No GPU and a failure is nothing that one could show: a Prometheus that ends answers so.
    const bool none =
        samples_ == 0 && (values_answered_ == 0 || (values_failed_ && set_.part == Part::kGpus));
    // One line for a refresh: when Prometheus is away every query says the same.
    if (first_error_) LogFailure(!none, set_.part, failed_names_, *first_error_);
    if (none && first_error_) return gpumon::Error(*first_error_);
    // What failed has warned already.
    if (samples_ == 0 && !first_error_) join_.AddUniqueWarning(NothingOf(set_.part));
    auto snapshot =
        join_.Finish(collector_.commands_, set_.remembers ? &collector_.targets_ : nullptr);
    if (samples_ > 0) WarnOfEmpty(*snapshot);
    if (set_.present) collector_.targets_.Learn(set_.part, join_.shown());
    if (set_.present && join_.lost_rows()) collector_.detector_.LookSoon();
    collector_.detector_.SawJobs(*detected_, join_.new_jobs());
    snapshot->upstream_warned = upstream_warned_;
    if (set_.present) WarnOfClock(collector_.upstream_clock_.offset_seconds(), *snapshot);
    if (set_.doubted) Doubt(*detected_, detected_->why, *snapshot);
    return snapshot;
  }

  void WarnOfEmpty(models::Snapshot& snapshot) REQUIRES(mutex_) {
    for (const std::ptrdiff_t place : empty_) {
      const PlannedQuery& query = plan_[static_cast<std::size_t>(place)];
      const auto& metrics =
          detected_->exporters[query.exporter]->metrics(set_.part == Part::kProcesses);
      if (join_.Shows(query.exporter, metrics[*query.metric].slot)) continue;  // by another name
      snapshot.warnings.push_back("no " + query.name + " series");
    }
  }

  Collector& collector_;
  const Set set_;
  const DetectedPtr detected_;
  std::vector<PlannedQuery> plan_;  // grows while nothing is under way
  const SteadyTime started_;
  UnitEvidence past_evidence_;
  UnitEvidence& evidence_;

  Mutex mutex_;
  Drafted done_ GUARDED_BY(mutex_);
  Join<RowT> join_ GUARDED_BY(mutex_);
  std::size_t left_ GUARDED_BY(mutex_);
  std::ptrdiff_t around_left_ GUARDED_BY(mutex_);  // that values wait for
  bool asked_again_ GUARDED_BY(mutex_) = false;
  bool given_up_ GUARDED_BY(mutex_) = false;
  std::vector<std::pair<const PlannedQuery*, prom::InstantVector>> kept_ GUARDED_BY(mutex_);
  std::size_t values_answered_ GUARDED_BY(mutex_) = 0;
  std::size_t samples_ GUARDED_BY(mutex_) = 0;
  std::set<std::ptrdiff_t> empty_ GUARDED_BY(mutex_);  // places in plan_, in its order
  std::string failed_names_ GUARDED_BY(mutex_);
  std::optional<Status> first_error_ GUARDED_BY(mutex_);  // in plan order
  std::size_t first_failed_ GUARDED_BY(mutex_) = 0;
  bool values_failed_ GUARDED_BY(mutex_) = false;
  bool upstream_warned_ GUARDED_BY(mutex_) = false;
  double waited_ GUARDED_BY(mutex_) = 0;
  std::optional<QueryBudget::Turn> turn_ GUARDED_BY(mutex_);
  std::shared_ptr<JoinRecorder> recorder_ GUARDED_BY(mutex_);  // null in refreshes
};

Collector::Collector(prom::Client& client, const Clock& clock, UpstreamClock& upstream_clock,
                     RefreshObserver& observer, CommandStyle commands, std::size_t max_concurrency,
                     const schema::Registry& registry)
    : client_(client),
      clock_(clock),
      upstream_clock_(upstream_clock),
      observer_(observer),
      commands_(commands),
      targets_(clock),
      detector_(client, clock, registry, &targets_),
      budget_(max_concurrency, clock) {}

template <class RefreshT>
void Collector::Begin(const std::shared_ptr<RefreshT>& refresh, const Set& set, std::size_t queries,
                      Begun begun) {
  if (queries == 0) {
    if (begun) begun(true);
    return refresh->FinishEmpty();
  }
  budget_.Acquire(queries, set.of, set.deadline, [refresh, begun = std::move(begun)](auto turn) {
    if (begun) begun(turn.has_value());
    if (turn) {
      refresh->Ask(*turn);
    } else {
      refresh->Refuse();
    }
  });
}

void Collector::Replay(double time, Deadline deadline, std::shared_ptr<JoinRecorder> recorder,
                       Collected done) {
  DetectedPtr detected = Detector::WithSeriesTimes(*detector_.Known());
  const std::size_t queries = detected->gpu_plan.size();
  const Set set{Part::kGpus, time, deadline, QueryBudget::Of::kPast, false, true};
  const auto refresh = std::make_shared<Refresh<models::GpuMetrics>>(
      *this, set, std::move(detected), std::move(done));
  refresh->Record(std::move(recorder));
  Begin(refresh, set, queries, nullptr);
}

std::function<void()> Collector::Start(const Set& set, DetectedPtr detected, Drafted done,
                                       Begun begun) {
  const std::size_t queries = detected->plan(set.part).size();
  const auto begin = [&](auto refresh) -> std::function<void()> {
    Begin(refresh, set, queries, std::move(begun));
    return [refresh] { refresh->GiveUp(); };
  };
  if (set.part == Part::kGpus) {
    return begin(std::make_shared<Refresh<models::GpuMetrics>>(*this, set, std::move(detected),
                                                               std::move(done)));
  }
  return begin(std::make_shared<Refresh<models::GpuProcess>>(*this, set, std::move(detected),
                                                             std::move(done)));
}

void Collector::Collect(Part part, std::optional<double> time, Deadline deadline, Collected done) {
  Set set{part,     time.value_or(upstream_clock_.Now()),
          deadline, time ? QueryBudget::Of::kPast : QueryBudget::Of::kPresent,
          !time,    !time};
  if (part == Part::kPods) return CollectPods(set, std::move(done));
  if (part == Part::kNodes) return CollectNodes(set, std::move(done));
  if (part == Part::kTasks) return CollectTasks(set, std::move(done));
  if (part == Part::kAlerts) return CollectAlerts(set, std::move(done));
  if (time) return CollectPast(set, std::move(done));
  if (part == Part::kGpus) {
    done = [this, done = std::move(done)](Result<models::SnapshotPtr> result) {
      if (result) detector_.Saw((*result)->gpus.size());
      done(std::move(result));
    };
  }
  const DetectedPtr known = detector_.Known();
  const auto choice = std::make_shared<RefreshChoice>(
      known,
      [this, set](DetectedPtr there, Drafted then) {
        Start(set, std::move(there), std::move(then));
      },
      done);
  const bool waits = detector_.LookBeside(
      set.time, deadline, [choice](auto there) { choice->Heard(std::move(there)); });
  if (!waits) {
    set.doubted = known->assumed;
    Start(set, known, std::move(done));
    return;
  }
  choice->CanGiveUp(Start(set, known, [choice](auto result) { choice->Ended(std::move(result)); }));
}

}  // namespace gpumon::gpu
