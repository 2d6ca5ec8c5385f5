#include "internal/gpu/collector.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "internal/base/log.h"
#include "internal/base/mutex.h"
#include "internal/base/text.h"

namespace gpumon::gpu {
namespace {

using models::Part;

// Seconds that a set of queries waited before it was asked.
constexpr double kWorthTelling = 0.05;

std::string ForPeople(double seconds) {
  return FormatNumber(std::round(seconds * 100) / 100);
}

double SecondsSince(SteadyTime start, const Clock& clock) {
  return std::chrono::duration<double>(clock.Steady() - start).count();
}

}  // namespace

// The state of one refresh, shared by the callbacks of its queries. Each answer is joined as it
// arrives and then freed, so a refresh never holds a whole query set.
template <class RowT>
class Collector::Refresh : public std::enable_shared_from_this<Refresh<RowT>> {
 public:
  Refresh(Collector& collector, Part part, double time, Collected done)
      : collector_(collector),
        part_(part),
        plan_(collector.plan(part)),
        started_(collector.clock_.Steady()),
        done_(std::move(done)),
        join_(collector.exporter_, time),
        left_(plan_.size()) {}

  void Ask(double time, Deadline deadline) {
    {
      MutexLock lock(mutex_);
      waited_ = SecondsSince(started_, collector_.clock_);
    }
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      collector_.client_.Query({plan_[i].promql, time}, deadline,
                               [self = this->shared_from_this(), i](Result<prom::QueryResult> r) {
                                 self->Answered(i, std::move(r));
                               });
    }
  }

