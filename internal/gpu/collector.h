// One refresh: all PromQL queries of a part at once, one deadline, joined into a Snapshot.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/gpu/activity.h"
#include "internal/gpu/command.h"
#include "internal/gpu/detector.h"
#include "internal/gpu/join_counts.h"
#include "internal/gpu/plan.h"
#include "internal/gpu/query_budget.h"
#include "internal/gpu/range.h"
#include "internal/gpu/refresh_choice.h"
#include "internal/gpu/target_memory.h"
#include "internal/gpu/unit_evidence.h"
#include "internal/gpu/upstream_clock.h"
#include "internal/prom/client.h"
#include "internal/schema/registry.h"
#include "models/gpu.h"

namespace gpumon::gpu {

class JoinRecorder;

// What the server counts of its refreshes. Implementations are thread-safe and do not block.
class RefreshObserver {
 public:
  virtual ~RefreshObserver() = default;
  // `result`: "ok" or the wire name of the error.
  virtual void QueryDone(const std::string& query, std::string_view result, double seconds,
                         std::size_t bytes) = 0;
  virtual void RefreshDone(models::Part part, std::string_view result, double seconds,
                           std::size_t rows) = 0;
  virtual void Joined(const JoinCounts& counts) = 0;
};

// Called once, on a worker thread. The error is that of the first query in plan order when every
// value query failed.
using Collected = std::function<void(Result<models::SnapshotPtr>)>;

// Thread-safe. Every reference must outlive it and what it has under way. At most
// `max_concurrency` queries are under way at once, but for one set that is larger, and what is left
// of one whose place another took; looks for
// exporters, and the pods of past instants, are asked beside their sets.
class Collector {
 public:
  Collector(prom::Client& client, const Clock& clock, UpstreamClock& upstream_clock,
            RefreshObserver& observer, CommandStyle commands, std::size_t max_concurrency = 16,
            const schema::Registry& registry = schema::Registry::BuiltIn());

  // Evaluates at `time` (Unix seconds), or at the upstream's present when there is none.
  // Answers by `deadline` as the client does; a past instant that cannot be expected to be
  // answered by then, because of others, is kOverloaded at once.
  void Collect(models::Part part, std::optional<double> time, Deadline deadline, Collected done);

  // Collects the GPUs once more, at `time` and with what is asked at present, for `recorder`, which
  // outlives the call of `done`. No refresh: the observer hears of its queries alone.
  void Replay(double time, Deadline deadline, std::shared_ptr<JoinRecorder> recorder,
              Collected done);

  // Shows `each` the instants of a range, whose queries are asked beside each other like one past
  // instant's. An error of any query ends it: what is missing in between would be counted as time
  // of which nobody knows. Exporters are those of both ends, or
  // RangeWant::exporters.
  void Walk(const RangeWant& want, Deadline deadline, EachInstant each, RangeDone done);

  // Where in a range something happens to GPUs, for a closer look by Walk; asked likewise, in two
  // rounds of a few queries.
  void FindActivity(const ActivityWant& want, Deadline deadline, ActivityFound done);

  // What is asked at present. Never null.
  DetectedPtr detected() const { return detector_.Known(); }

 private:
  template <class RowT>
  class Refresh;
  class SetRefresh;
  using Drafted = RefreshChoice::Done;  // nobody else has the snapshot yet
  // What one refresh is for.
  struct Set {
    models::Part part;
    double time;
    Deadline deadline;
    QueryBudget::Of of;
    bool present;          // nobody asked for that time: it is now
    bool remembers;        // what this process saw of targets lately holds for it
    bool doubted = false;  // nobody could tell which exporters are there
  };
  // Called when a set has its turn (false: it gets none), before its queries are asked.
  using Begun = std::function<void(bool has_turn)>;
  // What it gives is for when another set has taken its place: then it no longer counts.
  std::function<void()> Start(const Set& set, DetectedPtr detected, Drafted done,
                              Begun begun = nullptr);
  // Who was there at both ends of a range.
  using SubjectsOfRange = std::function<void(Result<std::vector<Subject>>)>;
  void FindSubjects(double first, double last, Deadline deadline, SubjectsOfRange then);
  void CollectPast(const Set& set, Collected done);
  // Pods depend on no exporter that has to be found first.
  void CollectPods(const Set& set, Collected done);
  void AskForPods(const Set& set, std::string promql, Collected done);
  void CollectNodes(const Set& set, Collected done);
  void CollectTasks(const Set& set, Collected done);
  void CollectAlerts(const Set& set, Collected done);
  // Queries that are the same for any cluster, and who reads their answers into the snapshot, in
  // the same order; null: that one failed, and another did not.
  struct QuerySet {
    using Answers = std::vector<const prom::InstantVector*>;
    std::vector<std::pair<std::string_view, std::string>> queries;  // name and PromQL
    std::function<void(const Answers&, models::Snapshot&)> read;
    bool needs_first = false;  // without its answer there is nothing to show
  };
  void CollectSet(const Set& set, QuerySet queries, Collected done);
  template <class RefreshT>
  void Begin(const std::shared_ptr<RefreshT>& refresh, const Set& set, std::size_t queries,
             Begun begun);

  prom::Client& client_;
  const Clock& clock_;
  UpstreamClock& upstream_clock_;
  RefreshObserver& observer_;
  const CommandStyle commands_;
  UnitEvidence evidence_;
  TargetMemory targets_;
  Detector detector_;
  QueryBudget budget_;
};

}  // namespace gpumon::gpu
