#include "cmd/gpuctl/health_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/health_host.h"
#include "internal/base/text.h"
#include "internal/json/writer.h"

namespace gpumon::ctl {
namespace {

constexpr double kWarm = 75;  // degrees Celsius
constexpr double kLoad = 50;  // % of utilization
constexpr double kThrottledClock = 0.9;
constexpr std::size_t kMostInSummary = 10;

// The worst first.
constexpr std::array<std::string_view, 4> kStatuses = {"critical", "degraded", "unknown",
                                                       "healthy"};

std::size_t RankOf(const store::Snapshot& task) {
  const auto at = std::find(kStatuses.begin(), kStatuses.end(), task.health_status);
  return static_cast<std::size_t>(at - kStatuses.begin());
}

Remark RemarkOf(const store::Snapshot& task, const store::HealthState& state, std::size_t at) {
  std::string message = state.message;
  std::string suggestion;
  if (const std::size_t begin = message.find(kSuggested); begin != std::string::npos) {
    suggestion = message.substr(begin + kSuggested.size());
    message.erase(begin);
    message.erase(message.find_last_not_of("; ") + 1);
  }
  if (message.empty()) message = state.component + " is " + state.health;
  return {state.component, task.task_name + ": " + message, std::move(suggestion), at};
}

std::string Percent(double score) {
  return std::to_string(static_cast<int>(std::floor(100 * score + 1e-7))) + " %";
}

void Judge(const store::Snapshot& task, std::size_t at, Remarks& remarks) {
  const std::size_t before = remarks.issues.size() + remarks.warnings.size();
  for (const store::HealthState& state : task.health_states) {
    if (state.health == "unhealthy" || state.severity == "critical") {
      remarks.issues.push_back(RemarkOf(task, state, at));
    } else if (state.health == "degraded" || state.severity == "warning") {
      remarks.warnings.push_back(RemarkOf(task, state, at));
    }
  }
  const bool said = remarks.issues.size() + remarks.warnings.size() > before;
  const std::string score = task.health_score ? " (" + Percent(*task.health_score) + ")" : "";
  const std::string line = task.task_name + ": " + task.health_status + score;
  if (task.health_status == "healthy") {
    remarks.successes.push_back({"health", line, "", at});
  } else if (!said && task.health_status == "critical") {
    remarks.issues.push_back({"health", line, "", at});
  } else if (!said && (task.health_status == "degraded" || !task.gpu_metrics.empty())) {
    remarks.warnings.push_back({"health", line, "", at});
  }
}

class Mean {
 public:
  void Add(std::optional<double> value) {
    if (!value) return;
    sum_ += *value;
    ++count_;
  }
  std::optional<double> Get() const {
    if (count_ == 0) return std::nullopt;
    return std::round(100 * sum_ / static_cast<double>(count_)) / 100;
  }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

void Write(std::string_view key, std::string_view text, json::Writer& writer) {
  writer.Key(key);
  writer.String(text);
}
void Write(std::string_view key, std::size_t number, json::Writer& writer) {
  writer.Key(key);
  writer.Unsigned(number);
}
void Write(std::string_view key, std::optional<double> number, json::Writer& writer) {
  writer.Key(key);
  number ? writer.Number(*number) : writer.Null();
}

void WriteDetails(std::string_view key, const std::vector<Remark>& remarks, json::Writer& writer) {
  writer.Key(key);
  writer.BeginArray();
  for (const Remark& remark : remarks) {
    writer.BeginObject();
    Write("category", remark.category, writer);
    Write("message", remark.message, writer);
    Write("suggestion", remark.suggestion, writer);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteWorst(std::string_view key, const HealthReport& report,
                const std::vector<Remark>& remarks, json::Writer& writer) {
  writer.Key(key);
  writer.BeginArray();
  for (const Remark& remark : std::span(remarks).first(std::min(remarks.size(), kMostInSummary))) {
    const std::string& name = report.tasks[remark.task].task_name;
    writer.BeginObject();
    Write("task_name", name, writer);
    Write("component", remark.category, writer);
    // Whose it is stands beside it.
    Write("message", std::string_view(remark.message).substr(name.size() + 2), writer);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteFleet(const HealthReport& report, const Remarks& remarks, json::Writer& writer) {
  const FleetSummary fleet = SummaryOf(report);
  writer.Key("fleet_summary");
  writer.BeginObject();
  Write("timestamp", FormatTime(report.time), writer);
  Write("total_nodes", fleet.total_nodes, writer);
  Write("healthy_nodes", fleet.healthy_nodes, writer);
  Write("degraded_nodes", fleet.degraded_nodes, writer);
  Write("critical_nodes", fleet.critical_nodes, writer);
  Write("total_gpus", fleet.total_gpus, writer);
  Write("healthy_gpus", fleet.healthy_gpus, writer);
  Write("avg_gpu_temperature", fleet.avg_gpu_temperature, writer);
  Write("avg_gpu_utilization", fleet.avg_gpu_utilization, writer);
  Write("avg_gpu_memory_utilization", fleet.avg_gpu_memory_utilization, writer);
  WriteWorst("critical_issues", report, remarks.issues, writer);
  WriteWorst("warnings", report, remarks.warnings, writer);
  writer.EndObject();
}

}  // namespace

void SortRows(HealthReport& report) {
  std::sort(report.tasks.begin(), report.tasks.end(),
            [](const store::Snapshot& a, const store::Snapshot& b) {
              return std::make_tuple(RankOf(a), std::string_view(a.task_id)) <
                     std::make_tuple(RankOf(b), std::string_view(b.task_id));
            });
}

Remarks RemarksOf(const HealthReport& report) {
  Remarks remarks;
  for (std::size_t i = 0; i < report.tasks.size(); ++i) Judge(report.tasks[i], i, remarks);
  return remarks;
}

bool IsThrottled(const store::GpuReading& gpu) {
  return gpu.clock_mhz && gpu.max_clock_mhz && gpu.gpu_utilization_pct &&
         *gpu.gpu_utilization_pct > kLoad && *gpu.clock_mhz < kThrottledClock * *gpu.max_clock_mhz;
}

std::optional<double> MemoryPercent(const store::GpuReading& gpu) {
  if (!gpu.memory_used_mb || !gpu.memory_total_mb || !(*gpu.memory_total_mb > 0)) {
    return std::nullopt;
  }
  return 100 * *gpu.memory_used_mb / *gpu.memory_total_mb;
}

FleetSummary SummaryOf(const HealthReport& report) {
  FleetSummary fleet;
  Mean temperature;
  Mean utilization;
  Mean memory;
  std::set<std::string_view> seen;
  for (const store::Snapshot& task : report.tasks) {
    const std::array<std::size_t*, 4> counts = {&fleet.critical_nodes, &fleet.degraded_nodes,
                                                &fleet.unknown_nodes, &fleet.healthy_nodes};
    const std::size_t rank = std::min(RankOf(task), std::size_t{3});
    ++*(RankOf(task) < counts.size() ? counts[rank] : &fleet.unknown_nodes);
    for (const store::GpuReading& gpu : task.gpu_metrics) {
      if (!gpu.uuid.empty() && !seen.insert(gpu.uuid).second) continue;
      ++fleet.total_gpus;
      if (gpu.temperature_c && *gpu.temperature_c < kWarm && !IsThrottled(gpu)) {
        ++fleet.healthy_gpus;
      }
      temperature.Add(gpu.temperature_c);
      utilization.Add(gpu.gpu_utilization_pct);
      memory.Add(MemoryPercent(gpu));
    }
  }
  fleet.total_nodes = fleet.healthy_nodes + fleet.degraded_nodes + fleet.critical_nodes;
  fleet.avg_gpu_temperature = temperature.Get();
  fleet.avg_gpu_utilization = utilization.Get();
  fleet.avg_gpu_memory_utilization = memory.Get();
  return fleet;
}

std::string HealthJson(const HealthReport& report) {
  const Remarks remarks = RemarksOf(report);
  json::Writer writer;
  writer.BeginObject();
  Write("timestamp", FormatTime(report.time), writer);
  writer.Key("summary");
  writer.BeginObject();
  Write("issues", remarks.issues.size(), writer);
  Write("warnings", remarks.warnings.size(), writer);
  Write("successes", remarks.successes.size(), writer);
  writer.EndObject();
  writer.Key("details");
  writer.BeginObject();
  WriteDetails("issues", remarks.issues, writer);
  WriteDetails("warnings", remarks.warnings, writer);
  WriteDetails("successes", remarks.successes, writer);
  writer.EndObject();
  WriteFleet(report, remarks, writer);
  writer.Key("notes");
  writer.BeginArray();
  for (const std::string& note : report.notes) writer.String(note);
  writer.EndArray();
  if (!report.hosts.empty()) {
    writer.Key("hosts");
    writer.BeginArray();
    for (const HostLoad& host : report.hosts) WriteHost(host, writer);
    writer.EndArray();
  }
  writer.EndObject();
  return EscapeHidden(writer.view()) + '\n';
}

int HealthExit(const HealthReport& report, FailOn fail_on) {
  if (fail_on == FailOn::kNever) return 0;
  const Remarks remarks = RemarksOf(report);
  if (!remarks.issues.empty()) return 2;
  return fail_on == FailOn::kWarnings && !remarks.warnings.empty() ? 1 : 0;
}

std::string NoPast(const HealthPast& past) {
  return std::string("No health history found for ").append(past.kind).append(" ") + past.name;
}

std::string PastJson(const HealthPast& past) {
  json::Writer writer;
  writer.BeginObject();
  if (past.snapshots.empty()) {
    Write("error", NoPast(past), writer);
  } else {
    Write(past.kind == "node" ? "node" : "task_id", past.name, writer);
    writer.Key("hours");
    writer.Integer(past.hours);
    writer.Key("snapshots");
    writer.BeginArray();
    for (const store::Snapshot& one : past.snapshots) writer.Raw(store::EncodeAnswer(one));
    writer.EndArray();
    writer.Key("latest");
    writer.Raw(store::EncodeAnswer(past.snapshots.back()));
  }
  writer.EndObject();
  return EscapeHidden(writer.view()) + '\n';
}

}  // namespace gpumon::ctl
