#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/health_source.h"
#include "cmd/gpuctl/server.h"
#include "internal/base/text.h"
#include "internal/collect/task.h"
#include "internal/fleet/health.h"
#include "internal/json/document.h"

namespace gpumon::ctl {
namespace {

using json::Value;

constexpr char kHealth[] = "/api/v1/gpu/health";
constexpr char kNodes[] = "/api/v1/gpu/nodes";
constexpr char kMetrics[] = "/api/v1/gpu/metrics";
constexpr char kWorkloads[] = "/api/v1/gpu/workloads";
constexpr char kTasks[] = "/api/v1/gpu/tasks";
constexpr char kHistory[] = "/api/v1/gpu/history";
constexpr std::string_view kMetricFields =
    "node_name,gpu_id,gpu_index,gpu_name,uuid,mig,temperature,power,power_limit,"
    "memory_used_bytes,memory_total_bytes,utilization,sm_occupancy,sm_clock,sm_clock_max,"
    "ecc_corrected_volatile,ecc_uncorrected_volatile,workloads";
constexpr double kMiB = 1024.0 * 1024;
constexpr std::size_t kMostCurveNodes = 8;  // of a task, each of which is asked for

struct NumberRow {
  std::string_view from;
  std::optional<double> store::GpuReading::*to;
  double divide;
};
constexpr std::array kNumbers = {
    NumberRow{"temperature", &store::GpuReading::temperature_c, 1},
    NumberRow{"power", &store::GpuReading::power_draw_w, 1},
    NumberRow{"power_limit", &store::GpuReading::power_limit_w, 1},
    NumberRow{"memory_used_bytes", &store::GpuReading::memory_used_mb, kMiB},
    NumberRow{"memory_total_bytes", &store::GpuReading::memory_total_mb, kMiB},
    NumberRow{"utilization", &store::GpuReading::gpu_utilization_pct, 1},
    NumberRow{"sm_occupancy", &store::GpuReading::sm_occupancy_pct, 1},
    NumberRow{"sm_clock", &store::GpuReading::clock_mhz, 1},
    NumberRow{"sm_clock_max", &store::GpuReading::max_clock_mhz, 1},
};

// Of the instance, as /metrics or as the others tell it; else of the GPU; "" when nobody knows it.
std::string UuidOf(const Value& row) {
  for (const Value* const uuid : {&row["mig"]["uuid"], &row["mig_uuid"], &row["uuid"]}) {
    if (uuid->AsString() != nullptr) return *uuid->AsString();
  }
  return {};
}

// What tells a GPU or MIG instance from all others in every answer.
std::string KeyOf(const Value& row) {
  const std::string uuid = UuidOf(row);
  return uuid.empty() ? TextOf(row["node_name"]) + '\n' + TextOf(row["gpu_id"]) : uuid;
}

std::string NameOf(const Value& name_space, const Value& name) {
  const std::string first = TextOf(name_space);
  return first.empty() ? TextOf(name) : first + '/' + TextOf(name);
}

// A workload's or a task's name: of its owner, or its own.
std::string TaskName(const Value& row, const char* own) {
  return NameOf(row["namespace"], row["owner_name"].AsString() ? row["owner_name"] : row[own]);
}

store::GpuReading ReadingOf(const Value& row) {
  store::GpuReading gpu;
  gpu.gpu_index = row["gpu_index"].AsInteger();
  gpu.uuid = UuidOf(row);
  gpu.name = TextOf(row["gpu_name"]);
  gpu.nvlink_status = "unknown";
  for (const NumberRow& number : kNumbers) {
    if (const auto value = row[number.from].AsDouble()) gpu.*number.to = *value / number.divide;
  }
  const auto corrected = row["ecc_corrected_volatile"].AsDouble();
  const auto uncorrected = row["ecc_uncorrected_volatile"].AsDouble();
  if (corrected || uncorrected) gpu.ecc_errors = corrected.value_or(0) + uncorrected.value_or(0);
  return gpu;
}

store::HealthState StateOf(const Value& finding, const std::string& whose, WallTime time) {
  const std::string severity = TextOf(finding["severity"]);
  store::HealthState state;
  state.component = TextOf(finding["component"]);
  state.health = severity == "critical"  ? "unhealthy"
                 : severity == "warning" ? "degraded"
                                         : "healthy";
  state.severity = severity;
  state.message = whose + TextOf(finding["finding"]);
  const std::string action = TextOf(finding["action"]);
  if (!action.empty() && action != "IGNORE_NO_ACTION_REQUIRED") {
    state.message.append("; ").append(kSuggested).append(action);
  }
  state.timestamp = time;
  return state;
}

// One visit to the server.
class Visit {
 public:
  Visit(Server& server, const HealthQuestion& question) : server_(server), question_(question) {
    report_.source = server.name();
    report_.of_one = !question.task.empty() || !question.node.empty();
  }

