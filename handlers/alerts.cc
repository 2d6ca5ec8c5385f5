#include "handlers/alerts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/record_answer.h"
#include "internal/gpu/host_names.h"
#include "internal/gpu/identity.h"

namespace gpumon::handlers {
namespace {

using models::Alert;
using models::GpuMetrics;
using models::NullReason;
using models::Part;
using models::Text;
using wire::Column;
using wire::Value;
using Type = Column::Type;

constexpr std::array kColumns = {
    Column{"alertname", Type::kText, "", "alertname", "What its rule is called."},
    Column{"state", Type::kText, "", "state",
           "firing, or pending: its condition holds, but not yet for as long as its rule wants.",
           nullptr, "firing|pending"},
    Column{"severity", Type::kText, "", "severity", "Its label severity."},
    Column{"since", Type::kTime, "", "",
           "When its condition began to hold; null where ALERTS_FOR_STATE does not tell."},
    Column{"age_seconds", Type::kNumber, "s", "", "From since to as_of."},
    Column{"node_name", Type::kText, "", "node",
           "The machine that its labels name, or that has the GPU they name."},
    Column{"gpu_id", Type::kText, "", "gpu", "Of the GPU that its labels name."},
    Column{"uuid", Type::kText, "", "uuid", "Of that GPU, or of the MIG instance that they name."},
    Column{"gpu_name", Type::kText, "", "model", "Product name of that GPU."},
    Column{"namespace", Type::kText, "", "namespace",
           "That its labels name; it may be that of the exporter."},
    Column{"pod", Type::kText, "", "pod", "As namespace."},
    Column{"held_by", Type::kTexts, "", "held_by",
           "namespace/pod of those that hold that GPU at as_of."},
    Column{"labels", Type::kTexts, "", "label", "All of its labels: name=value."},
};

// GPUs by what an alert may call them.
class Gpus {
 public:
  // May be null.
  explicit Gpus(const models::Snapshot* snapshot) : snapshot_(snapshot) {
    if (snapshot == nullptr) return;
    for (const GpuMetrics& row : snapshot->gpus) {
      const std::string_view node = row.text(Text::kNode);
      const std::string_view id = row.text(Text::kGpuId);
      if (!id.empty()) {
        by_place_[{node, id}].push_back(&row);
        Short& its = by_short_[{gpu::ShortName(node), id}];
        its.several |= !its.rows.empty() && its.rows.front()->text(Text::kNode) != node;
        its.rows.push_back(&row);
      }
      for (const Text text : {Text::kUuid, Text::kMigUuid}) {
        if (!row.text(text).empty()) by_uuid_[row.text(text)].push_back(&row);
      }
    }
  }

  // All rows of the board, or of the instance, that it names.
  const std::vector<const GpuMetrics*>& Of(const Alert& alert) const {
    static const std::vector<const GpuMetrics*> kNone;
    if (!alert.uuid.empty()) {
      auto found = by_uuid_.find(alert.uuid);
      if (found == by_uuid_.end()) {  // one whose maker the labels do not tell
        found = std::find_if(by_uuid_.begin(), by_uuid_.end(), [&](const auto& known) {
          return gpu::IsSameUuid(known.first, alert.uuid);
        });
      }
      return found == by_uuid_.end() ? kNone : found->second;
    }
    if (alert.gpu_id.empty()) return kNone;
    const auto found = by_place_.find({alert.node, alert.gpu_id});
    if (found != by_place_.end()) return found->second;
    // One may call the node with its domain, and the other without.
    const auto same = by_short_.find({gpu::ShortName(alert.node), alert.gpu_id});
    return same == by_short_.end() || same->second.several ? kNone : same->second.rows;
  }

  std::set<std::string> HoldersOf(const std::vector<const GpuMetrics*>& rows) const {
    std::set<std::string> holders;
    for (const GpuMetrics* row : rows) {
      for (std::uint32_t i = 0; i < row->workload_count; ++i) {
        const models::Workload& workload = snapshot_->workloads[row->first_workload + i];
        holders.insert(std::string(workload.name_space).append("/").append(workload.pod));
      }
    }
    return holders;
  }

 private:
  using Rows = std::vector<const GpuMetrics*>;

