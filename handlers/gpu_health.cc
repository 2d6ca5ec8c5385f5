#include "handlers/gpu_health.h"

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/list_answer.h"
#include "handlers/records.h"
#include "internal/fleet/health.h"
#include "internal/gpu/mig.h"

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
    Column{"level", Type::kText, "", "level", "healthy, degraded, critical or unknown."},
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
    Column{"findings", Type::kNotes, "", "", "Of a GPU: what is the matter, the worst first."},
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

std::vector<Value> RowOf(const Subject& subject, const Health& health,
                         const fleet::Average& behind) {
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
  std::vector<wire::Note> notes;
  for (const fleet::HealthFinding& finding : health.findings) {
    notes.push_back({std::string(fleet::NameOf(finding.severity)), std::string(finding.component),
                     finding.text, finding.factor, std::string(fleet::NameOf(finding.action))});
  }
  row.emplace_back(std::move(notes));
  row.push_back(std::isnan(subject.newest) ? Value(NullReason::kNotExported)
                                           : Value(subject.newest));
  return row;
}

Subject SubjectOf(const GpuMetrics& gpu) {
  return {gpu.text(Text::kNode), gpu.text(Text::kGpuId),   gpu.text(Text::kGpuName),
          gpu.text(Text::kUuid), gpu.text(Text::kMigUuid), gpu.newest};
}

void AddGpus(const models::Snapshot& snapshot, const fleet::HealthRules& rules,
             wire::Records& records) {
  for (const GpuMetrics& gpu : snapshot.gpus) {
    const Health health = fleet::Assess(gpu, rules);
    fleet::Average one;
    one.Add(health);
    records.rows.push_back(RowOf(SubjectOf(gpu), health, one));
  }
}

// One row for each value of that text.
void AddGroups(const models::Snapshot& snapshot, const fleet::HealthRules& rules, Text by,
               wire::Records& records) {
  struct Group {
    fleet::Average average;
    double newest = std::nan("");
  };
  std::map<std::string_view, Group> groups;
  for (const GpuMetrics* gpu : gpu::WholeGpus(snapshot.gpus)) {
    Group& group = groups[gpu->text(by)];
    group.average.Add(fleet::Assess(*gpu, rules));
    if (!(group.newest >= gpu->newest)) group.newest = gpu->newest;
  }
  for (const auto& [name, group] : groups) {
    Subject subject;
    subject.newest = group.newest;
    (by == Text::kNode ? subject.node : subject.gpu_name) = name;
    records.rows.push_back(RowOf(subject, group.average.Of(rules), group.average));
  }
}

void AddFleet(const models::Snapshot& snapshot, const fleet::HealthRules& rules,
              wire::Records& records) {
  fleet::Average all;
  Subject subject;
  for (const GpuMetrics* gpu : gpu::WholeGpus(snapshot.gpus)) {
    all.Add(fleet::Assess(*gpu, rules));
    if (!(subject.newest >= gpu->newest)) subject.newest = gpu->newest;
  }
  records.rows.push_back(RowOf(subject, all.Of(rules), all));
}

wire::RecordsMeta MetaOf(const models::Snapshot& snapshot) {
  return {snapshot.as_of, snapshot.partial, snapshot.sources, snapshot.warnings};
}

void Send(Call& call, const RecordQuery& query, const gpu::Got& got) {
  const models::Snapshot& snapshot = *got.snapshot;
  const fleet::HealthRules& rules = call.services().settings.health_rules;
  const std::string& by = call.parameters().Text("by");
  wire::Records records{kColumns, {}};
  if (by == "node" || by == "model") {
    AddGroups(snapshot, rules, by == "node" ? Text::kNode : Text::kGpuName, records);
  } else if (by == "fleet") {
    AddFleet(snapshot, rules, records);
  } else {
    AddGpus(snapshot, rules, records);
  }
  wire::Page page = Select(records, query);
  page.stale = got.stale;
  page.stale_code = got.why.wire_name();
  page.partial = snapshot.partial;
  auto encoded = query.form.csv ? wire::EncodeCsv(records, page)
                                : wire::EncodeRecords(records, MetaOf(snapshot), page,
                                                      "GPU health retrieved successfully");
  SendMade(call, got, std::move(encoded), page, query.form.csv);
}

}  // namespace

void GetGpuHealth(const CallPtr& call) {
  auto query = ParseRecordQuery(kColumns, call->parameters());
  if (!query) return call->SendError(query.error());
  if (const auto refused = FutureRefused(*call, query->form.at)) return call->SendError(*refused);
  const gpu::Want want{Part::kGpus, query->form.at, query->form.allow_stale};
  call->services().source.Get(want, call->deadline(),
                              [call, query = *std::move(query)](Result<gpu::Got> got) {
                                if (!got) return call->SendError(got.error());
                                if (got->snapshot->partial && !query.form.allow_partial) {
                                  return call->SendError(PartialRefused());
                                }
                                if (got->stale) call->services().metrics.CountStaleServed();
                                call->Defer([call, query, got = *std::move(got)] {
                                  if (call->Alive()) Send(*call, query, got);
                                });
                              });
}

std::span<const ParameterSpec> GpuHealthParameters() {
  static const RecordParameters kParameters(kColumns, kBy);
  return kParameters.specs();
}

std::span<const wire::Column> HealthColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
