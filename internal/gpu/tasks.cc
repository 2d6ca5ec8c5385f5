#include "internal/gpu/tasks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "internal/gpu/pods.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

using models::Pod;
using models::Task;

constexpr std::array<std::string_view, kTaskQueries> kNames = {
    "kube_state_metrics/pods", "kube_state_metrics/pod_details", "kube_state_metrics/jobs"};

constexpr std::string_view kRequests = "kube_pod_container_resource_requests";
constexpr std::string_view kStarted = "kube_pod_start_time";
constexpr std::string_view kCompleted = "kube_pod_completion_time";
constexpr std::string_view kUnschedulable = "kube_pod_status_unschedulable";
constexpr std::string_view kReason = "kube_pod_status_reason";
constexpr std::string_view kWaiting = "kube_pod_container_status_waiting_reason";
constexpr std::string_view kEnded = "kube_pod_container_status_terminated_reason";
constexpr std::string_view kLastEnded = "kube_pod_container_status_last_terminated_reason";
constexpr std::string_view kExitCode = "kube_pod_container_status_last_terminated_exitcode";
constexpr std::string_view kRestarts = "kube_pod_container_status_restarts_total";
constexpr std::array kDetails = {kStarted, kCompleted, kUnschedulable, kReason,  kWaiting,
                                 kEnded,   kLastEnded, kExitCode,      kRestarts};

// A number of a Job.
struct JobNumber {
  std::string_view metric;
  double Task::*number;
};
constexpr std::array kJobNumbers = {
    JobNumber{"kube_job_created", &Task::submitted},
    JobNumber{"kube_job_status_start_time", &Task::started},
    JobNumber{"kube_job_status_completion_time", &Task::completed},
    JobNumber{"kube_job_status_active", &Task::active},
    JobNumber{"kube_job_status_succeeded", &Task::succeeded},
    JobNumber{"kube_job_status_failed", &Task::failed},
    JobNumber{"kube_job_spec_completions", &Task::completions},
    JobNumber{"kube_job_spec_parallelism", &Task::parallelism},
};
constexpr std::string_view kJobComplete = "kube_job_complete";
constexpr std::string_view kJobFailed = "kube_job_failed";
constexpr std::string_view kJobFailures = "kube_job_status_failed";

constexpr std::string_view kSamePod = "and on(namespace,pod,exported_namespace,exported_pod)";
constexpr std::string_view kCompletedReason = "Completed";

template <class Texts>
std::string AnyOf(const Texts& texts) {
  std::string any;
  for (const std::string_view text : texts) any.append(any.empty() ? "" : "|").append(text);
  return prom::Quote(any);
}

// Of the pods that ask for a GPU.
std::string GpuRequests() {
  return '(' + std::string(kRequests) + "{resource=~" + AnyOf(GpuResources()) + "} > 0)";
}

std::string DetailsQuery() {
  return "{__name__=~" + AnyOf(kDetails) + "} " + std::string(kSamePod) + ' ' + GpuRequests() +
         " or " + std::string(kRequests) + "{resource=~\"cpu|memory\"} " + std::string(kSamePod) +
         ' ' + GpuRequests();
}

std::string JobsQuery() {
  std::vector<std::string_view> names = {kJobComplete, kJobFailed};
  for (const JobNumber& number : kJobNumbers) names.push_back(number.metric);
  return "{__name__=~" + AnyOf(names) +
         "} and on(namespace,exported_namespace,job_name) "
         "label_replace(kube_pod_owner{owner_kind=\"Job\"} " +
         std::string(kSamePod) + ' ' + GpuRequests() +
         ",\"job_name\",\"$1\",\"owner_name\",\"(.+)\")";
}

std::string_view GetOwn(prom::LabelSet labels, std::string_view name, std::string_view exported) {
  const std::string_view own = prom::Get(labels, exported);
  return own.empty() ? prom::Get(labels, name) : own;
}

using Name = std::pair<std::string_view, std::string_view>;  // namespace, name

// Of one container of a pod.
struct Container {
  double cores = Task::kAbsent;
  double memory = Task::kAbsent;
  std::string_view waiting;
  std::string_view ended;
  std::string_view last_ended;
  double exit_code = Task::kAbsent;
  double restarts = Task::kAbsent;
};

// What the second query says of a pod.
struct Details {
  std::map<std::string_view, Container> containers;
  double started = Task::kAbsent;
  double completed = Task::kAbsent;
  std::string_view reason;
  bool unschedulable = false;
};

void Raise(double& value, double other) {
  value = std::fmax(value, other);
}

// What is there, added up; absent where nothing is.
void Sum(double& sum, double value) {
  if (!std::isnan(value)) sum = (std::isnan(sum) ? 0 : sum) + value;
}

bool IsTime(double value) {
  return value > 0 && std::isfinite(value);
}