  Result<HealthReport> OfNodes() {
    report_.row = "node";
    Server::Query filter;
    if (!question_.node.empty()) filter.emplace_back("node", question_.node);
    const auto nodes = List(kNodes, filter);
    if (!nodes) return Error(nodes.error());
    if (nodes->size() == 0 && !question_.node.empty()) {
      return Error(Code::kNotFound, server_.name() + " knows no node " + question_.node +
                                        " with GPUs; gpuctl health lists those it knows");
    }
    if (auto asked = AskForGpus(filter); !asked) return Error(asked.error());
    filter.emplace_back("by", "node");
    const auto hosts = List(kHealth, filter);
    if (!hosts) return Error(hosts.error());
    for (const Value& row : nodes->elements()) AddNode(row);
    for (const Value& row : hosts->elements()) AddHost(row);
    for (const auto& [key, gpu] : gpus_) AddGpu(TextOf((*gpu.health)["node_name"]), gpu);
    return Finish();
  }

  Result<HealthReport> OfTasks() {
    if (auto asked = AskForGpus({}); !asked) return Error(asked.error());
    const auto workloads = List(kWorkloads, {});
    if (!workloads) return Error(workloads.error());
    std::map<std::string, std::string> owners;  // of pods
    for (const Value& row : workloads->elements()) {
      const std::string name = TaskName(row, "pod");
      owners[NameOf(row["namespace"], row["pod"])] = name;
      if (IsWanted(name) && WantsAll()) TaskOf(name, TextOf(row["node_names"][0]));
    }
    for (const auto& [key, gpu] : gpus_) {
      std::set<std::string> names;  // several containers of a pod may hold it
      for (const Value& holder : gpu.workloads->elements()) {
        const std::string pod = NameOf(holder["namespace"], holder["pod"]);
        if (pod.empty()) continue;
        const auto owner = owners.find(pod);
        names.insert(owner == owners.end() ? pod : owner->second);
      }
      for (const std::string& name : names) {
        if (!IsWanted(name)) continue;
        TaskOf(name, TextOf((*gpu.health)["node_name"]));
        AddGpu(name, gpu);
      }
    }
    if (WantsAll()) {
      if (auto asked = AddTasksWithoutGpus(); !asked) return Error(asked.error());
    }
    if (!question_.task.empty() && tasks_.empty()) {
      return Error(Code::kNotFound, server_.name() + " knows no task " + question_.task +
                                        "; gpuctl health --gpu --all lists those it knows");
    }
    for (auto& [name, task] : tasks_) Score(task);
    return Finish();
  }

 private:
  struct Gpu {
    const Value* health = nullptr;
    const Value* workloads = nullptr;
    std::optional<store::GpuReading> reading;  // a lost one has none
  };
  struct Task {
    store::Snapshot snapshot;
    double sum = 0;
    double scored = 0;
  };

  bool IsWanted(const std::string& name) const {
    return !name.empty() && (question_.task.empty() || question_.task == name);
  }
  // Whoever names a task wants it whether or not it has GPUs.
  bool WantsAll() const { return question_.all || !question_.task.empty(); }

