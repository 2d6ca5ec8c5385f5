#include "handlers/tasks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "handlers/record_answer.h"

namespace gpumon::handlers {
namespace {

using models::GpuMetrics;
using models::NullReason;
using models::Part;
using models::Quantity;
using models::Task;
using models::Text;
using wire::Column;
using wire::Item;
using wire::Value;
using Type = Column::Type;

using Name = std::pair<std::string_view, std::string_view>;  // namespace, name
using GpuRefs = std::vector<const GpuMetrics*>;

constexpr NullReason kDoesNotApply = NullReason::kNone;

bool IsJob(const Task& task) {
  return task.kind == "Job";
}

// What rows are made of.
class Tasks {
 public:
  // `gpus` is null where it could not be had.
  Tasks(const models::Snapshot& tasks, const models::Snapshot* gpus) : tasks_(tasks), gpus_(gpus) {
    for (const Task& task : tasks.tasks) {
      if (!task.job.empty()) pods_[{task.name_space, task.job}].push_back(&task);
    }
    if (gpus == nullptr) return;
    for (const GpuMetrics& gpu : gpus->gpus) {
      const auto holders =
          std::span(gpus->workloads).subspan(gpu.first_workload, gpu.workload_count);
      std::set<Name> seen;  // several containers of one pod may hold it
      for (const models::Workload& workload : holders) {
        const Name name{workload.name_space, workload.pod};
        if (seen.insert(name).second) held_[name].push_back(&gpu);
      }
    }
  }

  const std::vector<Task>& all() const { return tasks_.tasks; }
  // Of a Job; empty for a pod.
  std::vector<const Task*> PodsOf(const Task& task) const {
    const auto found = pods_.find({task.name_space, task.name});
    return IsJob(task) && found != pods_.end() ? found->second : std::vector<const Task*>();
  }
  // GPUs and MIG instances that exporters say it holds, of a Job: its pods.
  GpuRefs GpusOf(const Task& task) const {
    GpuRefs gpus;
    if (!IsJob(task)) gpus = HeldBy({task.name_space, task.name});
    for (const Task* pod : PodsOf(task)) {
      for (const GpuMetrics* gpu : HeldBy({pod->name_space, pod->name})) {
        if (std::find(gpus.begin(), gpus.end(), gpu) == gpus.end()) gpus.push_back(gpu);
      }
    }
    std::sort(gpus.begin(), gpus.end());
    return gpus;
  }
  // Why what kube-state-metrics may tell is not known.
  NullReason why() const {
    return tasks_.partial ? NullReason::kQueryFailed : NullReason::kNotExported;
  }
  NullReason why_no_gpus() const {
    const bool failed = gpus_ == nullptr || gpus_->partial;
    return failed ? NullReason::kQueryFailed : NullReason::kNotExported;
  }

 private:
  GpuRefs HeldBy(const Name& pod) const {
    const auto found = held_.find(pod);
    return found == held_.end() ? GpuRefs() : found->second;
  }