class Reader {
 public:
  explicit Reader(models::Snapshot& snapshot) : snapshot_(snapshot) {}

  void ReadDetails(const prom::InstantVector& vector) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const prom::LabelSet labels = vector.labels(i);
      const std::string_view pod = GetOwn(labels, "pod", "exported_pod");
      if (pod.empty()) continue;
      const auto name_space = GetOwn(labels, "namespace", "exported_namespace");
      ReadDetail(details_[{name_space, pod, prom::Get(labels, "uid")}], labels,
                 vector.point(i).value);
    }
  }

  void ReadJobs(const prom::InstantVector& vector) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const prom::LabelSet labels = vector.labels(i);
      const Name name{GetOwn(labels, "namespace", "exported_namespace"),
                      prom::Get(labels, "job_name")};
      if (!name.second.empty()) ReadJob(jobs_[name], labels, vector.point(i).value);
    }
  }

  // From pods as ReadPods has them.
  void Finish(const std::vector<Pod>& pods) {
    for (const Pod& pod : pods) AddPod(pod);
    for (auto& [name, job] : jobs_) FinishJob(name, job);
    std::sort(tasks_.begin(), tasks_.end(), [](const Task& a, const Task& b) {
      return std::tie(a.name_space, a.name, a.kind) < std::tie(b.name_space, b.name, b.kind);
    });
    for (const Task& task : tasks_) snapshot_.tasks.push_back(Keep(task));
  }

 private:
  using PodKey = std::tuple<std::string_view, std::string_view, std::string_view>;  // and uid

  // While it is put together.
  struct Job {
    Task task;
    bool complete = false;
    bool has_failed = false;
    bool told = false;                // by itself, not by its pods alone
    bool runs = false;                // one of its pods does
    bool waits = false;               // likewise
    std::string_view pending_reason;  // of one of its pods
  };

  static void ReadDetail(Details& details, prom::LabelSet labels, double value) {
    const std::string_view metric = prom::Get(labels, "__name__");
    const std::string_view reason = prom::Get(labels, "reason");
    const bool holds = value == 1;
    if (metric == kStarted || metric == kCompleted) {
      if (IsTime(value)) Raise(metric == kStarted ? details.started : details.completed, value);
    } else if (metric == kUnschedulable) {
      details.unschedulable |= holds;
    } else if (metric == kReason) {
      if (holds) details.reason = std::max(details.reason, reason);
    } else {
      const auto name = GetOwn(labels, "container", "exported_container");
      ReadContainer(details.containers[name], metric, labels, value);
    }
  }

  static void ReadContainer(Container& container, std::string_view metric, prom::LabelSet labels,
                            double value) {
    const std::string_view reason = prom::Get(labels, "reason");
    const auto take = [&](std::string_view& text) {
      if (value == 1) text = std::max(text, reason);
    };
    if (metric == kWaiting) return take(container.waiting);
    if (metric == kEnded) return take(container.ended);
    if (metric == kLastEnded) return take(container.last_ended);
    if (!(value >= 0) || !std::isfinite(value)) return;
    if (metric == kExitCode) return Raise(container.exit_code, value);
    if (metric == kRestarts) return Raise(container.restarts, value);
    Raise(prom::Get(labels, "resource") == "cpu" ? container.cores : container.memory, value);
  }

  static void ReadJob(Job& job, prom::LabelSet labels, double value) {
    job.told = true;
    const std::string_view metric = prom::Get(labels, "__name__");
    const bool holds = value == 1 && prom::Get(labels, "condition") == "true";
    job.complete |= holds && metric == kJobComplete;
    job.has_failed |= holds && metric == kJobFailed;
    if (metric == kJobFailures && value > 0) {
      job.task.reason = std::max(job.task.reason, prom::Get(labels, "reason"));
    }
    for (const JobNumber& number : kJobNumbers) {
      if (number.metric == metric && value >= 0 && std::isfinite(value)) {
        Raise(job.task.*number.number, value);
      }
    }
  }

  static void TakeContainers(const Details& details, Task& task) {
    bool completed = !details.containers.empty();
    std::string_view waiting;
    for (const auto& [name, container] : details.containers) {
      Sum(task.cores, container.cores);
      Sum(task.memory, container.memory);
      Sum(task.restarts, container.restarts);
      waiting = std::max(waiting, container.waiting);
      const bool ended = !container.ended.empty();
      const auto last = ended ? container.ended : container.last_ended;
      completed &= ended && container.ended == kCompletedReason;
      if (last.empty() || last == kCompletedReason) continue;
      task.error = std::max(task.error, last);
      // That is of the last run that another followed.
      if (!ended) Raise(task.exit_code, container.exit_code);
    }
    if (completed) task.exit_code = 0;
    if (!waiting.empty()) task.reason = waiting;
  }

  void AddPod(const Pod& pod) {
    Task task;
    task.kind = "Pod";
    task.name_space = pod.name_space;
    task.name = pod.name;
    task.phase = pod.phase;
    task.node = pod.node;
    task.owner_kind = pod.owner_kind;
    task.owner_name = pod.owner_name;
    task.job = pod.job;
    task.gpus = pod.gpus_requested;
    task.submitted = pod.created;
    auto found = details_.find({pod.name_space, pod.name, pod.uid});
    // As ReadPods has it where kube_pod_info alone has the uid.
    if (found == details_.end()) found = details_.find({pod.name_space, pod.name, ""});
    if (found != details_.end()) {
      const Details& details = found->second;
      task.started = details.started;
      task.completed = details.completed;
      if (details.unschedulable && pod.phase == models::kPending) task.reason = "Unschedulable";
      TakeContainers(details, task);
      if (!details.reason.empty()) task.reason = details.reason;
    }
    if (!pod.job.empty()) AddToJob(pod, task);
    tasks_.push_back(task);
  }

  void AddToJob(const Pod& pod, const Task& task) {
    Job& job = jobs_[{pod.name_space, pod.job}];
    job.runs |= pod.phase == models::kRunning;
    if (pod.phase == models::kPending) {
      job.waits = true;
      job.pending_reason = std::max(job.pending_reason, task.reason);
    }
    Raise(job.task.gpus, task.gpus);
    Raise(job.task.cores, task.cores);
    Raise(job.task.memory, task.memory);
    Sum(job.task.restarts, task.restarts);
    // What made the Job itself; a Job that nothing made is its own.
    job.task.owner_kind = pod.owner_kind;
    job.task.owner_name = pod.owner_name;
    if (task.error.empty() && std::isnan(task.exit_code)) return;
    job.task.error = std::max(job.task.error, task.error);
    Raise(job.task.exit_code, task.exit_code);
  }

  void FinishJob(const Name& name, Job& job) {
    Task& task = job.task;
    task.kind = "Job";
    task.name_space = name.first;
    task.name = name.second;
    const double times = std::isnan(task.parallelism) ? 1 : std::fmax(task.parallelism, 1);
    for (double* const requested : {&task.gpus, &task.cores, &task.memory}) *requested *= times;
    task.phase = job.complete            ? models::kSucceeded
                 : job.has_failed        ? models::kFailed
                 : job.runs              ? models::kRunning
                 : job.told || job.waits ? models::kPending
                                         : std::string_view();
    if (task.phase == models::kPending) task.reason = job.pending_reason;
    if (task.phase != models::kFailed && task.phase != models::kPending) task.reason = {};
    if (task.phase == models::kSucceeded) {
      task.exit_code = 0;  // so did as many pods as it wanted
      task.error = {};
    }
    tasks_.push_back(task);
  }

  Task Keep(Task task) {
    for (std::string_view* text :
         {&task.name_space, &task.name, &task.phase, &task.reason, &task.node, &task.owner_kind,
          &task.owner_name, &task.job, &task.error}) {
      *text = snapshot_.arena.Keep(*text);
    }
    return task;
  }

  models::Snapshot& snapshot_;
  std::map<PodKey, Details> details_;
  std::map<Name, Job> jobs_;
  std::vector<Task> tasks_;
};

}  // namespace

