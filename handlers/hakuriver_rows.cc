#include "handlers/hakuriver_rows.h"

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "internal/base/text.h"

namespace gpumon::handlers {
namespace {

using hakuriver::Time;
using models::NullReason;
using wire::Column;
using wire::Item;
using wire::Value;
using Type = Column::Type;
using Row = std::vector<Value>;

constexpr std::array kGpuItems = {
    Column{"gpu_id", Type::kInteger, "", "", "Index on its node."},
    Column{"name"},
    Column{"driver_version"},
    Column{"pci_bus_id"},
    Column{"utilization", Type::kNumber, "%"},
    Column{"memory_utilization", Type::kNumber, "%"},
    Column{"memory_used_bytes", Type::kInteger, "bytes"},
    Column{"memory_total_bytes", Type::kInteger, "bytes"},
    Column{"memory_free_bytes", Type::kInteger, "bytes"},
    Column{"temperature", Type::kNumber, "°C"},
    Column{"fan_speed", Type::kNumber, "%"},
    Column{"power", Type::kNumber, "W"},
    Column{"power_limit", Type::kNumber, "W"},
    Column{"graphics_clock", Type::kNumber, "MHz"},
    Column{"memory_clock", Type::kNumber, "MHz"},
};
std::span<const Column> GpuItems() {
  return kGpuItems;
}

constexpr std::array kNumaItems = {
    Column{"numa_node"},
    Column{"cores", Type::kInteger, "", "", "How many."},
    Column{"memory_bytes", Type::kInteger, "bytes"},
};
std::span<const Column> NumaItems() {
  return kNumaItems;
}

constexpr Column kHostname{"hostname", Type::kText, "", "node", "Name of the node."};
constexpr Column kNodeStatus{"status", Type::kText, "", "status", "online or offline."};
constexpr Column kHeartbeat{"last_heartbeat", Type::kText, "", "",
                            "As the host wrote it: its local time where time_zone is null."};
constexpr Column kZone{"time_zone", Type::kText, "", "",
                       "UTC, or null: the host wrote times without a zone, which are its local "
                       "time."};
constexpr Column kTotalCores{"total_cores", Type::kInteger};
constexpr std::array kLoad = {
    Column{"cpu_percent", Type::kNumber, "%"},
    Column{"memory_percent", Type::kNumber, "%"},
    Column{"memory_used_bytes", Type::kInteger, "bytes"},
    Column{"memory_total_bytes", Type::kInteger, "bytes"},
    Column{"current_avg_temp", Type::kNumber, "°C", "", "Of the CPUs."},
    Column{"current_max_temp", Type::kNumber, "°C", "", "Of the hottest CPU."},
};
constexpr Column kNuma{"numa_topology", Type::kItems, "", "", "Its NUMA nodes.", NumaItems};
constexpr Column kGpus{"gpu_info", Type::kItems, "", "", "Its GPUs.", GpuItems};

constexpr std::array kNodeColumns = {
    kHostname,
    kNodeStatus,
    kHeartbeat,
    kZone,
    kTotalCores,
    Column{"cores_in_use", Type::kInteger, "", "", "By tasks; null while it is offline."},
    Column{"available_cores", Type::kInteger},
    kLoad[0],
    kLoad[1],
    kLoad[2],
    kLoad[3],
    kLoad[4],
    kLoad[5],
    kNuma,
    kGpus,
    Column{"runner_version"},
    Column{"vm_capable", Type::kBool},
};

constexpr std::array kHealthColumns = {
    kHostname,
    kNodeStatus,
    Column{"fresh", Type::kBool, "", "",
           "What the row says holds now. Else these are the last values there were."},
    kHeartbeat,
    kZone,
    kTotalCores,
    kLoad[0],
    kLoad[1],
    kLoad[2],
    kLoad[3],
    kLoad[4],
    kLoad[5],
    kNuma,
    kGpus,
    Column{"cpu_percent_history", Type::kNumbers, "%", "",
           "Of the last minute, a second apart, the newest last; null where there is no sample."},
    Column{"memory_percent_history", Type::kNumbers, "%", "", "Likewise."},
};

// What commands and VPS have comes first.
constexpr std::size_t kOfEveryTask = 17;
constexpr std::array kTaskColumns = {
    Column{"task_id", Type::kText, "", "task", "A text: it has more digits than a number holds."},
    Column{"status", Type::kText, "", "status",
           "pending, assigning, running, paused, completed, failed, killed, killed_oom, lost, "
           "stopped, pending_approval, rejected."},
    Column{"name", Type::kText, "", "name"},
    Column{"owner_username", Type::kText, "", "user"},
    Column{"assigned_node", Type::kText, "", "node"},
    Column{"required_cores", Type::kInteger},
    Column{"required_memory_bytes", Type::kInteger, "bytes"},
    Column{"required_gpus", Type::kTexts, "", "gpu", "Ids of GPUs on the node."},
    Column{"target_numa_node_id", Type::kInteger},
    Column{"submitted_at", Type::kText, "", "",
           "As the host wrote it: its local time where time_zone is null."},
    Column{"started_at", Type::kText, "", "", "Likewise."},
    Column{"completed_at", Type::kText, "", "", "Likewise."},
    kZone,
    Column{"exit_code", Type::kInteger, "", "",
           "-9: out of memory; -1: never ran, or its node was lost."},
    Column{"error_message", Type::kText, "", "", "Secrets masked, as in command."},
    Column{"container_name"},
    Column{"ssh_port", Type::kInteger, "", "", "Of a VPS."},
    Column{"batch_id"},
    Column{"task_type", Type::kText, "", "type", "command or vps."},
    Column{"command", Type::kText, "", "",
           "With its arguments, as PROCESS_COMMANDS shows commands."},
    Column{"env_vars", Type::kTexts, "", "", "Names alone: values may be secrets."},
    Column{"approval_status"},
};

template <class T>
Value OrNull(const std::optional<T>& value) {
  return value ? Value(*value) : Value(NullReason::kNotExported);
}

template <class T>
Item::Cell CellOf(const std::optional<T>& value) {
  return value ? Item::Cell(*value) : Item::Cell(NullReason::kNotExported);
}
Item::Cell CellOf(const std::string& text) {
  return text.empty() ? Item::Cell(NullReason::kNotExported) : Item::Cell(text);
}

Value ValueOf(const Time& time) {
  return wire::TextOrNull(time.utc ? FormatTime(*time.utc) : time.text);
}

Value ZoneOf(std::span<const Time* const> times) {
  bool known = false;
  for (const Time* const time : times) {
    if (time->no_zone()) return NullReason::kNotExported;
    known = known || time->known();
  }
  return known ? Value(std::string("UTC")) : Value(NullReason::kNotExported);
}

// `none` stands for what was measured and holds no longer; without it all holds.
Value GpusOf(const std::vector<hakuriver::Gpu>& gpus, std::optional<NullReason> none = {}) {
  const auto reading = [none](const auto& value) {
    return none && value ? Item::Cell(*none) : CellOf(value);
  };
  std::vector<Item> items;
  for (const hakuriver::Gpu& gpu : gpus) {
    items.push_back(
        {{CellOf(gpu.id), CellOf(gpu.name), CellOf(gpu.driver_version), CellOf(gpu.pci_bus_id),
          reading(gpu.utilization_percent), reading(gpu.memory_utilization_percent),
          reading(gpu.memory_used_bytes), CellOf(gpu.memory_total_bytes),
          reading(gpu.memory_free_bytes), reading(gpu.temperature_celsius),
          reading(gpu.fan_percent), reading(gpu.power_watts), CellOf(gpu.power_limit_watts),
          reading(gpu.graphics_clock_mhz), reading(gpu.memory_clock_mhz)}});
  }
  return items;
}

// No machine is without one: the host does not know them then.
Value NumaOf(const std::vector<hakuriver::NumaNode>& nodes) {
  if (nodes.empty()) return NullReason::kNotExported;
  std::vector<Item> items;
  for (const hakuriver::NumaNode& node : nodes) {
    items.push_back({{CellOf(node.id), static_cast<std::int64_t>(node.cores.size()),
                      CellOf(node.memory_bytes)}});
  }
  return items;
}

// `none` as of GpusOf.
void AddLoad(const hakuriver::Load& load, Row& row, std::optional<NullReason> none = {}) {
  const auto reading = [none](const auto& value) {
    return none && value ? Value(*none) : OrNull(value);
  };
  row.push_back(reading(load.cpu_percent));
  row.push_back(reading(load.memory_percent));
  row.push_back(reading(load.memory_used_bytes));
  row.push_back(OrNull(load.memory_total_bytes));
  row.push_back(reading(load.average_cpu_celsius));
  row.push_back(reading(load.most_cpu_celsius));
}

// What may quote a command line. No text that is shown anywhere has more secrets than that.
Value MessageOf(const std::string& text, gpu::CommandStyle style) {
  const bool full = style == gpu::CommandStyle::kFull;
  return wire::TextOrNull(full ? text : gpu::ShowCommand(text, gpu::CommandStyle::kRedacted));
}

template <class T>
Row RowOf(const T& task, gpu::CommandStyle style) {
  Row row;
  for (const std::string* const text :
       {&task.id, &task.status, &task.name, &task.owner, &task.assigned_node}) {
    row.push_back(wire::TextOrNull(*text));
  }
  row.push_back(OrNull(task.required_cores));
  row.push_back(OrNull(task.required_memory_bytes));
  std::vector<std::string> gpus;
  for (const std::int64_t gpu : task.required_gpus) gpus.push_back(std::to_string(gpu));
  row.emplace_back(std::move(gpus));
  row.push_back(OrNull(task.target_numa_node_id));
  const std::array times = {&task.submitted_at, &task.started_at, &task.completed_at};
  for (const Time* const time : times) row.push_back(ValueOf(*time));
  row.push_back(ZoneOf(times));
  row.push_back(OrNull(task.exit_code));
  row.push_back(MessageOf(task.error_message, style));
  row.push_back(wire::TextOrNull(task.container_name));
  row.push_back(OrNull(task.ssh_port));
  return row;
}

Value CommandOf(const hakuriver::Task& task, gpu::CommandStyle style) {
  if (style == gpu::CommandStyle::kHidden) return NullReason::kHidden;
  // Together: a secret is often known by the argument before it.
  std::string command = task.command;
  for (const std::string& argument : task.arguments) command.append(" ").append(argument);
  return wire::TextOrNull(gpu::ShowCommand(command, style));
}

}  // namespace

std::span<const Column> HakuRiverNodeColumns() {
  return kNodeColumns;
}
std::span<const Column> HakuRiverHealthColumns() {
  return kHealthColumns;
}
std::span<const Column> HakuRiverTaskColumns() {
  return kTaskColumns;
}
std::span<const Column> HakuRiverVpsColumns() {
  return std::span(kTaskColumns).first(kOfEveryTask);
}

wire::Records RecordsOf(const std::vector<hakuriver::Node>& nodes) {
  wire::Records records{kNodeColumns, {}};
  for (const hakuriver::Node& node : nodes) {
    const std::array times = {&node.last_heartbeat};
    Row row = {wire::TextOrNull(node.hostname), wire::TextOrNull(node.status),
               ValueOf(node.last_heartbeat),    ZoneOf(times),
               OrNull(node.total_cores),        OrNull(node.cores_in_use),
               OrNull(node.available_cores)};
    const auto none = node.offline() ? std::optional(NullReason::kStale) : std::nullopt;
    AddLoad(node.load, row, none);
    row.push_back(NumaOf(node.numa));
    row.push_back(GpusOf(node.gpus, none));
    row.push_back(wire::TextOrNull(node.runner_version));
    row.push_back(OrNull(node.vm_capable));
    records.rows.push_back(std::move(row));
  }
  return records;
}

wire::Records RecordsOf(const hakuriver::Health& health) {
  struct Past {
    std::vector<double> cpu;
    std::vector<double> memory;
  };
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const std::size_t count = health.samples.size();
  std::map<std::string_view, Past> pasts;
  for (std::size_t i = 0; i < count; ++i) {
    for (const hakuriver::HealthSample& sample : health.samples[i]) {
      Past& past = pasts[sample.hostname];
      past.cpu.resize(count, kNone);
      past.memory.resize(count, kNone);
      past.cpu[i] = sample.load.cpu_percent.value_or(kNone);
      past.memory[i] = sample.load.memory_percent.value_or(kNone);
    }
  }
  wire::Records records{kHealthColumns, {}};
  const auto add = [&](const hakuriver::HealthSample& sample) {
    const std::array times = {&sample.last_heartbeat};
    Row row = {wire::TextOrNull(sample.hostname),
               wire::TextOrNull(sample.status),
               Value(sample.fresh),
               ValueOf(sample.last_heartbeat),
               ZoneOf(times),
               OrNull(sample.total_cores)};
    AddLoad(sample.load, row);
    row.push_back(NumaOf(sample.numa));
    row.push_back(GpusOf(sample.gpus));
    const Past& past = pasts[sample.hostname];
    row.emplace_back(past.cpu);
    row.emplace_back(past.memory);
    records.rows.push_back(std::move(row));
  };
  for (const hakuriver::HealthSample& sample : health.newest()) add(sample);
  for (const hakuriver::HealthSample& sample : health.unsampled) add(sample);
  return records;
}

wire::Records RecordsOf(const std::vector<hakuriver::Task>& tasks, gpu::CommandStyle style) {
  wire::Records records{kTaskColumns, {}};
  for (const hakuriver::Task& task : tasks) {
    Row row = RowOf(task, style);
    row.push_back(wire::TextOrNull(task.batch_id));
    row.push_back(wire::TextOrNull(task.type));
    row.push_back(CommandOf(task, style));
    std::vector<std::string> names;
    for (const auto& [name, value] : task.environment) names.push_back(name);
    row.emplace_back(std::move(names));
    row.push_back(wire::TextOrNull(task.approval_status));
    records.rows.push_back(std::move(row));
  }
  return records;
}

wire::Records RecordsOf(const std::vector<hakuriver::Vps>& vps, gpu::CommandStyle style) {
  wire::Records records{HakuRiverVpsColumns(), {}};
  for (const hakuriver::Vps& one : vps) records.rows.push_back(RowOf(one, style));
  return records;
}

}  // namespace gpumon::handlers
