#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "cmd/gpuctl/cells.h"
#include "cmd/gpuctl/haku_host.h"
#include "cmd/gpuctl/health_host.h"
#include "cmd/gpuctl/health_source.h"
#include "internal/collect/task.h"
#include "internal/fleet/health_rules.h"
#include "models/gpu.h"

namespace gpumon::ctl {
namespace {

using hakuriver::Gpu;
using hakuriver::Health;
using hakuriver::HealthSample;
using hakuriver::Load;
using models::Quantity;
using models::Text;

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr std::size_t kMostTasks = 1000;

const fleet::HealthRules& Rules() {
  static const fleet::HealthRules kRules;
  return kRules;
}

std::string TimeText(const hakuriver::Time& time) {
  if (!time.known()) return "an unknown time";
  return time.text + (time.no_zone() ? " (the host's local time)" : "");
}

void Set(Quantity quantity, std::optional<double> value, models::GpuMetrics& row) {
  if (value) row.readings.Set(static_cast<std::size_t>(quantity), *value);
}

std::optional<double> Real(std::optional<std::int64_t> bytes) {
  return bytes ? std::optional(static_cast<double>(*bytes)) : std::nullopt;
}

void AddGpu(const Gpu& gpu, collect::Task& task) {
  const std::string id = gpu.id ? std::to_string(*gpu.id) : std::string();
  models::GpuMetrics row;
  row.set_text(Text::kGpuId, id);
  row.set_text(Text::kGpuName, gpu.name);
  if (gpu.id) row.gpu_index = static_cast<int>(*gpu.id);
  Set(Quantity::kTemperature, gpu.temperature_celsius, row);
  Set(Quantity::kUtilization, gpu.utilization_percent, row);
  Set(Quantity::kMemoryUtilization, gpu.memory_utilization_percent, row);
  Set(Quantity::kPower, gpu.power_watts, row);
  Set(Quantity::kPowerLimit, gpu.power_limit_watts, row);
  Set(Quantity::kMemoryUsed, Real(gpu.memory_used_bytes), row);
  Set(Quantity::kMemoryTotal, Real(gpu.memory_total_bytes), row);
  Set(Quantity::kSmClock, gpu.graphics_clock_mhz, row);
  task.Add(row, {});
}

store::Snapshot Named(const std::string& name, const std::string& node, WallTime time) {
  store::Snapshot snapshot;
  snapshot.id = store::NewId();
  snapshot.task_id = snapshot.task_name = name;
  snapshot.instance_id = node;
  snapshot.timestamp = time;
  snapshot.machine_info = {{"source", "hakuriver"}};
  return snapshot;
}

std::optional<store::SystemReading> SystemOf(const Load& load) {
  store::SystemReading system;
  system.cpu_usage_pct = load.cpu_percent;
  const auto gib = [](std::optional<std::int64_t> bytes) {
    return bytes ? std::optional(static_cast<double>(*bytes) / kGiB) : std::nullopt;
  };
  system.memory_used_gb = gib(load.memory_used_bytes);
  system.memory_total_gb = gib(load.memory_total_bytes);
  const bool known = system.cpu_usage_pct || system.memory_used_gb || system.memory_total_gb;
  return known ? std::optional(system) : std::nullopt;
}

// Of a node that is online, or a task of one, though nothing that its host shows is fresh.
store::HealthState NotSampled(WallTime time) {
  return {"host", "degraded", "its host no longer samples", "warning", time};
}

// Likewise, though its host has none of it.
store::HealthState NeverSampled(WallTime time) {
  return {"host", "degraded", "its host has no samples of it", "warning", time};
}

// Of a task that runs on such a node, as far as its host knows.
store::HealthState NotOnline(const HealthSample& sample, WallTime time) {
  const std::string status = sample.status.empty() ? "of unknown status" : sample.status;
  return {"host", "degraded", "its node is " + status, "warning", time};
}

// What holds no longer is not counted. `silent`: why there is nothing of a node that is online.
store::Snapshot NodeOf(const HealthSample& sample, const store::HealthState& silent,
                       WallTime time) {
  store::Snapshot named = Named(sample.hostname, sample.hostname, time);
  named.instance_type =
      collect::InstanceType(sample.gpus.size(), sample.gpus.empty() ? "" : sample.gpus[0].name);
  if (sample.fresh) named.system_metrics = SystemOf(sample.load);
  collect::Task task(std::move(named), Rules());
  if (sample.fresh) {
    for (const Gpu& gpu : sample.gpus) AddGpu(gpu, task);
    const auto memory = sample.load.memory_percent;
    if (memory && *memory > Rules().host_memory_warning) {
      task.AddState({"host", "degraded", DecimalText(*memory, 0) + " % of its memory in use",
                     "warning", time});
    }
  } else if (sample.status.empty()) {
    task.AddState(
        {"host", "degraded", "its host does not say whether it is online", "warning", time});
  } else if (sample.status != "online") {
    task.AddState({"host", "unhealthy",
                   sample.status + ": its last heartbeat was at " + TimeText(sample.last_heartbeat),
                   "critical", time});
  } else {
    task.AddState(silent);
  }
  store::Snapshot snapshot = task.Take();
  if (!sample.status.empty() && sample.status != "online") {
    snapshot.health_score = 0;
    snapshot.health_status = "critical";
  } else if (sample.fresh && sample.gpus.empty()) {
    snapshot.health_status = "healthy";
  }
  return snapshot;
}

// What an offline node had last is no load of now.
HostLoad HostOf(const HealthSample& sample) {
  if (!sample.fresh) return {sample.hostname, {}, {}, {}, {}, {}, {}};
  const Load& load = sample.load;
  return {sample.hostname,
          load.cpu_percent,
          load.memory_percent,
          Real(load.memory_used_bytes),
          Real(load.memory_total_bytes),
          load.average_cpu_celsius,
          load.most_cpu_celsius};
}

std::string FactsOf(const HealthSample& sample) {
  const Load& load = sample.load;
  return std::string(sample.fresh ? "" : "the last values there were: ") + "CPU " +
         AmountText(load.cpu_percent, " %") + ", memory " +
         UsedText(Real(load.memory_used_bytes), Real(load.memory_total_bytes)) + " (" +
         AmountText(load.memory_percent, " %") + "), CPU temperature " +
         AmountText(load.average_cpu_celsius, " C") + ", at most " +
         AmountText(load.most_cpu_celsius, " C") + ", last heartbeat " +
         TimeText(sample.last_heartbeat);
}

std::string FactsOf(const hakuriver::Aggregate& all) {
  const auto text = [](std::optional<std::int64_t> count) {
    return count ? std::to_string(*count) : std::string(kAbsentCell);
  };
  if (all.total_nodes == 0) return "the host has not counted its nodes yet";
  return text(all.online_nodes) + " of " + text(all.total_nodes) + " nodes online, " +
         text(all.total_cores) + " cores, CPU " + AmountText(all.average_cpu_percent, " %") +
         ", memory " + UsedText(Real(all.used_memory_bytes), Real(all.total_memory_bytes)) +
         ", CPU temperature at most " + AmountText(all.most_cpu_celsius, " C") +
         (all.online_nodes < all.total_nodes ? "; what offline nodes had last may be in these sums"
                                             : "");
}

// The mean of the GPUs that were online then, point by point.
void AddCurve(const Health& health, HealthReport& report) {
  report.usage_of = "last " + std::to_string(health.samples.size()) + " seconds";
  if (health.stale) return;
  for (const auto& point : health.samples) {
    double sum = 0;
    double count = 0;
    for (const HealthSample& sample : point) {
      for (const Gpu& gpu : sample.gpus) {
        if (sample.status != "online" || !gpu.utilization_percent) continue;
        sum += *gpu.utilization_percent;
        ++count;
      }
    }
    report.usage.push_back(count > 0 ? std::optional(sum / count) : std::nullopt);
  }
}

// A task, command or VPS alike.
struct Work {
  std::string id;
  std::string node;
  std::string status;
  std::vector<std::int64_t> gpus;
  std::optional<std::int64_t> exit_code;
  std::string error;
};
template <class T>
Work WorkOf(const T& task) {
  return {task.id,        task.assigned_node, task.status, task.required_gpus,
          task.exit_code, task.error_message};
}

store::HealthState StateOf(const Work& work, WallTime time) {
  constexpr std::array kBad = {"failed", "killed_oom", "lost"};
  const bool bad = std::find(kBad.begin(), kBad.end(), work.status) != kBad.end();
  std::string text = work.status;
  if (work.exit_code) text += ", exit code " + std::to_string(*work.exit_code);
  if (!work.error.empty()) text += ": " + work.error;
  return {"task", bad ? "unhealthy" : "healthy", text, bad ? "critical" : "info", time};
}

// `shown`: by its node, which is there and says what holds now.
void AddMissing(const Work& work, const std::vector<std::int64_t>& shown, WallTime time,
                collect::Task& task) {
  for (const std::int64_t gpu : work.gpus) {
    if (std::find(shown.begin(), shown.end(), gpu) != shown.end()) continue;
    task.AddState({"gpu", "degraded",
                   work.node + " shows no GPU " + std::to_string(gpu) + ", which it was given",
                   "warning", time});
  }
}

store::Snapshot TaskOf(const Work& work, const Health& health, WallTime time) {
  collect::Task task(Named(work.id, work.node, time), Rules());
  const bool runs = work.status == "running" || work.status == "paused";
  for (const HealthSample& sample : health.newest()) {
    if (!runs || sample.hostname != work.node) continue;
    if (!sample.fresh) {
      task.AddState(sample.status == "online" ? NotSampled(time) : NotOnline(sample, time));
      continue;
    }
    std::vector<std::int64_t> shown;
    for (const Gpu& gpu : sample.gpus) {
      const bool its =
          gpu.id && std::find(work.gpus.begin(), work.gpus.end(), *gpu.id) != work.gpus.end();
      if (!its) continue;
      AddGpu(gpu, task);
      shown.push_back(*gpu.id);
    }
    AddMissing(work, shown, time, task);
  }
  for (const HealthSample& sample : health.unsampled) {
    if (!runs || sample.hostname != work.node) continue;
    task.AddState(sample.status == "online" ? NeverSampled(time) : NotOnline(sample, time));
  }
  task.AddState(StateOf(work, time));
  store::Snapshot snapshot = task.Take();
  if (snapshot.gpu_metrics.empty() && runs && work.gpus.empty()) snapshot.health_status = "healthy";
  return snapshot;
}

Result<std::vector<Work>> WorksOf(HakuHost& host, const HealthQuestion& question) {
  std::vector<Work> works;
  if (!question.task.empty()) {
    const auto task = host.Ask<hakuriver::Task>(
        [&](auto got) { host.client().GetTask(question.task, host.deadline(), got); });
    if (!task) return Error(task.error());
    works.push_back(WorkOf(*task));
    return works;
  }
  const auto tasks = host.Ask<hakuriver::TaskList>(
      [&](auto got) { host.client().GetTasks({.limit = kMostTasks}, host.deadline(), got); });
  if (!tasks) return Error(tasks.error());
  const auto vps = host.Ask<std::vector<hakuriver::Vps>>(
      [&](auto got) { host.client().GetVps(hakuriver::VpsScope::kActive, host.deadline(), got); });
  if (!vps) return Error(vps.error());
  const auto wanted = [&](const auto& gpus) { return question.all || !gpus.empty(); };
  for (const auto& task : tasks->tasks) {
    if (task.active() && wanted(task.required_gpus)) works.push_back(WorkOf(task));
  }
  for (const auto& one : *vps) {
    if (wanted(one.required_gpus)) works.push_back(WorkOf(one));
  }
  return works;
}

}  // namespace

Result<HealthReport> AskHakuRiver(HakuHost& host, const HealthQuestion& question) {
  HealthReport report;
  report.source = host.name();
  report.time = SystemClock().Wall();
  report.of_one = !question.task.empty() || !question.node.empty();
  const bool of_tasks = question.gpu_tasks || !question.task.empty();
  report.row = of_tasks ? "task" : "node";
  std::vector<Work> works;
  if (of_tasks) {
    auto found = WorksOf(host, question);
    if (!found) return Error(found.error());
    works = *std::move(found);
  }
  const auto health = host.Ask<Health>([&](auto got) {
    host.client().GetHealth({.hostname = question.node, .past = question.usage}, host.deadline(),
                            got);
  });
  if (!health) return Error(health.error());
  if (health->stale) {
    report.notes.push_back("the host no longer samples: nothing that it shows is fresh");
  }
  for (const Work& work : works) report.tasks.push_back(TaskOf(work, *health, report.time));
  if (!of_tasks) {
    for (const HealthSample& sample : health->newest()) {
      report.tasks.push_back(NodeOf(sample, NotSampled(report.time), report.time));
      if (!report.of_one) continue;
      report.facts.push_back(FactsOf(sample));
      report.hosts.push_back(HostOf(sample));
    }
    for (const HealthSample& sample : health->unsampled) {
      report.tasks.push_back(NodeOf(sample, NeverSampled(report.time), report.time));
    }
    if (!health->aggregates.empty() && !health->stale) {
      report.facts.push_back(FactsOf(health->aggregates.back()));
    }
    if (question.usage) AddCurve(*health, report);
  }
  SortRows(report);
  return report;
}

}  // namespace gpumon::ctl
