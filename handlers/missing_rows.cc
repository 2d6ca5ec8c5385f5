#include "handlers/missing_rows.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "internal/wire/form.h"

namespace gpumon::handlers {
namespace {

using models::NullReason;
using wire::Column;
using wire::Item;
using wire::Value;
using Type = Column::Type;

constexpr std::array kOwnerItems = {
    Column{"namespace", Type::kText, "", "", "Of the pod."},
    Column{"pod", Type::kText, "", "", "That held the GPU, or a part of it."},
    Column{"container", Type::kText, "", "", "Of the pod."},
};

constexpr std::array kColumns = {
    Column{"node_name", Type::kText, "", "node", "Where the GPU was last."},
    Column{"gpu_id", Type::kText, "", "gpu", "As it was last."},
    Column{"gpu_name", Type::kText, "", "model", "Product name."},
    Column{"uuid", Type::kText, "", "uuid", "Null: it is known by its node and id."},
    Column{"what", Type::kText, "", "what",
           "exporter_down: nobody looks at it; node_gone: its node is away or not ready; gpu_gone: "
           "it is the GPU itself; null: cannot be told.",
           nullptr, fleet::kLossWords},
    Column{"evidence", Type::kText, "", "", "What says so."},
    Column{"last_seen", Type::kTime, "", "",
           "Its newest sample; of older losses an instant at which it was shown."},
    Column{"missing_since", Type::kTime, "", "",
           "The first instant that no longer showed it: it was lost between last_seen and this."},
    Column{"missing_seconds", Type::kNumber, "s", "", "From last_seen to as_of."},
    Column{"last_xid", Type::kInteger, "", "", "Its newest XID; 0: none."},
    Column{"last_temperature", Type::kNumber, "°C", "", "Its newest temperature."},
    Column{"namespaces", Type::kTexts, "", "namespace", "Of its owners."},
    Column{"pods", Type::kTexts, "", "pod", "Of its owners."},
    Column{"users", Type::kTexts, "", "user",
           "Of the processes on it when a closer look saw any last; empty: none is known."},
    Column{"owners", Type::kItems, "", "",
           "Who held it at the last instant at which somebody did; several share it.",
           [] { return std::span<const Column>(kOwnerItems); }},
    Column{"held_at", Type::kTime, "", "", "That instant; null: nobody is known to have."},
};

Item::Cell CellOf(const std::string& text) {
  return text.empty() ? Item::Cell(NullReason::kNotExported) : Item::Cell(text);
}

}  // namespace

std::span<const Column> MissingColumns() {
  return kColumns;
}

std::vector<Value> MissingRow(const fleet::LostGpu& gpu, const fleet::Verdict& verdict, bool whole,
                              double end) {
  const fleet::LastSeen& seen = gpu.seen;
  std::vector<Value> row;
  for (const std::string* text : {&seen.node, &seen.gpu_id, &seen.gpu_name, &seen.uuid}) {
    row.push_back(wire::TextOrNull(*text));
  }
  row.push_back(wire::TextOrNull(fleet::NameOf(verdict.loss),
                                 whole ? NullReason::kNotExported : NullReason::kQueryFailed));
  row.emplace_back(verdict.evidence);
  for (const double time : {seen.at, gpu.gone, end - seen.at}) row.emplace_back(time);
  const bool has_xid = seen.xid.why == NullReason::kNone;
  row.push_back(has_xid ? Value(static_cast<std::int64_t>(std::llround(seen.xid.value)))
                        : Value(seen.xid.why));
  const bool has_heat = seen.temperature.why == NullReason::kNone;
  row.push_back(has_heat ? Value(seen.temperature.value) : Value(seen.temperature.why));
  std::set<std::string> namespaces;
  std::set<std::string> pods;
  std::vector<Item> owners;
  for (const fleet::Owner& owner : seen.owners) {
    if (!owner.name_space.empty()) namespaces.insert(owner.name_space);
    if (!owner.pod.empty()) pods.insert(owner.pod);
    owners.push_back({{CellOf(owner.name_space), CellOf(owner.pod), CellOf(owner.container)}});
  }
  row.emplace_back(std::vector<std::string>(namespaces.begin(), namespaces.end()));
  row.emplace_back(std::vector<std::string>(pods.begin(), pods.end()));
  row.emplace_back(std::vector<std::string>(seen.users.begin(), seen.users.end()));
  row.emplace_back(std::move(owners));
  row.push_back(std::isnan(seen.held_at) ? Value(NullReason::kNone) : Value(seen.held_at));
  return row;
}

}  // namespace gpumon::handlers