 private:
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
    {
      MutexLock lock(mutex_);
      if (answer) {
        Take(plan_[i], std::move(*answer));
      } else {
        Fail(i, std::move(answer.error()));
      }
      last = --left_ == 0;
    }
    if (last) Finish();
  }

  void Take(const PlannedQuery& query, prom::QueryResult result) REQUIRES(mutex_) {
    auto& vector = std::get<prom::InstantVector>(result.value);
    if (query.gives == PlannedQuery::Gives::kValue) {
      ++values_answered_;
      samples_ += vector.size();
      if (vector.size() == 0) empty_.push_back(query.name);
      join_.Add(vector, query.slot, query.scale);
    } else {
      join_.AddTimes(std::move(vector));
    }
    join_.CountUndecodable(result.bad_samples);
    upstream_warned_ |= result.partial || !result.warnings.empty();
    for (const auto* texts : {&result.warnings, &result.infos}) {
      // A proxy in front of Prometheus may name its back ends, with their credentials.
      for (const auto& text : *texts) {
        join_.AddUniqueWarning("Prometheus: " + ShowCommand(text, CommandStyle::kRedacted));
      }
    }
    if (!result.partial) return;
    join_.MarkPartial();
    join_.AddUniqueWarning("Prometheus says that its answer is partial");
  }

  void Fail(std::size_t i, Status status) REQUIRES(mutex_) {
    const PlannedQuery& query = plan_[i];
    failed_names_ += (failed_names_.empty() ? "" : ",") + query.name;
    if (query.gives == PlannedQuery::Gives::kValue) {
      join_.AddFailure(query.slot);
    } else {
      join_.AddFailedTimes();
    }
    join_.AddUniqueWarning(query.name + ": query failed (" + std::string(status.wire_name()) + ")");
    if (status.code == Code::kUpstreamTimeout && waited_ > kWorthTelling) {
      status.message = "Prometheus did not answer within " +
                       ForPeople(SecondsSince(started_, collector_.clock_)) + " s, of which " +
                       ForPeople(waited_) +
                       " s went to waiting for other queries to end; it may be overloaded or "
                       "PROMETHEUS_MAX_CONCURRENCY too low";
    }
    if (!first_error_ || i < first_failed_) {
      first_error_ = std::move(status);
      first_failed_ = i;
    }
  }

  void Finish() {
    Collected done;
    auto result = Conclude(done);
    collector_.budget_.Release(plan_.size());
    const std::size_t rows =
        result ? (*result)->gpus.size() + (*result)->processes.size() : std::size_t{0};
    collector_.observer_.RefreshDone(part_,
                                     result ? std::string_view("ok") : result.error().wire_name(),
                                     SecondsSince(started_, collector_.clock_), rows);
    done(std::move(result));
  }

  Result<std::shared_ptr<const models::Snapshot>> Conclude(Collected& done) {
    MutexLock lock(mutex_);
    done = std::move(done_);
    if (first_error_) LogFailures();
    if (values_answered_ == 0) return gpumon::Error(*first_error_);
    WarnOfEmpty();
    auto snapshot = join_.Finish(collector_.commands_);
    snapshot->upstream_warned = upstream_warned_;
    collector_.observer_.Joined(join_.counts());
    return std::shared_ptr<const models::Snapshot>(std::move(snapshot));
  }

  // One line for a refresh: when Prometheus is away every query says the same.
  void LogFailures() REQUIRES(mutex_) {
    log::Warning(values_answered_ == 0 ? "refresh failed" : "refresh partial",
                 {{"part", models::NameOf(part_)},
                  {"queries", failed_names_},
                  {"code", first_error_->wire_name()},
                  {"error", first_error_->message},
                  {"detail", first_error_->detail}});
  }

  void WarnOfEmpty() REQUIRES(mutex_) {
    if (samples_ == 0) {
      // What failed has warned already.
      if (first_error_) return;
      join_.AddUniqueWarning(part_ == Part::kGpus
                                 ? "Prometheus has no nvidia_gpu_* series at this instant"
                                 : "Prometheus has no nvidia_gpu_process_* series at this instant: "
                                   "no GPU has a process, or no exporter tells of them");
      return;
    }
    for (const auto& name : empty_) join_.AddUniqueWarning("no " + name + " series");
  }

  Collector& collector_;
  const Part part_;
  const std::vector<PlannedQuery>& plan_;
  const SteadyTime started_;

  Mutex mutex_;
  Collected done_ GUARDED_BY(mutex_);
  Join<RowT> join_ GUARDED_BY(mutex_);
  std::size_t left_ GUARDED_BY(mutex_);
  std::size_t values_answered_ GUARDED_BY(mutex_) = 0;
  std::size_t samples_ GUARDED_BY(mutex_) = 0;
  std::vector<std::string> empty_ GUARDED_BY(mutex_);
  std::string failed_names_ GUARDED_BY(mutex_);
  std::optional<Status> first_error_ GUARDED_BY(mutex_);  // in plan order
  std::size_t first_failed_ GUARDED_BY(mutex_) = 0;
  bool upstream_warned_ GUARDED_BY(mutex_) = false;
  double waited_ GUARDED_BY(mutex_) = 0;
};

Collector::Collector(prom::Client& client, const Clock& clock, UpstreamClock& upstream_clock,
                     RefreshObserver& observer, CommandStyle commands, std::size_t max_concurrency)
    : client_(client),
      clock_(clock),
      upstream_clock_(upstream_clock),
      observer_(observer),
      commands_(commands),
      exporter_(schema::NvidiaGpu()),
      gpu_plan_(PlanQueries(exporter_, Part::kGpus)),
      process_plan_(PlanQueries(exporter_, Part::kProcesses)),
      budget_(max_concurrency) {}

template <class RowT>
void Collector::Start(Part part, double time, Deadline deadline, Collected done) {
  const auto refresh = std::make_shared<Refresh<RowT>>(*this, part, time, std::move(done));
  budget_.Acquire(plan(part).size(), [refresh, time, deadline] { refresh->Ask(time, deadline); });
}

void Collector::Collect(Part part, std::optional<double> time, Deadline deadline, Collected done) {
  const double at = time.value_or(upstream_clock_.Now());
  if (part == Part::kGpus) {
    Start<models::GpuMetrics>(part, at, deadline, std::move(done));
  } else {
    Start<models::GpuProcess>(part, at, deadline, std::move(done));
  }
}

}  // namespace gpumon::gpu
