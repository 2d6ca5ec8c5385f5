#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/health_host.h"
#include "cmd/gpuctl/health_rows.h"
#include "cmd/gpuctl/health_source.h"
#include "cmd/gpuctl/server.h"
#include "internal/base/text.h"
#include "internal/checks/texts.h"
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
constexpr std::size_t kMostCurveNodes = 8;  // of a task, each of which is asked for

// One visit to the server.
class Visit {
 public:
  Visit(Server& server, const HealthQuestion& question)
      : server_(server), question_(question), task_(question.task) {
    report_.source = server.name();
    report_.of_one = !question.task.empty() || (!question.node.empty() && !question.gpu_tasks);
  }

  Result<HealthReport> OfNodes() {
    report_.row = "node";
    Server::Query filter = Filter();
    const auto nodes = Nodes();
    if (!nodes) return Error(nodes.error());
    if (auto asked = AskForGpus(filter); !asked) return Error(asked.error());
    filter.emplace_back("by", "node");
    const auto hosts = List(kHealth, filter);
    if (!hosts) return Error(hosts.error());
    for (const Value& row : nodes->elements()) AddNode(row);
    if (!question_.node.empty()) AddHosts(*nodes);
    for (const Value& row : hosts->elements()) AddHost(row);
    for (const auto& [key, gpu] : gpus_) AddGpu(TextOf((*gpu.health)["node_name"]), gpu);
    return Finish();
  }

  Result<HealthReport> OfTasks() {
    if (!question_.node.empty()) {
      if (const auto nodes = Nodes(); !nodes) return Error(nodes.error());
    }
    if (auto asked = AskForGpus(Filter()); !asked) return Error(asked.error());
    const auto workloads = List(kWorkloads, {});
    if (!workloads) return Error(workloads.error());
    const auto rows = WantsAll() ? List(kTasks, {}) : Result<Value>(Value());
    if (!rows) return Error(rows.error());
    if (auto named = NameTask(*workloads, *rows); !named) return Error(named.error());
    std::map<std::string, std::string> owners;  // of pods
    for (const Value& row : workloads->elements()) {
      const std::string name = TaskName(row, "pod");
      owners[NameOf(row["namespace"], row["pod"])] = name;
      if (IsWanted(name) && WantsAll() && IsHere(row)) TaskOf(name, TextOf(row["node_names"][0]));
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
    AddTasksWithoutGpus(*rows);
    if (!question_.task.empty() && tasks_.empty()) {
      if (auto stored = AskApiForStored(server_, question_)) return stored;
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
    return !name.empty() && (task_.empty() || task_ == name);
  }
  // Who asks for a pod wants the task that it is part of: its health stands there.
  Result<void> NameTask(const Value& workloads, const Value& tasks) {
    const std::string& asked = question_.task;
    std::vector<std::string> names;
    for (const auto& [rows, own] : {std::pair(&workloads, "pod"), std::pair(&tasks, "name")}) {
      for (const Value& row : rows->elements()) {
        const std::string name = TaskName(row, own);
        if (name == asked) return {};
        if (asked.empty() || !IsCalled(row, own, asked)) continue;
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    if (names.empty()) return {};
    if (names.size() > 1) {
      return Error(Code::kInvalidParameter,
                   asked + " may be any of " + checks::Joined(names) + ": give one of these");
    }
    task_ = names.front();
    report_.notes.push_back(asked + " is of " + task_ + ": this is its health");
    return {};
  }
  // A row of workloads or tasks: it is on the node that was asked for.
  bool IsHere(const Value& row) const {
    const auto& nodes = row["node_names"].elements();
    return question_.node.empty() || std::any_of(nodes.begin(), nodes.end(), [&](const Value& one) {
             return TextOf(one) == question_.node;
           });
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

  Server::Query Filter() const {
    if (question_.node.empty()) return {};
    return {{"node", question_.node}};
  }

  Result<Value> Nodes() {
    auto nodes = List(kNodes, Filter());
    if (!nodes) return nodes;
    if (nodes->size() > 0 || question_.node.empty()) return nodes;
    return Error(Code::kNotFound, server_.name() + " knows no node " + question_.node +
                                      " with GPUs; gpuctl health lists those it knows");
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

  // Of nodes that were asked for by name.
  void AddHosts(const Value& nodes) {
    for (const Value& row : nodes.elements()) {
      HostLoad host = HostOf(row);
      report_.facts.push_back((nodes.size() > 1 ? host.hostname + ": " : "") + HostText(host));
      report_.hosts.push_back(std::move(host));
    }
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
    const Value& row = *gpu.health;
    if (gpu.reading) {
      task.snapshot.gpu_metrics.push_back(*gpu.reading);
      report_.node_of[gpu.reading->uuid] = TextOf(row["node_name"]);
    }
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

  // Of the tasks that were asked for, if any.
  void AddTasksWithoutGpus(const Value& rows) {
    for (const Value& row : rows.elements()) {
      const std::string name = TaskName(row, "name");
      const std::string phase = TextOf(row["phase"]);
      if (!IsWanted(name) || !IsHere(row) || tasks_.count(name) > 0) continue;
      if (phase == "Succeeded") continue;
      Task& task = TaskOf(name, TextOf(row["node_names"][0]));
      const std::string reason = TextOf(row["reason"]);
      task.snapshot.health_states.push_back(
          {"task", "unknown", phase + (reason.empty() ? "" : ": " + reason), "info", report_.time});
    }
  }

  Result<HealthReport> Finish() {
    for (auto& [name, task] : tasks_) report_.tasks.push_back(std::move(task.snapshot));
    for (store::Snapshot& task : report_.tasks) {
      std::stable_sort(task.gpu_metrics.begin(), task.gpu_metrics.end(),
                       [&](const auto& a, const auto& b) {
                         return std::tie(report_.node_of[a.uuid], a.gpu_index) <
                                std::tie(report_.node_of[b.uuid], b.gpu_index);
                       });
    }
    SortRows(report_);
    if (question_.usage) AddCurve();
    return std::move(report_);
  }

  // A curve that the server cannot give is none: the numbers are what was asked for.
  void AddCurve() {
    report_.usage_of = "last 60 minutes";
    if (!question_.node.empty()) {
      return Add(Curve({{"aggregate", "node"}, {"node", question_.node}}), {});
    }
    if (!report_.of_one) return Add(Curve({{"aggregate", "cluster"}}), {});
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
  std::string task_;  // that was asked for, by its own name; "" for any
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