  Result<Value> List(const char* path, const Server::Query& query) {
    auto answer = server_.GetData(path, query);
    if (!answer) return Error(answer.error());
    if (!(*answer)["data"].is_array()) return Error(server_.Lack(path, "rows"));
    const auto time = ParseTime(TextOf((*answer)["meta"]["as_of"]));
    if (time) report_.time = std::max(report_.time, *time);
    for (const Value& warning : (*answer)["warnings"].elements()) {
      const std::string text = TextOf(warning);
      const auto& notes = report_.notes;
      if (std::find(notes.begin(), notes.end(), text) == notes.end()) {
        report_.notes.push_back(text);
      }
    }
    return (*answer)["data"];
  }

  Result<void> AskForGpus(Server::Query filter) {
    auto health = List(kHealth, filter);
    if (!health) return Error(health.error());
    filter.emplace_back("fields", kMetricFields);
    auto metrics = List(kMetrics, filter);
    if (!metrics) return Error(metrics.error());
    health_ = *std::move(health);
    metrics_ = *std::move(metrics);
    for (const Value& row : health_.elements()) gpus_[KeyOf(row)].health = &row;
    for (const Value& row : metrics_.elements()) {
      const auto found = gpus_.find(KeyOf(row));
      // One came between the two answers.
      if (found == gpus_.end()) continue;
      found->second.reading = ReadingOf(row);
      found->second.workloads = &row["workloads"];
    }
    static const Value kNone;
    for (auto& [key, gpu] : gpus_) {
      if (gpu.workloads == nullptr) gpu.workloads = &kNone;
    }
    return {};
  }

  Task& TaskOf(const std::string& name, const std::string& node) {
    Task& task = tasks_[name];
    if (!task.snapshot.task_id.empty()) return task;
    task.snapshot.id = store::NewId();
    task.snapshot.task_id = name;
    task.snapshot.task_name = name;
    task.snapshot.instance_id = node;
    task.snapshot.timestamp = report_.time;
    task.snapshot.machine_info = {{"source", "api"}};
    return task;
  }

  void AddNode(const Value& row) {
    const std::string name = TextOf(row["node_name"]);
    store::Snapshot& node = TaskOf(name, name).snapshot;
    node.instance_type =
        collect::InstanceType(static_cast<std::size_t>(row["gpu_count"].AsInteger().value_or(0)),
                              TextOf(row["models"][0]));
    if (const auto seen = ParseTime(TextOf(row["last_seen"]))) node.timestamp = *seen;
    if (const auto score = row["score"].AsDouble()) node.health_score = *score / 100;
    const bool offline = TextOf(row["status"]) == "offline";
    node.health_status = offline ? "critical" : TextOf(row["level"]);
    if (offline) node.machine_info.emplace_back("status", TextOf(row["status_reason"]));
  }

  // What is the matter with the machine itself; its GPUs have rows of their own.
  void AddHost(const Value& row) {
    const auto found = tasks_.find(TextOf(row["node_name"]));
    if (found == tasks_.end()) return;
    for (const Value& finding : row["findings"].elements()) {
      if (TextOf(finding["component"]) != "host") continue;
      found->second.snapshot.health_states.push_back(StateOf(finding, "", report_.time));
    }
  }

  void AddGpu(const std::string& name, const Gpu& gpu) {
    const auto found = tasks_.find(name);
    if (found == tasks_.end() || gpu.health == nullptr) return;
    Task& task = found->second;
    if (gpu.reading) task.snapshot.gpu_metrics.push_back(*gpu.reading);
    const Value& row = *gpu.health;
    const std::string whose = report_.row == "node" ? "GPU " + TextOf(row["gpu_id"]) + ": "
                                                    : "GPU " + TextOf(row["gpu_id"]) + " of " +
                                                          TextOf(row["node_name"]) + ": ";
    for (const Value& finding : row["findings"].elements()) {
      task.snapshot.health_states.push_back(StateOf(finding, whose, report_.time));
    }
    if (const auto score = row["score"].AsDouble()) {
      task.sum += *score;
      ++task.scored;
    }
  }

  static void Score(Task& task) {
    if (!(task.scored > 0)) return;
    const double score = task.sum / task.scored;
    task.snapshot.health_score = score / 100;
    task.snapshot.health_status = fleet::NameOf(fleet::LevelOf(score, {}));
  }

