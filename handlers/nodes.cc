#include "handlers/nodes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handlers/gpu_groups.h"
#include "handlers/lost_gpus.h"
#include "handlers/node_rows.h"
#include "handlers/record_answer.h"

namespace gpumon::handlers {
namespace {

using fleet::State;
using models::NodeQuantity;
using models::NullReason;
using models::Part;
using wire::Column;
using wire::Item;
using wire::Value;
using Type = Column::Type;

using Row = NodeRow;

Value Number(const Row& row, NodeQuantity quantity) {
  const auto value = row.Get(quantity);
  return value ? Value(*value) : Value(row.Why(quantity));
}
Value Integer(double value) {
  return static_cast<std::int64_t>(std::llround(value));
}
Value Integer(const Row& row, NodeQuantity quantity) {
  const auto value = row.Get(quantity);
  return value ? Integer(*value) : Value(row.Why(quantity));
}
// What is left of `of`.
std::optional<double> Left(const Row& row, NodeQuantity of, NodeQuantity taken) {
  const auto all = row.Get(of);
  const auto used = row.Get(taken);
  if (!all || !used) return std::nullopt;
  return std::max(0.0, *all - *used);
}
NullReason WhyNotLeft(const Row& row, NodeQuantity of, NodeQuantity taken) {
  return row.Get(of) ? row.Why(taken) : row.Why(of);
}

template <class Get>
Value OfGpus(const Row& row, Get get) {
  return row.gpus == nullptr ? Value(row.WhyNoGpus()) : Value(get(*row.gpus));
}
Value Count(std::size_t count) {
  return static_cast<std::int64_t>(count);
}
Value Sum(const Row& row, Known GpuGroup::*known) {
  return OfGpus(row, [known](const GpuGroup& gpus) { return SumOf(gpus.*known); });
}
Value Mean(const Row& row, Known GpuGroup::*known) {
  return OfGpus(row, [known](const GpuGroup& gpus) { return MeanOf(gpus.*known); });
}
Value Most(const Row& row, Known GpuGroup::*known) {
  return OfGpus(row, [known](const GpuGroup& gpus) { return MostOf(gpus.*known); });
}
Value Texts(const std::set<std::string_view>& views) {
  return std::vector<std::string>(views.begin(), views.end());
}

Item::Cell CellOf(double value, NullReason why = NullReason::kInvalidValue) {
  return std::isnan(value) ? Item::Cell(why) : Item::Cell(value);
}
Item::Cell CellOf(std::string_view text) {
  return text.empty() ? Item::Cell(NullReason::kNotExported) : Item::Cell(std::string(text));
}

constexpr std::array kDiskItems = {
    Column{"mountpoint", Type::kText, "", "", "Where it is mounted."},
    Column{"device", Type::kText, "", "", "What is mounted."},
    Column{"type", Type::kText, "", "", "Of the file system."},
    Column{"size_bytes", Type::kNumber, "bytes", "", "Its size."},
    Column{"available_bytes", Type::kNumber, "bytes", "", "What programs may still fill."},
};
constexpr std::array kNumaItems = {
    Column{"id", Type::kText, "", "", "Number of the NUMA node."},
    Column{"memory_bytes", Type::kNumber, "bytes", "", "Its memory."},
    Column{"memory_free_bytes", Type::kNumber, "bytes", "", "What is free of it."},
};
constexpr std::array kExporterItems = {
    Column{"exporter", Type::kText, "", "", "Null: which one is not known."},
    Column{"job", Type::kText, "", "", "Of its scrape target."},
    Column{"instance", Type::kText, "", "", "Of its scrape target."},
    Column{"state", Type::kText, "", "",
           "up, down, or frozen: scraped, but it no longer reads its GPUs."},
    Column{
        "age_seconds", Type::kNumber, "seconds", "",
        "Since its newest sample; where it is down: since it was up last, within an hour. To the "
        "minute where more than twenty are down, or it showed no GPU before."},
};

// Null where nobody tells of such a thing, and of a node that Kubernetes alone knows.
template <class Part, class Make>
Value ItemsOf(const Row& row, std::span<const Part> parts, Make make) {
  if (row.node == nullptr || parts.empty()) return row.WhyNoNode();
  std::vector<Item> items;
  for (const Part& part : parts) items.push_back(Item{make(part)});
  return items;
}
Value DisksOf(const Row& row) {
  if (row.node == nullptr) return row.WhyNoNode();
  return ItemsOf(row, row.Of(row.snapshot->disks, row.node->parts.disks), [](const auto& disk) {
    return std::vector<Item::Cell>{CellOf(disk.mountpoint), CellOf(disk.device), CellOf(disk.type),
                                   CellOf(disk.size), CellOf(disk.available)};
  });
}
Value NumaOf(const Row& row) {
  if (row.node == nullptr) return row.WhyNoNode();
  return ItemsOf(row, row.Of(row.snapshot->numa, row.node->parts.numa), [](const auto& numa) {
    return std::vector<Item::Cell>{CellOf(numa.id), CellOf(numa.memory), CellOf(numa.memory_free)};
  });
}
Value ExportersOf(const Row& row) {
  return ItemsOf(row, row.targets(), [&](const models::NodeTarget& target) {
    return std::vector<Item::Cell>{
        CellOf(target.exporter), CellOf(target.job), CellOf(target.instance),
        std::string(models::NameOf(target.state)),
        CellOf(row.snapshot->as_of - target.newest, NullReason::kNotExported)};
  });
}

// The newest sample of its GPUs or of an exporter, or now, where Kubernetes calls it ready.
Value LastSeen(const Row& row) {
  double newest = row.gpus == nullptr ? std::nan("") : row.gpus->newest;
  for (const auto& target : row.targets()) newest = std::fmax(newest, target.newest);
  if (row.node != nullptr) newest = std::fmax(newest, row.node->vanished);
  if (row.Get(NodeQuantity::kReady) == 1.0) newest = std::fmax(newest, row.snapshot->as_of);
  return std::isnan(newest) ? Value(row.WhyNoNode()) : Value(newest);
}

Value ScoreOf(const Row& row) {
  return OfGpus(row, [&](const GpuGroup& gpus) {
    const fleet::Health health = gpus.health.Of(*row.rules);
    return health.score ? Value(fleet::ShownScore(*health.score)) : Value(NullReason::kNotExported);
  });
}
Value LevelOf(const Row& row) {
  const fleet::Level level =
      row.gpus == nullptr ? fleet::Level::kUnknown : row.gpus->health.Of(*row.rules).level;
  return std::string(fleet::NameOf(level));
}

Value NamesOf(const Row& row, std::set<std::string_view> GpuGroup::*names) {
  return row.gpus == nullptr ? Value(std::vector<std::string>()) : Texts(row.gpus->*names);
}

struct NodeColumn {
  Column column;
  Value (*value)(const Row& row);
};

template <NodeQuantity kQuantity>
Value Of(const Row& row) {
  return Number(row, kQuantity);
}
template <NodeQuantity kQuantity>
Value WholeOf(const Row& row) {
  return Integer(row, kQuantity);
}
template <State kState>
Value StateCount(const Row& row) {
  return OfGpus(row, [](const GpuGroup& gpus) { return Count(gpus.state(kState)); });
}

constexpr std::array kNodeColumns = {
    NodeColumn{{"node_name", Type::kText, "", "node", "Name of the node."},
               [](const Row& row) { return wire::TextOrNull(row.name); }},
    NodeColumn{{"status", Type::kText, "", "status",
                "offline: Kubernetes no longer lists it or calls it not ready, or all exporters "
                "that tell of it are down; else online.",
                nullptr, "online|offline"},
               [](const Row& row) {
                 return Value(std::string(row.status().online ? "online" : "offline"));
               }},
    NodeColumn{
        {"status_reason", Type::kText, "", "", "Why it is offline; null while it is not."},
        [](const Row& row) { return wire::TextOrNull(row.status().why, NullReason::kNone); }},
    NodeColumn{{"last_seen", Type::kTime, "", "",
                "Newest sample of it; as_of where Kubernetes calls it ready."},
               LastSeen},
    NodeColumn{
        {"gpu_count", Type::kInteger, "", "",
         "GPUs that exporters show. One that only its MIG instances tell of counts once. The "
         "five states add up to it."},
        [](const Row& row) {
          return OfGpus(row, [](const GpuGroup& gpus) { return Count(gpus.gpus); });
        }},
    NodeColumn{{"gpus_lost", Type::kInteger, "", "",
                "GPUs that were shown within the last hour, or since they were looked at first, "
                "and are not, though the exporters of the node are up; not in gpu_count, but in "
                "score and level."},
               [](const Row& row) {
                 return OfGpus(row, [](const GpuGroup& gpus) { return Count(gpus.lost); });
               }},
    NodeColumn{{"mig_instances", Type::kInteger, "", "", "MIG instances, parts of these GPUs."},
               [](const Row& row) {
                 return OfGpus(row, [](const GpuGroup& gpus) { return Count(gpus.instances); });
               }},
    NodeColumn{{"models", Type::kTexts, "", "model", "Product names of the GPUs."},
               [](const Row& row) { return NamesOf(row, &GpuGroup::models); }},
    NodeColumn{{"namespaces", Type::kTexts, "", "namespace", "Of the pods that hold these GPUs.",
                nullptr, "", true},
               [](const Row& row) {
                 const bool known =
                     row.gpus == nullptr || row.gpus->why_no_namespaces() == NullReason::kNone;
                 return known ? NamesOf(row, &GpuGroup::namespaces)
                              : Value(row.gpus->why_no_namespaces());
               }},
    NodeColumn{{"utilization", Type::kNumber, "%", "", "Mean over the GPUs it is known of."},
               [](const Row& row) { return Mean(row, &GpuGroup::utilization); }},
    NodeColumn{{"utilization_max", Type::kNumber, "%", "", "Of the busiest GPU."},
               [](const Row& row) { return Most(row, &GpuGroup::utilization); }},
    NodeColumn{
        {"memory_used_bytes", Type::kNumber, "bytes", "",
         "Of the GPUs whose used and total memory are known; where none tells both, of those "
         "whose used memory is known."},
        [](const Row& row) { return Sum(row, &GpuGroup::memory_used); }},
    NodeColumn{{"memory_total_bytes", Type::kNumber, "bytes", "",
                "Of the same GPUs; where no used memory is known, of those whose total is."},
               [](const Row& row) { return Sum(row, &GpuGroup::memory_total); }},
    NodeColumn{{"power", Type::kNumber, "W", "", "Sum over the GPUs it is known of."},
               [](const Row& row) { return Sum(row, &GpuGroup::power); }},
    NodeColumn{{"temperature", Type::kNumber, "°C", "", "Mean over the GPUs it is known of."},
               [](const Row& row) { return Mean(row, &GpuGroup::temperature); }},
    NodeColumn{{"temperature_max", Type::kNumber, "°C", "", "Of the hottest GPU."},
               [](const Row& row) { return Most(row, &GpuGroup::temperature); }},
    NodeColumn{{"score", Type::kInteger, "%", "", "As in /api/v1/gpu/health."}, ScoreOf},
    NodeColumn{{"level", Type::kText, "", "level", "As in /api/v1/gpu/health.", nullptr,
                fleet::kLevelWords},
               LevelOf},
    NodeColumn{{"busy", Type::kInteger, "", "", "GPUs that are not idle."},
               StateCount<State::kBusy>},
    NodeColumn{{"idle_held", Type::kInteger, "", "", "Idle GPUs that somebody holds."},
               StateCount<State::kIdleHeld>},
    NodeColumn{{"free", Type::kInteger, "", "", "Idle GPUs that nobody holds."},
               StateCount<State::kFree>},
    NodeColumn{{"unhealthy", Type::kInteger, "", "",
                "GPUs that need a reset, a reboot or somebody to look at them."},
               StateCount<State::kUnhealthy>},
    NodeColumn{{"unknown", Type::kInteger, "", "",
                "GPUs of which nobody says whether they are busy or held."},
               StateCount<State::kUnknown>},
    NodeColumn{{"gpus_capacity", Type::kInteger, "", "",
                "GPUs and MIG instances that Kubernetes counts; this and the next three from "
                "kube-state-metrics."},
               WholeOf<NodeQuantity::kGpusCapacity>},
    NodeColumn{{"gpus_allocatable", Type::kInteger, "", "", "Of these that it can give to pods."},
               WholeOf<NodeQuantity::kGpusAllocatable>},
    NodeColumn{
        {"gpus_requested", Type::kInteger, "", "", "By the pods on the node that have not ended."},
        WholeOf<NodeQuantity::kGpusRequested>},
    NodeColumn{{"gpus_free", Type::kInteger, "", "", "gpus_allocatable - gpus_requested, or 0."},
               [](const Row& row) {
                 const auto left =
                     Left(row, NodeQuantity::kGpusAllocatable, NodeQuantity::kGpusRequested);
                 return left ? Integer(*left)
                             : Value(WhyNotLeft(row, NodeQuantity::kGpusAllocatable,
                                                NodeQuantity::kGpusRequested));
               }},
    NodeColumn{{"ready", Type::kBool, "", "", "What Kubernetes calls the node."},
               [](const Row& row) {
                 const auto ready = row.Get(NodeQuantity::kReady);
                 return ready ? Value(*ready == 1) : Value(row.Why(NodeQuantity::kReady));
               }},
    NodeColumn{{"cores_total", Type::kNumber, "cores", "",
                "Logical CPUs that node-exporter counts, or else Kubernetes."},
               [](const Row& row) {
                 return row.Get(NodeQuantity::kCores) ? Number(row, NodeQuantity::kCores)
                                                      : Number(row, NodeQuantity::kCoresCapacity);
               }},
    NodeColumn{{"cores_available", Type::kNumber, "cores", "",
                "That Kubernetes can give to pods, without those that pods on the node ask for. "
                "Null without kube-state-metrics: how busy cores are does not say whose they are."},
               [](const Row& row) {
                 const auto left =
                     Left(row, NodeQuantity::kCoresAllocatable, NodeQuantity::kCoresRequested);
                 return left ? Value(*left)
                             : Value(WhyNotLeft(row, NodeQuantity::kCoresAllocatable,
                                                NodeQuantity::kCoresRequested));
               }},
    NodeColumn{{"numa_nodes", Type::kItems, "", "", "From node-exporter's meminfo_numa.",
                [] { return std::span<const Column>(kNumaItems); }},
               NumaOf},
    NodeColumn{{"cpu", Type::kNumber, "%", "", "Busy, over all cores and the last five minutes."},
               Of<NodeQuantity::kCpu>},
    NodeColumn{{"load1", Type::kNumber, "", "", "Load average over a minute."},
               Of<NodeQuantity::kLoad1>},
    NodeColumn{{"load5", Type::kNumber, "", "", "Over five minutes."}, Of<NodeQuantity::kLoad5>},
    NodeColumn{{"load15", Type::kNumber, "", "", "Over fifteen minutes."},
               Of<NodeQuantity::kLoad15>},
    NodeColumn{{"host_memory_total_bytes", Type::kNumber, "bytes", "", "Memory of the machine."},
               Of<NodeQuantity::kMemoryTotal>},
    NodeColumn{
        {"host_memory_available_bytes", Type::kNumber, "bytes", "", "That programs can still get."},
        Of<NodeQuantity::kMemoryAvailable>},
    NodeColumn{{"host_memory_used_percent", Type::kNumber, "%", "",
                "100 - what is available; without node-exporter what a GPU exporter says."},
               Of<NodeQuantity::kMemoryUsedPercent>},
    NodeColumn{{"disks", Type::kItems, "", "", "File systems of the machine, by mount point.",
                [] { return std::span<const Column>(kDiskItems); }},
               DisksOf},
    NodeColumn{{"network_rx", Type::kNumber, "bytes/s", "",
                "Received by its physical devices, over the last five minutes."},
               Of<NodeQuantity::kNetworkRx>},
    NodeColumn{{"network_tx", Type::kNumber, "bytes/s", "", "Sent by them."},
               Of<NodeQuantity::kNetworkTx>},
    NodeColumn{{"host_temperature", Type::kNumber, "°C", "", "The hottest sensor of the machine."},
               Of<NodeQuantity::kTemperature>},
    NodeColumn{{"exporters", Type::kItems, "", "", "Who tells of the node.",
                [] { return std::span<const Column>(kExporterItems); }},
               ExportersOf},
};

constexpr auto kColumns = [] {
  std::array<Column, kNodeColumns.size()> columns{};
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = kNodeColumns[i].column;
  return columns;
}();

constexpr std::array kAsked = {Part::kGpus, Part::kProcesses, Part::kNodes};

wire::Records RecordsOf(const Call& call, const GotParts& parts, GoneGpus gone) {
  const fleet::HealthRules& rules = call.services().settings.health_rules;
  const models::Snapshot& gpus = *SnapshotOf(parts[0]);
  GpuGroups groups(gpus, SnapshotOf(parts[1]), GpuGroups::By::kNode, rules);
  AddLost(gone, gpus, SnapshotOf(parts[2]), rules, groups);
  wire::Records records{kColumns, {}};
  for (const auto& [name, row] : NodeRowsOf(groups, SnapshotOf(parts[2]), rules)) {
    auto& cells = records.rows.emplace_back();
    for (const NodeColumn& column : kNodeColumns) cells.push_back(column.value(row));
  }
  return records;
}

void Answer(const CallPtr& call, const RecordQuery& query, const GotParts& parts) {
  FindGone(call, query, parts, [call, query, parts](GoneGpus gone) {
    SendRecords(*call, query, kAsked, parts, RecordsOf(*call, parts, std::move(gone)),
                "GPU nodes retrieved successfully");
  });
}

void SendOne(const CallPtr& call, const RecordQuery& query, const GotParts& parts, GoneGpus gone) {
  const std::string& name = call->path_parameters()[0];
  wire::Records records = RecordsOf(*call, parts, std::move(gone));
  std::erase_if(records.rows, [&](const auto& row) { return row[0] != Value(name); });
  if (!records.rows.empty()) {
    return SendRecord(*call, query, kAsked, parts, records, "GPU node retrieved successfully");
  }
  // It may be one that Kubernetes alone knows.
  if (!parts[2]) return call->SendError(parts[2].error());
  call->SendError(Status{Code::kNotFound,
                         "no node of this name has GPUs at that instant; "
                         "/api/v1/gpu/nodes lists those that have"});
}

void AnswerOne(const CallPtr& call, const RecordQuery& query, const GotParts& parts) {
  FindGone(call, query, parts,
           [call, query, parts](GoneGpus gone) { SendOne(call, query, parts, std::move(gone)); });
}

}  // namespace

void GetNodes(const CallPtr& call) {
  AnswerRecords(call, kColumns, kAsked, Answer);
}

void GetNode(const CallPtr& call) {
  AnswerRecords(call, kColumns, kAsked, AnswerOne);
}

std::span<const ParameterSpec> NodeListParameters() {
  static const RecordParameters kParameters(kColumns);
  return kParameters.specs();
}

std::span<const ParameterSpec> NodeParameters() {
  return OneRecordParameters();
}

std::span<const Column> NodeColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