  struct Short {
    Rows rows;
    bool several = false;  // nodes of that name
  };

  const models::Snapshot* const snapshot_;
  std::map<std::pair<std::string_view, std::string_view>, Rows> by_place_;
  std::map<std::pair<std::string_view, std::string_view>, Short> by_short_;
  std::map<std::string_view, Rows> by_uuid_;
};

// What all rows say, or nothing.
std::string_view Common(const std::vector<const GpuMetrics*>& rows, Text text) {
  if (rows.empty()) return {};
  const std::string_view first = rows.front()->text(text);
  const bool same = std::all_of(rows.begin(), rows.end(),
                                [&](const auto* row) { return row->text(text) == first; });
  return same ? first : std::string_view();
}

std::string_view Or(std::string_view text, std::string_view other) {
  return text.empty() ? other : text;
}

std::vector<Value> RowOf(const Alert& alert, const models::Snapshot& alerts, const Gpus& gpus) {
  const auto& rows = gpus.Of(alert);
  const bool by_uuid = !alert.uuid.empty();
  std::vector<Value> row;
  row.push_back(wire::TextOrNull(alert.name));
  row.emplace_back(std::string(alert.firing ? "firing" : "pending"));
  row.push_back(wire::TextOrNull(alert.severity));
  const bool dated = !std::isnan(alert.since);
  row.push_back(dated ? Value(alert.since) : Value(NullReason::kNotExported));
  row.push_back(dated ? Value(std::fmax(0, alerts.as_of - alert.since))
                      : Value(NullReason::kNotExported));
  // A UUID says more than a label of the machine, which may be that of the rule's target.
  row.push_back(wire::TextOrNull(by_uuid ? Or(Common(rows, Text::kNode), alert.node) : alert.node));
  row.push_back(
      wire::TextOrNull(by_uuid ? Or(Common(rows, Text::kGpuId), alert.gpu_id) : alert.gpu_id));
  const bool is_mig = gpu::IsMigUuid(alert.uuid);
  const std::string_view known = Common(rows, is_mig ? Text::kMigUuid : Text::kUuid);
  row.push_back(wire::TextOrNull(Or(known, alert.uuid)));
  row.push_back(wire::TextOrNull(Common(rows, Text::kGpuName)));
  row.push_back(wire::TextOrNull(alert.name_space));
  row.push_back(wire::TextOrNull(alert.pod));
  const auto holders = gpus.HoldersOf(rows);
  row.emplace_back(std::vector<std::string>(holders.begin(), holders.end()));
  const auto labels = std::span(alerts.alert_labels).subspan(alert.first_label, alert.label_count);
  row.emplace_back(std::vector<std::string>(labels.begin(), labels.end()));
  return row;
}

constexpr std::array kAsked = {Part::kAlerts, Part::kGpus};

void Answer(const CallPtr& call, const RecordQuery& query, const GotParts& parts) {
  const models::Snapshot& alerts = *SnapshotOf(parts[0]);
  const Gpus gpus(SnapshotOf(parts[1]));
  wire::Records records{kColumns, {}};
  for (const Alert& alert : alerts.alerts) records.rows.push_back(RowOf(alert, alerts, gpus));
  SendRecords(*call, query, kAsked, parts, records, "Alerts retrieved successfully");
}

// No label lacks a name or a value: without them it would be one that none ever has.
bool MayMatch(std::string_view label) {
  const std::size_t equals = label.find('=');
  if (label.substr(0, equals).find('*') != label.npos) return true;  // it stands for any of both
  return equals != label.npos && equals > 0 && equals + 1 < label.size();
}

}  // namespace

void GetAlerts(const CallPtr& call) {
  for (const std::string& label : call->parameters().All("label")) {
    if (MayMatch(label)) continue;
    return call->SendError(
        {Code::kInvalidParameter,
         "parameter 'label' has a wrong value; allowed: label=NAME=VALUE, or with *"});
  }
  AnswerRecords(call, kColumns, kAsked, Answer);
}

std::span<const ParameterSpec> AlertParameters() {
  static const RecordParameters kParameters(kColumns);
  return kParameters.specs();
}

std::span<const Column> AlertColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