std::string_view NameOf(TaskQuery query) {
  return kNames[static_cast<std::size_t>(query)];
}

std::string PromqlOf(TaskQuery query) {
  switch (query) {
    case TaskQuery::kPods:
      return PodsQuery({});
    case TaskQuery::kDetails:
      return DetailsQuery();
    case TaskQuery::kJobs:
      return JobsQuery();
  }
  return {};
}

void ReadTasks(const TaskAnswers& answers, models::Snapshot& snapshot) {
  Reader reader(snapshot);
  models::Snapshot pods;
  const auto* const listed = answers[static_cast<std::size_t>(TaskQuery::kPods)];
  const auto* const details = answers[static_cast<std::size_t>(TaskQuery::kDetails)];
  const auto* const jobs = answers[static_cast<std::size_t>(TaskQuery::kJobs)];
  if (listed != nullptr) ReadPods(*listed, pods);
  if (details != nullptr) reader.ReadDetails(*details);
  if (jobs != nullptr) reader.ReadJobs(*jobs);
  reader.Finish(pods.pods);
  if (!snapshot.tasks.empty()) {
    snapshot.sources = {"kube_state_metrics"};
  } else if (!snapshot.partial) {
    snapshot.warnings.emplace_back(
        "Prometheus has no pods that request GPUs at this instant: there are none, or "
        "kube-state-metrics is not scraped");
  }
}

}  // namespace gpumon::gpu
