#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "cmd/gpuctl/health_source.h"
#include "internal/base/text.h"
#include "internal/store/history.h"
#include "internal/store/reader.h"

namespace gpumon::ctl {
namespace {

constexpr std::size_t kMostSnapshots = 10'000;

bool Always() {
  return true;
}

Status StoreFailure(const std::string& folder, const Status& why) {
  return {why.code == Code::kNotFound ? Code::kUnavailable : why.code,
          folder + " cannot be read: " + why.message +
              "; gpu-monitoring-api collect writes it, and --metrics-dir says where it is"};
}

std::string NotThere(const std::string& folder, const HealthQuestion& question) {
  const std::string last = " within the last " + std::to_string(question.hours) + " h";
  if (!question.task.empty()) {
    return folder + " has no task " + question.task + last +
           "; gpuctl health --source store --all"
           " lists those it has";
  }
  if (!question.node.empty()) return folder + " has nothing of node " + question.node + last;
  return folder + " has no snapshot" + last + "; is gpu-monitoring-api collect running?";
}

// What one round of the collector stored of all GPUs is one point.
void AddCurve(const std::vector<std::string>& lines, HealthReport& report) {
  std::map<WallTime, std::pair<double, double>> rounds;  // the sum, and of how many
  for (const std::string& line : lines) {
    const auto snapshot = store::DecodeLine(line);
    if (!snapshot) continue;
    auto& [sum, count] = rounds[snapshot->timestamp];
    for (const store::GpuReading& gpu : snapshot->gpu_metrics) {
      if (!gpu.gpu_utilization_pct) continue;
      sum += *gpu.gpu_utilization_pct;
      ++count;
    }
  }
  for (const auto& [time, round] : rounds) {
    const auto& [sum, count] = round;
    report.usage.push_back(count > 0 ? std::optional(sum / count) : std::nullopt);
  }
  if (report.usage.size() > kUsagePoints) {
    report.usage.erase(report.usage.begin(),
                       report.usage.end() - static_cast<std::ptrdiff_t>(kUsagePoints));
  }
  report.usage_of = "last " + std::to_string(report.usage.size()) + " snapshots";
}

store::HistoryQuery WindowOf(const HealthQuestion& question, WallTime now) {
  store::HistoryQuery query;
  query.task = question.task;
  query.node = question.node;
  query.from = now - std::chrono::hours(question.hours);
  query.to = now;
  return query;
}

}  // namespace

Result<HealthReport> ReadStore(const std::string& folder, const HealthQuestion& question,
                               WallTime now) {
  std::map<std::string, std::pair<WallTime, std::string>, std::less<>> newest;
  const auto visit = [&](const store::LineHead& head) {
    if (!question.task.empty() && head.task_id != question.task) return true;
    if (!question.node.empty() && head.instance_id != question.node) return true;
    auto at = newest.find(head.task_id);
    if (at == newest.end()) at = newest.try_emplace(std::string(head.task_id)).first;
    if (!at->second.second.empty() && head.time < at->second.first) return true;
    at->second = {head.time, std::string(head.text)};
    return true;
  };
  const auto read =
      store::ReadLines(folder, now - std::chrono::hours(question.hours), now, "", Always, visit);
  if (!read) return Error(StoreFailure(folder, read.error()));
  HealthReport report;
  report.source = folder;
  report.time = now;
  report.of_one = !question.task.empty() || !question.node.empty();
  for (const auto& [task, line] : newest) {
    auto snapshot = store::DecodeLine(line.second);
    if (!snapshot) continue;
    const bool left_out = question.gpu_tasks && !question.all && snapshot->gpu_metrics.empty();
    if (!left_out) report.tasks.push_back(*std::move(snapshot));
  }
  if (newest.empty()) return Error(Code::kNotFound, NotThere(folder, question));
  if (read->bad_lines > 0) {
    report.notes.push_back(std::to_string(read->bad_lines) + " lines of " + folder +
                           " are no snapshots");
  }
  for (const std::string& problem : read->problems) report.notes.push_back(problem);
  if (question.usage && report.of_one) {
    store::HistoryQuery query = WindowOf(question, now);
    query.limit = kUsagePoints * std::max<std::size_t>(newest.size(), 1);
    if (const auto past = store::ReadHistory(folder, query, Always)) AddCurve(past->lines, report);
  }
  SortRows(report);
  return report;
}

Result<HealthPast> ReadStoredPast(const std::string& folder, const HealthQuestion& question,
                                  WallTime now) {
  store::HistoryQuery query = WindowOf(question, now);
  query.limit = kMostSnapshots;
  const auto history = store::ReadHistory(folder, query, Always);
  if (!history) return Error(StoreFailure(folder, history.error()));
  HealthPast past;
  past.kind = question.task.empty() ? "node" : "task";
  past.name = question.task.empty() ? question.node : question.task;
  past.hours = question.hours;
  past.left_out = history->snapshot_count - history->lines.size();
  for (const std::string& line : history->lines) {
    if (auto snapshot = store::DecodeLine(line)) past.snapshots.push_back(*std::move(snapshot));
  }
  return past;
}

}  // namespace gpumon::ctl
