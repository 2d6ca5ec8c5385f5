#include <algorithm>
#include <optional>
#include <utility>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/health_rows.h"
#include "cmd/gpuctl/health_source.h"
#include "cmd/gpuctl/server.h"
#include "internal/base/clock.h"
#include "internal/base/text.h"
#include "internal/checks/texts.h"
#include "internal/json/document.h"

namespace gpumon::ctl {
namespace {

using json::Value;

constexpr char kPast[] = "/api/v1/gpu/health/history";
constexpr char kWorkloads[] = "/api/v1/gpu/workloads";
constexpr std::size_t kPage = 1000;  // the most the server gives at once
constexpr std::size_t kMost = 10'000;

// Of the data of an answer.
void AddSnapshots(const Value& data, std::vector<store::Snapshot>& to) {
  for (const Value& row : data["snapshots"].elements()) {
    json::Writer writer;
    CopyJson(row, writer);
    if (auto snapshot = store::DecodeLine(writer.view())) to.push_back(*std::move(snapshot));
  }
}

std::optional<double> UsageOf(const store::Snapshot& snapshot) {
  double sum = 0;
  double count = 0;
  for (const store::GpuReading& gpu : snapshot.gpu_metrics) {
    if (!gpu.gpu_utilization_pct) continue;
    sum += *gpu.gpu_utilization_pct;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

// The newest first.
Result<void> AddPages(Server& server, const Server::Query& query, HealthPast& past) {
  for (std::size_t offset = 0; offset < kMost; offset += kPage) {
    Server::Query page = query;
    page.emplace_back("limit", std::to_string(kPage));
    page.emplace_back("offset", std::to_string(offset));
    const auto answer = server.GetData(kPast, page);
    if (!answer) return Error(answer.error());
    const Value& data = (*answer)["data"];
    const auto count = data["snapshot_count"].AsInteger();
    if (!count || !data["snapshots"].is_array()) {
      return Error(server.Lack(kPast, "snapshots"));
    }
    const auto& rows = data["snapshots"].elements();
    AddSnapshots(data, past.snapshots);
    const std::size_t all = static_cast<std::size_t>(std::max<std::int64_t>(*count, 0));
    if (offset + rows.size() >= all || rows.empty()) return {};
    if (offset + kPage >= kMost) past.left_out += all - kMost;
  }
  return {};
}

// The names by which the collector stores the pods of a workload, or the pod that is so called.
Result<std::vector<std::string>> PodsOf(Server& server, const std::string& task) {
  std::vector<std::string> pods;
  std::vector<std::string> owners;
  const std::size_t slash = task.find('/');
  Server::Query query = {{"fields", "namespace,pod,owner_name"}};
  if (slash != std::string::npos) query.emplace_back("namespace", task.substr(0, slash));
  const auto answer = server.GetData(kWorkloads, query);
  if (!answer) return Error(answer.error());
  for (const Value& row : (*answer)["data"].elements()) {
    const std::string owner = TaskName(row, "pod");
    if (owner != task && !IsCalled(row, "pod", task)) continue;
    pods.push_back(NameOf(row["namespace"], row["pod"]));
    if (std::find(owners.begin(), owners.end(), owner) == owners.end()) owners.push_back(owner);
  }
  if (owners.size() > 1) {
    return Error(Code::kInvalidParameter,
                 task + " may be any of " + checks::Joined(owners) + ": give one of these");
  }
  return pods;
}

}  // namespace

Result<HealthReport> AskApiForStored(Server& server, const HealthQuestion& question) {
  const auto answer = server.GetData(kPast, {{"task", question.task},
                                             {"hours", std::to_string(question.hours)},
                                             {"limit", std::to_string(kUsagePoints)}});
  if (!answer) return Error(answer.error());
  std::vector<store::Snapshot> snapshots;
  AddSnapshots((*answer)["data"], snapshots);
  if (snapshots.empty()) return Error(Code::kNotFound, "nothing was stored of " + question.task);
  std::stable_sort(snapshots.begin(), snapshots.end(),
                   [](const auto& a, const auto& b) { return a.timestamp < b.timestamp; });
  HealthReport report;
  report.source = server.name();
  report.of_one = true;
  const auto time = ParseTime(TextOf((*answer)["meta"]["as_of"]));
  report.time = std::max(time.value_or(SystemClock().Wall()), snapshots.back().timestamp);
  report.notes.push_back("no workload is called " + question.task +
                         " now: this is what the server stored of it last");
  if (question.usage) {
    for (const store::Snapshot& one : snapshots) report.usage.push_back(UsageOf(one));
    report.usage_of = "last " + std::to_string(snapshots.size()) + " snapshots";
  }
  report.tasks.push_back(std::move(snapshots.back()));
  return report;
}

Result<HealthPast> AskApiForPast(Server& server, const HealthQuestion& question) {
  HealthPast past;
  past.kind = question.task.empty() ? "node" : "task";
  past.name = question.task.empty() ? question.node : question.task;
  past.hours = question.hours;
  const std::pair<std::string, std::string> hours("hours", std::to_string(question.hours));
  auto added = AddPages(server, {{std::string(past.kind), past.name}, hours}, past);
  if (added && past.snapshots.empty() && !question.task.empty()) {
    const auto pods = PodsOf(server, question.task);
    if (!pods) return Error(pods.error());
    for (const std::string& pod : *pods) {
      if (added) added = AddPages(server, {{"task", pod}, hours}, past);
    }
  }
  if (!added) return Error(added.error());
  std::stable_sort(past.snapshots.begin(), past.snapshots.end(),
                   [](const auto& a, const auto& b) { return a.timestamp < b.timestamp; });
  return past;
}

}  // namespace gpumon::ctl
