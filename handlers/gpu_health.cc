#include "handlers/gpu_health.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/gpu_groups.h"
#include "handlers/health_ages.h"
#include "handlers/lost_gpus.h"
#include "handlers/node_rows.h"
#include "handlers/record_answer.h"
#include "handlers/records.h"
#include "internal/fleet/finding_ages.h"
#include "internal/fleet/health.h"
#include "internal/fleet/host_health.h"
#include "internal/gpu/mig.h"
#include "internal/wire/form.h"

namespace gpumon::handlers {
namespace {

using fleet::Health;
using fleet::Level;
using models::GpuMetrics;
using models::NullReason;
using models::Part;
using models::Text;
using wire::Column;
using wire::Value;
using Type = Column::Type;

constexpr std::array kColumns = {
    Column{"node_name", Type::kText, "", "node", "Null with by=model and by=fleet."},
    Column{"gpu_id", Type::kText, "", "gpu", "Null unless by=gpu, and so are uuid and mig_uuid."},
    Column{"gpu_name", Type::kText, "", "model", "Product name."},
    Column{"uuid", Type::kText, "", "uuid", "Of the GPU."},
    Column{"mig_uuid", Type::kText, "", "uuid", "Of the MIG instance that the row is about."},
    Column{"score", Type::kInteger, "%", "",
           "0 to 100, rounded down; of several GPUs their average. Null: nothing is known that it "
           "could come from."},
    Column{"level", Type::kText, "", "level", "healthy, degraded, critical or unknown.", nullptr,
           fleet::kLevelWords},
    Column{"confidence", Type::kNumber, "", "",
           "0 to 1: the share of what a score comes from that is known."},
    Column{"gpus", Type::kInteger, "", "",
           "GPUs behind the row. One that only its MIG instances tell of counts once."},
    Column{"healthy", Type::kInteger, "", "", "Of these."},
    Column{"degraded", Type::kInteger, "", "", "Of these."},
    Column{"critical", Type::kInteger, "", "", "Of these."},
    Column{"unknown", Type::kInteger, "", "", "Of these."},
    Column{"temperature", Type::kText, "", "", "Its level: the worst of its GPUs that is known."},
    Column{"power", Type::kText, "", "", "As temperature."},
    Column{"memory", Type::kText, "", "", "As temperature."},
    Column{"clock", Type::kText, "", "", "As temperature: throttling."},
    Column{"ecc", Type::kText, "", "", "As temperature: ECC errors and remapped rows."},
    Column{"xid", Type::kText, "", "", "As temperature: the last XID."},
    Column{"nvlink", Type::kText, "", "", "As temperature."},
    Column{
        "host", Type::kText, "", "",
        "Of the machine: offline, short of memory or disk, or with GPUs that Kubernetes gives to "
        "nobody. It does nothing to the score."},
    Column{"findings", Type::kNotes, "", "",
           "Of a GPU, and with by=node of the machine: what is the matter, the worst first."},
    Column{"timestamp", Type::kTime, "", "", "When its newest sample was taken."},
};

constexpr std::array kBy = {ParameterSpec{.name = "by",
                                          .kind = ParameterKind::kWord,
                                          .help = "One row for each GPU (or MIG instance), node or "
                                                  "model, or one for the fleet.",
                                          .words = "gpu|node|model|fleet"}};

Value Integer(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

// Whom a row is about.
struct Subject {
  std::string_view node;
  std::string_view gpu_id;
  std::string_view gpu_name;
  std::string_view uuid;
  std::string_view mig_uuid;
  double newest = std::nan("");
};

using Ages = std::vector<fleet::Began>;

std::vector<wire::Note> NotesOf(const Health& health, const Ages& since) {
  std::vector<wire::Note> notes;
  for (std::size_t i = 0; i < health.findings.size(); ++i) {
    const fleet::HealthFinding& finding = health.findings[i];
    const fleet::Began began = i < since.size() ? since[i] : fleet::Began{};
    notes.push_back({std::string(fleet::NameOf(finding.severity)), std::string(finding.component),
                     finding.text, finding.factor, std::string(fleet::NameOf(finding.action)),
                     began.at, began.or_before});
  }
  return notes;
}

std::vector<Value> RowOf(const Subject& subject, const Health& health, const fleet::Average& behind,
                         const Ages& since) {
  std::vector<Value> row = {
      wire::TextOrNull(subject.node),
      wire::TextOrNull(subject.gpu_id),
      wire::TextOrNull(subject.gpu_name),
      wire::TextOrNull(subject.uuid),
      wire::TextOrNull(subject.mig_uuid),
      health.score ? Value(fleet::ShownScore(*health.score)) : Value(NullReason::kNotExported),
      std::string(fleet::NameOf(health.level)),
      health.confidence,
      Integer(behind.size())};
  for (const Level level : {Level::kHealthy, Level::kDegraded, Level::kCritical, Level::kUnknown}) {
    row.push_back(Integer(behind.count(level)));
  }
  for (const Level level : health.components) row.emplace_back(std::string(fleet::NameOf(level)));
  row.emplace_back(NotesOf(health, since));
  row.push_back(std::isnan(subject.newest) ? Value(NullReason::kNotExported)
                                           : Value(subject.newest));
  return row;
}

Subject SubjectOf(const GpuMetrics& gpu) {
  return {gpu.text(Text::kNode), gpu.text(Text::kGpuId),   gpu.text(Text::kGpuName),
          gpu.text(Text::kUuid), gpu.text(Text::kMigUuid), gpu.newest};
}

// GPUs, and the machines that they are in.
class Assessed {
 public:
  Assessed(const models::Snapshot& gpus, const models::Snapshot* nodes,
           const fleet::HealthRules& rules)
      : gpus_(gpus),
        rules_(rules),
        groups_(gpus, nullptr, GpuGroups::By::kNode, rules),
        nodes_(NodeRowsOf(groups_, nodes, rules)) {
    for (const auto& [name, row] : nodes_) {
      if (row.node == nullptr) continue;
      hosts_[name] = fleet::AssessHost(*row.node, row.targets(),
                                       row.Of(row.snapshot->disks, row.node->parts.disks),
                                       row.gpus != nullptr, rules);
    }
  }

  Health Of(const GpuMetrics& gpu) const {
    Health health = fleet::Assess(gpu, rules_);
    health.components[kHost] = HostOf(gpu.text(Text::kNode)).level;
    return health;
  }

  // GPUs that are no longer there, from now on among the others.
  void SetGone(GoneGpus gone) { gone_ = LostOf(std::move(gone), nodes_); }

  // Before rows are added: since when there is what is the matter.
  void Look(fleet::FindingAges& ages) {
    for (const GpuMetrics& gpu : gpus_.gpus) healths_.push_back(Of(gpu));
    since_ = LookAt(gpus_, healths_, hosts_, ages);
  }

  bool any_host_finding() const {
    return std::any_of(hosts_.begin(), hosts_.end(),
                       [](const auto& host) { return !host.second.findings.empty(); });
  }

  void AddGpus(wire::Records& records) const {
    for (std::size_t i = 0; i < gpus_.gpus.size(); ++i) {
      const Health health = healths_.empty() ? Of(gpus_.gpus[i]) : healths_[i];
      fleet::Average one;
      one.Add(health);
      records.rows.push_back(
          RowOf(SubjectOf(gpus_.gpus[i]), health, one, since_.empty() ? Ages() : since_[i]));
    }
    for (const auto& gone : gone_) {
      fleet::Average one;
      const Health health = OfGone(gone);
      one.Add(health);
      const double newest = gone.since.value_or(std::nan(""));
      records.rows.push_back(RowOf({gone.node, gone.gpu_id, gone.gpu_name, gone.uuid, "", newest},
                                   health, one, {{gone.since, false}}));
    }
  }

  // One row for each node or model.
  void AddGroups(Text by, wire::Records& records) const {
    struct Group {
      fleet::Average average;
      double newest = std::nan("");
    };
    std::map<std::string_view, Group> groups;
    for (const GpuMetrics* gpu : gpu::WholeGpus(gpus_.gpus)) {
      Group& group = groups[gpu->text(by)];
      group.average.Add(Of(*gpu));
      if (!(group.newest >= gpu->newest)) group.newest = gpu->newest;
    }
    for (const auto& gone : gone_) {
      groups[by == Text::kNode ? gone.node : gone.gpu_name].average.Add(OfGone(gone));
    }
    // Those of whose GPUs nobody tells any more.
    for (const auto& [name, host] : hosts_) {
      if (by == Text::kNode) groups.try_emplace(name);
    }
    for (const auto& [name, group] : groups) {
      Subject subject;
      subject.newest = group.newest;
      (by == Text::kNode ? subject.node : subject.gpu_name) = name;
      Health health = group.average.Of(rules_);
      Ages since;
      if (by == Text::kNode) {
        const fleet::HostHealth& host = HostOf(name);
        health.components[kHost] = host.level;
        since = AddGone(name, health);
        health.findings.insert(health.findings.end(), host.findings.begin(), host.findings.end());
        const Ages of_host = SinceOf(name);
        since.insert(since.end(), of_host.begin(), of_host.end());
      }
      records.rows.push_back(RowOf(subject, health, group.average, since));
    }
  }

  void AddFleet(wire::Records& records) const {
    fleet::Average all;
    Subject subject;
    for (const GpuMetrics* gpu : gpu::WholeGpus(gpus_.gpus)) {
      all.Add(Of(*gpu));
      if (!(subject.newest >= gpu->newest)) subject.newest = gpu->newest;
    }
    for (const auto& gone : gone_) all.Add(OfGone(gone));
    Health health = all.Of(rules_);
    for (const auto& [name, host] : hosts_) {
      Level& worst = health.components[kHost];
      if (host.level == Level::kUnknown) continue;
      if (worst == Level::kUnknown || host.level > worst) worst = host.level;
    }
    records.rows.push_back(RowOf(subject, health, all, {}));
  }

 private:
  static constexpr auto kHost = static_cast<std::size_t>(fleet::Component::kHost);

  const fleet::HostHealth& HostOf(std::string_view node) const {
    static const fleet::HostHealth kNone;
    const auto found = hosts_.find(node);
    return found == hosts_.end() ? kNone : found->second;
  }

  // Of each finding of that machine, which stand behind those of the GPUs.
  Ages SinceOf(std::string_view node) const {
    const auto host = hosts_.find(node);
    if (since_.empty() || host == hosts_.end()) return {};
    return since_[gpus_.gpus.size() +
                  static_cast<std::size_t>(std::distance(hosts_.begin(), host))];
  }

  Health OfGone(const fleet::SeenGpus::Gone& gone) const {
    Health health = HealthOf(gone, rules_);
    health.components[kHost] = HostOf(gone.node).level;
    return health;
  }

  // The findings of those of a node, and since when.
  Ages AddGone(std::string_view node, Health& health) const {
    Ages since;
    for (const auto& gone : gone_) {
      if (gone.node != node) continue;
      health.findings.push_back(OfGone(gone).findings.front());
      health.findings.back().factor = 1;  // of the GPU, not of the node
      since.push_back({gone.since, false});
    }
    return since;
  }

  const models::Snapshot& gpus_;
  const fleet::HealthRules& rules_;
  const GpuGroups groups_;
  const std::map<std::string_view, NodeRow> nodes_;
  HostHealths hosts_;
  std::vector<Health> healths_;  // by row, and as of LookAt; empty: nobody looked
  std::vector<Ages> since_;
  GoneGpus gone_;
};

constexpr std::array kAsked = {Part::kGpus, Part::kNodes};

// What an answer is made of.
struct Found {
  GotParts parts;
  GoneGpus gone;
  std::shared_ptr<PastAges> past;  // of a past instant; null: nothing is known of it
};

void AnswerWith(const CallPtr& call, const RecordQuery& query, Found found) {
  const Services& services = call->services();
  const models::SnapshotPtr& gpus = found.parts[0]->snapshot;
  Assessed assessed(*gpus, SnapshotOf(found.parts[1]), services.settings.health_rules);
  assessed.SetGone(std::move(found.gone));
  const std::string& by = call->parameters().Text("by");
  const bool has_findings = by.empty() || by == "gpu" || by == "node";
  wire::Records records{kColumns, {}};
  if (has_findings && query.form.at) {
    if (found.past != nullptr) assessed.Look(found.past->findings);
  } else if (has_findings && !gpus->partial) {  // a part of what there is ends nothing
    assessed.Look(services.finding_ages);
    LearnAges(call, gpus);
  }
  if (by == "node" || by == "model") {
    assessed.AddGroups(by == "node" ? Text::kNode : Text::kGpuName, records);
  } else if (by == "fleet") {
    assessed.AddFleet(records);
  } else {
    assessed.AddGpus(records);
  }
  SendRecords(*call, query, kAsked, found.parts, records, "GPU health retrieved successfully");
}

// What is looked at now says nothing of a past instant.
bool WantsPast(const Call& call, const RecordQuery& query, const GotParts& parts,
               const GoneGpus& gone) {
  const models::Snapshot& gpus = *parts[0]->snapshot;
  const std::string& by = call.parameters().Text("by");
  if (!query.form.at || gpus.partial || by == "model" || by == "fleet") return false;
  const auto is_findings = [](std::size_t place) { return kColumns[place].type == Type::kNotes; };
  const auto& fields = query.form.fields;
  if (!fields.empty() && std::none_of(fields.begin(), fields.end(), is_findings)) return false;
  if (!gone.empty()) return true;
  const auto& rules = call.services().settings.health_rules;
  if (by == "node") return Assessed(gpus, SnapshotOf(parts[1]), rules).any_host_finding();
  return std::any_of(gpus.gpus.begin(), gpus.gpus.end(), [&](const GpuMetrics& gpu) {
    return !fleet::Assess(gpu, rules).findings.empty();
  });
}

void Answer(const CallPtr& call, const RecordQuery& query, const GotParts& parts) {
  FindGone(call, query, parts, [call, query, parts](GoneGpus gone) {
    const models::SnapshotPtr& gpus = parts[0]->snapshot;
    Found found{parts, std::move(gone), nullptr};
    if (!WantsPast(*call, query, parts, found.gone)) {
      return AnswerWith(call, query, std::move(found));
    }
    AgesAt(call, gpus, [call, query, found](const std::shared_ptr<PastAges>& past) {
      Found all{found.parts, found.gone, past};
      for (auto& one : all.gone) {
        if (one.since || past == nullptr) continue;
        const auto seen = past->seen.find({one.node, one.uuid.empty() ? one.gpu_id : one.uuid});
        if (seen != past->seen.end()) one.since = seen->second;
      }
      AnswerWith(call, query, std::move(all));
    });
  });
}

}  // namespace

void GetGpuHealth(const CallPtr& call) {
  AnswerRecords(call, kColumns, kAsked, Answer);
}

std::span<const ParameterSpec> GpuHealthParameters() {
  static const RecordParameters kParameters(kColumns, kBy);
  return kParameters.specs();
}

std::span<const wire::Column> HealthColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
