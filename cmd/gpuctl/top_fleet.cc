#include <string_view>
#include <utility>

#include "cmd/gpuctl/cells.h"
#include "cmd/gpuctl/top.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

using json::Value;

constexpr char kSummary[] = "/api/v1/gpu/summary";
constexpr char kNodes[] = "/api/v1/gpu/nodes";
constexpr char kGpus[] = "/api/v1/gpu/metrics";

std::string TextOf(const Value& value) {
  return value.AsString() == nullptr ? std::string(kAbsentCell) : *value.AsString();
}

Known Share(const Known& part, const Known& all) {
  if (!part || !all || *all <= 0) return std::nullopt;
  return 100 * *part / *all;
}

template <class Member, class Owner>
struct Field {
  std::string_view name;
  Member Owner::*member;
};

constexpr Field<Known, TopFleet> kFleetFields[] = {
    {"gpus", &TopFleet::gpus},
    {"busy", &TopFleet::busy},
    {"idle_held", &TopFleet::idle},
    {"free", &TopFleet::free},
    {"unhealthy", &TopFleet::unhealthy},
    {"unknown", &TopFleet::unknown},
    {"gpus_lost", &TopFleet::lost},
    {"utilization", &TopFleet::utilization},
    {"power", &TopFleet::power},
    {"temperature_max", &TopFleet::temperature},
    {"users", &TopFleet::users},
    {"pods_running", &TopFleet::pods_running},
    {"pods_pending", &TopFleet::pods_pending},
    {"memory_used_bytes", &TopFleet::memory_used},
    {"memory_total_bytes", &TopFleet::memory_total},
};

constexpr Field<Known, TopNode> kNodeFields[] = {
    {"gpu_count", &TopNode::gpus},
    {"busy", &TopNode::busy},
    {"idle_held", &TopNode::idle},
    {"free", &TopNode::free},
    {"unhealthy", &TopNode::unhealthy},
    {"utilization", &TopNode::utilization},
    {"temperature_max", &TopNode::temperature},
    {"power", &TopNode::power},
};

constexpr Field<Known, TopGpu> kGpuFields[] = {
    {"utilization", &TopGpu::utilization},
    {"memory_used_percent", &TopGpu::memory},
    {"temperature", &TopGpu::temperature},
    {"power", &TopGpu::power},
};

template <class Owner, std::size_t kCount>
void Take(const Value& row, const Field<Known, Owner> (&fields)[kCount], Owner& owner) {
  for (const auto& field : fields) owner.*field.member = row[field.name].AsDouble();
}

template <class Owner, std::size_t kCount>
std::string NamesOf(std::string names, const Field<Known, Owner> (&fields)[kCount]) {
  for (const auto& field : fields) names += ',' + std::string(field.name);
  return names;
}

TopGpu GpuOf(const Value& row) {
  TopGpu gpu;
  gpu.node = TextOf(row["node_name"]);
  gpu.id = TextOf(row["gpu_id"]);
  if (!row["mig"].is_null()) gpu.id += ':' + CellText(row["mig"], CellKind::kMig, {});
  gpu.model = TextOf(row["gpu_name"]);
  const Value& holders = row["workloads"];
  gpu.holder = holders.size() == 0 ? "" : CellText(holders, CellKind::kPods, {});
  Take(row, kGpuFields, gpu);
  return gpu;
}

TopNode NodeOf(const Value& row) {
  TopNode node;
  node.name = TextOf(row["node_name"]);
  node.status = TextOf(row["status"]);
  node.level = TextOf(row["level"]);
  Take(row, kNodeFields, node);
  node.memory = Share(row["memory_used_bytes"].AsDouble(), row["memory_total_bytes"].AsDouble());
  return node;
}

// The answer's rows; of all answers together it is said how well they are.
Result<Value> AskList(Server& server, const std::string& path, const Server::Query& query,
                      TopFleet& fleet) {
  auto answer = server.GetData(path, query);
  if (!answer) return Error(answer.error());
  if (!(*answer)["data"].is_array()) return Error(server.Lack(path, "rows"));
  const Value& meta = (*answer)["meta"];
  fleet.stale = fleet.stale || meta["stale"].AsBool() == true;
  fleet.partial = fleet.partial || meta["partial"].AsBool() == true;
  const auto as_of = ParseTime(TextOf(meta["as_of"]));
  if (as_of && (!fleet.as_of || *as_of < *fleet.as_of)) fleet.as_of = as_of;
  return answer;
}

}  // namespace

Result<TopFleet> AskFleet(Server& server) {
  TopFleet fleet;
  fleet.server = server.name();
  const auto summary = AskList(server, kSummary, {}, fleet);
  if (!summary) return Error(summary.error());
  const auto nodes = AskList(
      server, kNodes,
      {{"fields",
        NamesOf("node_name,status,level,memory_used_bytes,memory_total_bytes", kNodeFields)}},
      fleet);
  if (!nodes) return Error(nodes.error());
  const auto gpus =
      AskList(server, kGpus,
              {{"fields", NamesOf("node_name,gpu_id,mig,gpu_name,workloads", kGpuFields)}}, fleet);
  if (!gpus) return Error(gpus.error());
  Take((*summary)["data"][0], kFleetFields, fleet);
  for (const Value& row : (*nodes)["data"].elements()) fleet.all_nodes.push_back(NodeOf(row));
  for (const Value& row : (*gpus)["data"].elements()) fleet.all_gpus.push_back(GpuOf(row));
  return fleet;
}

}  // namespace gpumon::ctl
