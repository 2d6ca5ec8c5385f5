#include "internal/collect/round.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "internal/base/log.h"
#include "internal/collect/fleet_tasks.h"
#include "internal/collect/gpud_task.h"

namespace gpumon::collect {
namespace {

using models::Part;
using Future = std::future<Result<gpu::Got>>;

Future Start(gpu::Source& source, Part part, Deadline deadline) {
  const auto promise = std::make_shared<std::promise<Result<gpu::Got>>>();
  auto future = promise->get_future();
  source.Get({part, std::nullopt, false}, deadline,
             [promise](Result<gpu::Got> got) { promise->set_value(std::move(got)); });
  return future;
}

}  // namespace

void Round::Trouble::Is(const std::string& why) {
  if (why == said_) return;
  said_ = why;
  log::Error(begins_, {{"why", why}});
}

void Round::Trouble::IsNot() {
  if (!said_.empty()) log::Info(ends_);
  said_.clear();
}

Round::Round(const RoundOptions& options, gpu::Source& source, gpud::Client& gpud,
             store::Writer& writer, push::Spool* spool, const Clock& clock)
    : options_(options),
      source_(source),
      gpud_(gpud),
      writer_(writer),
      spool_(spool),
      clock_(clock),
      events_since_(clock.Wall() - options.interval) {}

RoundReport Round::Run() {
  RoundReport report;
  const WallTime time = clock_.Wall();
  std::string note;
  std::vector<store::Snapshot> snapshots = AskGpud(time, note, report);
  for (store::Snapshot& snapshot : AskPrometheus(time, note, report)) {
    snapshots.push_back(std::move(snapshot));
  }
  report.snapshots = snapshots.size();
  Keep(snapshots, report);
  log::Debug("round", {{"snapshots", report.snapshots},
                       {"prometheus", report.prometheus_answered},
                       {"gpud", report.gpud_answered},
                       {"stored", report.stored}});
  return report;
}

std::vector<store::Snapshot> Round::AskGpud(WallTime time, std::string& note, RoundReport& report) {
  const auto host = gpud_.Ask(events_since_, Deadline::After(clock_, options_.gpud_timeout));
  if (!host) {
    note = host.error().message;
    return {};
  }
  events_since_ = time;
  report.gpud_answered = true;
  note = "measured by an exporter; GPUd at " + gpud_.address() + " tells of its own host";
  std::vector<store::Snapshot> snapshots;
  snapshots.push_back(TaskOf(*host, time, options_.rules));
  return snapshots;
}

std::vector<store::Snapshot> Round::AskPrometheus(WallTime time, const std::string& gpud_note,
                                                  RoundReport& report) {
  const Deadline deadline = Deadline::After(clock_, options_.prometheus_timeout);
  Future gpus_future = Start(source_, Part::kGpus, deadline);
  Future processes_future = Start(source_, Part::kProcesses, deadline);
  Future pods_future = Start(source_, Part::kPods, deadline);
  Future nodes_future = Start(source_, Part::kNodes, deadline);
  const auto gpus = gpus_future.get();
  const auto processes = processes_future.get();
  const auto pods = pods_future.get();
  const auto nodes = nodes_future.get();
  if (!gpus) {
    no_prometheus_.Is(gpus.error().message);
    return {};
  }
  no_prometheus_.IsNot();
  report.prometheus_answered = true;
  std::string missing;
  for (const auto* const got : {&gpus, &processes, &pods, &nodes}) {
    const bool whole = *got && !(*got)->snapshot->partial;
    if (!whole && missing.empty()) {
      missing = *got ? "some queries of Prometheus failed" : got->error().message;
    }
  }
  if (missing.empty()) {
    partial_.IsNot();
  } else {
    partial_.Is(missing);
  }
  const Fleet fleet{*gpus->snapshot,
                    processes ? processes->snapshot.get() : nullptr,
                    pods ? pods->snapshot.get() : nullptr,
                    nodes ? nodes->snapshot.get() : nullptr,
                    time,
                    gpud_note};
  return TasksOf(fleet, options_.rules);
}

void Round::Keep(const std::vector<store::Snapshot>& snapshots, RoundReport& report) {
  std::vector<store::Line> lines;
  lines.reserve(snapshots.size());
  for (const store::Snapshot& snapshot : snapshots) {
    lines.push_back({snapshot.timestamp, store::EncodeLine(snapshot)});
  }
  if (spool_ != nullptr) Spool(lines);
  const auto stored = writer_.Append(lines);
  report.stored = stored.has_value();
  if (stored) {
    no_store_.IsNot();
  } else {
    no_store_.Is(stored.error().message);
  }
}

void Round::Spool(const std::vector<store::Line>& lines) {
  Result<void> spooled;
  for (std::size_t from = 0; from < lines.size(); from += options_.batch_size) {
    std::vector<std::string> batch;
    const std::size_t end = std::min(lines.size(), from + options_.batch_size);
    for (std::size_t i = from; i < end; ++i) batch.push_back(lines[i].text);
    if (auto added = spool_->Add(std::move(batch)); !added) spooled = std::move(added);
  }
  if (spooled) {
    no_spool_.IsNot();
  } else {
    no_spool_.Is(spooled.error().message);
  }
  const std::uint64_t dropped = spool_->counts().dropped;
  if (dropped > dropped_) {
    log::Error("the spool is full: the oldest snapshots were dropped",
               {{"now", dropped - dropped_}, {"since_start", dropped}});
  }
  dropped_ = dropped;
}

}  // namespace gpumon::collect
