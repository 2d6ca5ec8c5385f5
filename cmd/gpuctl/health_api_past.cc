#include <algorithm>
#include <utility>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/health_source.h"
#include "cmd/gpuctl/server.h"
#include "internal/json/document.h"

namespace gpumon::ctl {
namespace {

using json::Value;

constexpr char kPast[] = "/api/v1/gpu/health/history";
constexpr char kWorkloads[] = "/api/v1/gpu/workloads";
constexpr std::size_t kPage = 1000;  // the most the server gives at once
constexpr std::size_t kMost = 10'000;

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
    for (const Value& row : rows) {
      json::Writer writer;
      CopyJson(row, writer);
      if (auto snapshot = store::DecodeLine(writer.view())) {
        past.snapshots.push_back(*std::move(snapshot));
      }
    }
    const std::size_t all = static_cast<std::size_t>(std::max<std::int64_t>(*count, 0));
    if (offset + rows.size() >= all || rows.empty()) return {};
    if (offset + kPage >= kMost) past.left_out += all - kMost;
  }
  return {};
}

// The names by which the collector stores the pods of a workload.
Result<std::vector<std::string>> PodsOf(Server& server, const std::string& task) {
  std::vector<std::string> pods;
  const std::size_t slash = task.find('/');
  if (slash == std::string::npos) return pods;
  const auto answer = server.GetData(
      kWorkloads, {{"namespace", task.substr(0, slash)}, {"fields", "namespace,pod,owner_name"}});
  if (!answer) return Error(answer.error());
  for (const Value& row : (*answer)["data"].elements()) {
    if (TextOf(row["owner_name"]) != task.substr(slash + 1)) continue;
    pods.push_back(TextOf(row["namespace"]) + '/' + TextOf(row["pod"]));
  }
  return pods;
}

}  // namespace

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