  const models::Snapshot& tasks_;
  const models::Snapshot* const gpus_;
  std::map<Name, std::vector<const Task*>> pods_;  // by their Job
  std::map<Name, GpuRefs> held_;                   // by pod
};

struct Row {
  const Tasks& tasks;
  const Task& task;
};

Value TextOr(std::string_view text, NullReason why) {
  return wire::TextOrNull(text, why);
}
Value NumberOr(double value, NullReason why) {
  return std::isnan(value) ? Value(why) : Value(value);
}
Value IntegerOr(double value, NullReason why) {
  return std::isnan(value) ? Value(why) : Value(static_cast<std::int64_t>(std::llround(value)));
}
bool HasEnded(const Task& task) {
  return task.phase == models::kSucceeded || task.phase == models::kFailed;
}

template <double Task::*kNumber>
Value Number(const Row& row) {
  return NumberOr(row.task.*kNumber, row.tasks.why());
}
template <double Task::*kNumber>
Value Whole(const Row& row) {
  return IntegerOr(row.task.*kNumber, row.tasks.why());
}
// What a pod does not have.
template <double Task::*kNumber>
Value OfJob(const Row& row) {
  if (!IsJob(row.task)) return kDoesNotApply;
  return Whole<kNumber>(row);
}

Value HeldCount(const Row& row) {
  const std::size_t held = row.tasks.GpusOf(row.task).size();
  if (held == 0 && row.task.phase == models::kRunning) return row.tasks.why_no_gpus();
  return static_cast<std::int64_t>(held);
}
Value HeldModels(const Row& row) {
  std::set<std::string> names;
  for (const GpuMetrics* gpu : row.tasks.GpusOf(row.task)) {
    if (!gpu->text(Text::kGpuName).empty()) names.emplace(gpu->text(Text::kGpuName));
  }
  return std::vector<std::string>(names.begin(), names.end());
}
Value NodesOf(const Row& row) {
  std::set<std::string> nodes;
  if (!row.task.node.empty()) nodes.emplace(row.task.node);
  for (const Task* pod : row.tasks.PodsOf(row.task)) {
    if (!pod->node.empty()) nodes.emplace(pod->node);
  }
  return std::vector<std::string>(nodes.begin(), nodes.end());
}

struct TaskColumn {
  Column column;
  Value (*value)(const Row& row);
};

constexpr std::array kTaskColumns = {
    TaskColumn{{"kind", Type::kText, "", "kind", "Pod, or Job: what made one.", nullptr, "Pod|Job"},
               [](const Row& row) { return Value(std::string(row.task.kind)); }},
    TaskColumn{{"namespace", Type::kText, "", "namespace", "Kubernetes namespace."},
               [](const Row& row) { return TextOr(row.task.name_space, row.tasks.why()); }},
    TaskColumn{{"name", Type::kText, "", "name", "Of the pod or the Job."},
               [](const Row& row) { return TextOr(row.task.name, row.tasks.why()); }},
    TaskColumn{{"phase", Type::kText, "", "phase", "Pending, Running, Succeeded, Failed, Unknown.",
                nullptr, "Pending|Running|Succeeded|Failed|Unknown"},
               [](const Row& row) { return TextOr(row.task.phase, row.tasks.why()); }},
    TaskColumn{{"reason", Type::kText, "", "reason",
                "Why it waits or failed: Unschedulable, what a container waits for "
                "(ImagePullBackOff), what became of the pod (Evicted) or of the Job "
                "(BackoffLimitExceeded)."},
               [](const Row& row) { return TextOr(row.task.reason, kDoesNotApply); }},
    TaskColumn{{"node_names", Type::kTexts, "", "node", "Where it is, of a Job: its pods."},
               NodesOf},
    TaskColumn{{"owner_kind", Type::kText, "", "owner_kind",
                "What made it in the end: Deployment, not ReplicaSet. Of a pod and of a Job that "
                "nothing made: itself."},
               [](const Row& row) { return TextOr(row.task.owner_kind, row.tasks.why()); }},
    TaskColumn{{"owner_name", Type::kText, "", "owner", "Its name."},
               [](const Row& row) { return TextOr(row.task.owner_name, row.tasks.why()); }},
    TaskColumn{{"job", Type::kText, "", "job", "Of a pod: the Job that made it."},
               [](const Row& row) { return TextOr(row.task.job, kDoesNotApply); }},
    TaskColumn{{"gpus_requested", Type::kInteger, "", "",
                "Of a Job: by its largest pod, times the pods that it runs at once; so the next "
                "two."},
               Whole<&Task::gpus>},
    TaskColumn{{"cores_requested", Type::kNumber, "cores", "", "By its containers."},
               Number<&Task::cores>},
    TaskColumn{{"memory_requested_bytes", Type::kNumber, "bytes", "", "By its containers."},
               Number<&Task::memory>},
    TaskColumn{{"gpus_held", Type::kInteger, "", "",
                "GPUs and MIG instances that exporters say it holds. Null where it runs and none "
                "says which."},
               HeldCount},
    TaskColumn{{"gpu_names", Type::kTexts, "", "model", "Their product names."}, HeldModels},
    TaskColumn{{"submitted", Type::kTime, "", "", "When it was made."}, Number<&Task::submitted>},
    TaskColumn{{"started", Type::kTime, "", "",
                "When a node took the pod; when the Job's controller took the Job."},
               [](const Row& row) {
                 const bool waits = row.task.phase == models::kPending;
                 return NumberOr(row.task.started, waits ? kDoesNotApply : row.tasks.why());
               }},
    TaskColumn{{"completed", Type::kTime, "", "", "When it ended; of a Job: when it succeeded."},
               [](const Row& row) {
                 return NumberOr(row.task.completed,
                                 HasEnded(row.task) ? row.tasks.why() : kDoesNotApply);
               }},
    TaskColumn{{"exit_code", Type::kInteger, "", "",
                "Of the last run that ended: 0 where it completed. kube-state-metrics tells that "
                "of other runs only where another followed."},
               [](const Row& row) {
                 const bool none = row.task.error.empty() && !HasEnded(row.task);
                 return IntegerOr(row.task.exit_code, none ? kDoesNotApply : row.tasks.why());
               }},
    TaskColumn{{"error", Type::kText, "", "error",
                "Why the last run that ended did not complete: OOMKilled, Error."},
               [](const Row& row) { return TextOr(row.task.error, kDoesNotApply); }},
    TaskColumn{{"restarts", Type::kInteger, "", "", "Of its containers together."},
               [](const Row& row) {
                 const bool waits = row.task.phase == models::kPending;
                 return IntegerOr(row.task.restarts, waits ? kDoesNotApply : row.tasks.why());
               }},
    TaskColumn{{"pods_active", Type::kInteger, "", "", "Of a Job: pods that have not ended."},
               OfJob<&Task::active>},
    TaskColumn{{"pods_succeeded", Type::kInteger, "", "", "Of a Job."}, OfJob<&Task::succeeded>},
    TaskColumn{{"pods_failed", Type::kInteger, "", "", "Of a Job."}, OfJob<&Task::failed>},
    TaskColumn{{"completions", Type::kInteger, "", "", "Of a Job: pods that have to succeed."},
               OfJob<&Task::completions>},
    TaskColumn{{"parallelism", Type::kInteger, "", "", "Of a Job: pods that it runs at once."},
               OfJob<&Task::parallelism>},
};

constexpr std::array kGpuItems = {
    Column{"node_name", Type::kText, "", "", "Where the GPU is."},
    Column{"gpu_id", Type::kText, "", "", "As in /api/v1/gpu/metrics."},
    Column{"gpu_name", Type::kText, "", "", "Product name."},
    Column{"uuid", Type::kText, "", "", "Of the GPU."},
    Column{"mig_uuid", Type::kText, "", "", "Of the MIG instance that it holds."},
    Column{"utilization", Type::kNumber, "%", "", "Of the GPU or instance, whoever holds it too."},
    Column{"memory_used_bytes", Type::kNumber, "bytes", "", "Likewise."},
    Column{"temperature", Type::kNumber, "°C", "", "Of the GPU."},
};
constexpr std::array kPodItems = {
    Column{"name", Type::kText, "", "", "Of the pod."},
    Column{"phase", Type::kText, "", "", "As the task's."},
    Column{"reason", Type::kText, "", "", "As the task's."},
    Column{"node_name", Type::kText, "", "", "Where it is."},
    Column{"started", Type::kTime, "", "", "As the task's."},
    Column{"completed", Type::kTime, "", "", "As the task's."},
    Column{"exit_code", Type::kInteger, "", "", "As the task's."},
    Column{"error", Type::kText, "", "", "As the task's."},
};

Item::Cell CellOf(std::string_view text) {
  return text.empty() ? Item::Cell(NullReason::kNotExported) : Item::Cell(std::string(text));
}
Item::Cell CellOf(double value) {
  return std::isnan(value) ? Item::Cell(NullReason::kNotExported) : Item::Cell(value);
}
Item::Cell CellOf(const GpuMetrics& gpu, Quantity quantity) {
  const auto slot = static_cast<std::size_t>(quantity);
  const auto value = gpu.readings.Get(slot);
  return value ? Item::Cell(*value) : Item::Cell(gpu.readings.reason(slot));
}

Value GpuItemsOf(const Row& row) {
  std::vector<Item> items;
  for (const GpuMetrics* gpu : row.tasks.GpusOf(row.task)) {
    items.push_back({{CellOf(gpu->text(Text::kNode)), CellOf(gpu->text(Text::kGpuId)),
                      CellOf(gpu->text(Text::kGpuName)), CellOf(gpu->text(Text::kUuid)),
                      CellOf(gpu->text(Text::kMigUuid)), CellOf(*gpu, Quantity::kUtilization),
                      CellOf(*gpu, Quantity::kMemoryUsed), CellOf(*gpu, Quantity::kTemperature)}});
  }
  if (items.empty() && row.task.phase == models::kRunning) return row.tasks.why_no_gpus();
  return items;
}
Value PodItemsOf(const Row& row) {
  if (!IsJob(row.task)) return kDoesNotApply;
  std::vector<Item> items;
  for (const Task* pod : row.tasks.PodsOf(row.task)) {
    const auto code = IntegerOr(pod->exit_code, NullReason::kNotExported);
    const auto* const integer = std::get_if<std::int64_t>(&code);
    items.push_back(
        {{CellOf(pod->name), CellOf(pod->phase), CellOf(pod->reason), CellOf(pod->node),
          CellOf(pod->started), CellOf(pod->completed),
          integer == nullptr ? Item::Cell(NullReason::kNotExported) : Item::Cell(*integer),
          CellOf(pod->error)}});
  }
  return items;
}

// What one task by itself has beside these.
constexpr std::array kMoreColumns = {
    TaskColumn{{"gpus", Type::kItems, "", "",
                "That exporters say it holds. Null where it runs and none says which.",
                [] { return std::span<const Column>(kGpuItems); }},
               GpuItemsOf},
    TaskColumn{{"pods", Type::kItems, "", "", "Of a Job.",
                [] { return std::span<const Column>(kPodItems); }},
               PodItemsOf},
};

constexpr auto kColumns = [] {
  std::array<Column, kTaskColumns.size()> columns{};
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = kTaskColumns[i].column;
  return columns;
}();
constexpr auto kDetailColumns = [] {
  std::array<Column, kTaskColumns.size() + kMoreColumns.size()> columns{};
  for (std::size_t i = 0; i < kColumns.size(); ++i) columns[i] = kColumns[i];
  for (std::size_t i = 0; i < kMoreColumns.size(); ++i) {
    columns[kColumns.size() + i] = kMoreColumns[i].column;
  }
  return columns;
}();

constexpr std::array kAsked = {Part::kTasks, Part::kGpus};

std::vector<Value> CellsOf(const Row& row) {
  std::vector<Value> cells;
  for (const TaskColumn& column : kTaskColumns) cells.push_back(column.value(row));
  return cells;
}

void Answer(const CallPtr& call, const RecordQuery& query, const GotParts& parts) {
  const Tasks tasks(*SnapshotOf(parts[0]), SnapshotOf(parts[1]));
  wire::Records records{kColumns, {}};
  for (const Task& task : tasks.all()) records.rows.push_back(CellsOf({tasks, task}));
  SendRecords(*call, query, kAsked, parts, records, "GPU tasks retrieved successfully");
}

void AnswerOne(const CallPtr& call, const RecordQuery& query, const GotParts& parts) {
  const auto& path = call->path_parameters();
  const Tasks tasks(*SnapshotOf(parts[0]), SnapshotOf(parts[1]));
  // A Job stands before a pod of its name.
  const auto found = std::find_if(tasks.all().begin(), tasks.all().end(), [&](const Task& task) {
    return task.name_space == path[0] && task.name == path[1];
  });
  if (found == tasks.all().end()) {
    return call->SendError(Status{Code::kNotFound,
                                  "no pod or Job of this namespace and name asks for GPUs at that "
                                  "instant; /api/v1/gpu/tasks lists those that do"});
  }
  const Row row{tasks, *found};
  wire::Records records{kDetailColumns, {CellsOf(row)}};
  for (const TaskColumn& column : kMoreColumns) records.rows[0].push_back(column.value(row));
  SendRecord(*call, query, kAsked, parts, records, "GPU task retrieved successfully");
}

}  // namespace

void GetTasks(const CallPtr& call) {
  AnswerRecords(call, kColumns, kAsked, Answer);
}

void GetTask(const CallPtr& call) {
  AnswerRecords(call, kDetailColumns, kAsked, AnswerOne);
}

std::span<const ParameterSpec> TaskListParameters() {
  static const RecordParameters kParameters(kColumns);
  return kParameters.specs();
}

std::span<const ParameterSpec> TaskParameters() {
  return OneRecordParameters();
}

std::span<const Column> TaskColumns() {
  return kColumns;
}

std::span<const Column> TaskDetailColumns() {
  return kDetailColumns;
}

}  // namespace gpumon::handlers