  Result<void> AddTasksWithoutGpus() {
    const auto rows = List(kTasks, {});
    if (!rows) return Error(rows.error());
    for (const Value& row : rows->elements()) {
      const std::string name = TaskName(row, "name");
      const std::string phase = TextOf(row["phase"]);
      if (!IsWanted(name) || tasks_.count(name) > 0 || phase == "Succeeded") continue;
      Task& task = TaskOf(name, TextOf(row["node_names"][0]));
      const std::string reason = TextOf(row["reason"]);
      task.snapshot.health_states.push_back(
          {"task", "unknown", phase + (reason.empty() ? "" : ": " + reason), "info", report_.time});
    }
    return {};
  }

  Result<HealthReport> Finish() {
    for (auto& [name, task] : tasks_) report_.tasks.push_back(std::move(task.snapshot));
    for (store::Snapshot& task : report_.tasks) {
      std::stable_sort(task.gpu_metrics.begin(), task.gpu_metrics.end(),
                       [](const auto& a, const auto& b) { return a.gpu_index < b.gpu_index; });
    }
    SortRows(report_);
    if (question_.usage) AddCurve();
    return std::move(report_);
  }

  // A curve that the server cannot give is none: the numbers are what was asked for.
  void AddCurve() {
    report_.usage_of = "last 60 minutes";
    if (!report_.of_one) return Add(Curve({{"aggregate", "cluster"}}), {});
    if (!question_.node.empty()) {
      return Add(Curve({{"aggregate", "node"}, {"node", question_.node}}), {});
    }
    std::set<std::string> uuids;
    std::set<std::string> nodes;
    for (const auto& [key, gpu] : gpus_) {
      if (gpu.reading && IsOfTask(*gpu.reading)) {
        uuids.insert(gpu.reading->uuid);
        nodes.insert(TextOf((*gpu.health)["node_name"]));
      }
    }
    if (nodes.size() > kMostCurveNodes) return;
    Value::Array rows;
    for (const std::string& node : nodes) {
      const Value of_node = Curve({{"node", node}});
      rows.insert(rows.end(), of_node.elements().begin(), of_node.elements().end());
    }
    AddRows(rows, uuids);
  }
  bool IsOfTask(const store::GpuReading& gpu) const {
    const auto& all = report_.tasks[0].gpu_metrics;
    return !gpu.uuid.empty() && std::any_of(all.begin(), all.end(),
                                            [&](const auto& one) { return one.uuid == gpu.uuid; });
  }

  Value Curve(Server::Query query) {
    query.emplace_back("metric", "utilization");
    query.emplace_back("window", "1h");
    query.emplace_back("step", "1m");
    auto answer = server_.GetData(kHistory, query);
    return answer ? (*answer)["data"] : Value();
  }

  void Add(const Value& rows, const std::set<std::string>& uuids) {
    AddRows(rows.elements(), uuids);
  }

  // The mean of the rows, point by point.
  void AddRows(const Value::Array& rows, const std::set<std::string>& uuids) {
    std::vector<std::pair<double, double>> sums;
    for (const Value& row : rows) {
      if (!uuids.empty() && uuids.count(UuidOf(row)) == 0) continue;
      const auto& points = row["avg"].elements();
      sums.resize(std::max(sums.size(), points.size()));
      for (std::size_t i = 0; i < points.size(); ++i) {
        const auto value = points[i].AsDouble();
        if (!value) continue;
        sums[i].first += *value;
        ++sums[i].second;
      }
    }
    for (const auto& [sum, count] : sums) {
      report_.usage.push_back(count > 0 ? std::optional(sum / count) : std::nullopt);
    }
  }

  Server& server_;
  const HealthQuestion& question_;
  HealthReport report_;
  Value health_;
  Value metrics_;
  std::map<std::string, Gpu> gpus_;    // by KeyOf; views of the two above
  std::map<std::string, Task> tasks_;  // by name; or nodes
};

}  // namespace

Result<HealthReport> AskApi(Server& server, const HealthQuestion& question) {
  Visit visit(server, question);
  return question.gpu_tasks || !question.task.empty() ? visit.OfTasks() : visit.OfNodes();
}

}  // namespace gpumon::ctl
