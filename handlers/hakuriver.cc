#include "handlers/hakuriver.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "handlers/hakuriver_host.h"
#include "handlers/hakuriver_rows.h"
#include "handlers/list_answer.h"
#include "handlers/records.h"
#include "internal/base/words.h"

namespace gpumon::handlers {
namespace {

// One row by itself, or all of them.
enum class Shape : std::uint8_t { kList, kOne };

template <class T>
void SendRows(Call& call, const RecordQuery& query, const Shared<T>& got,
              const wire::Records& records, std::vector<std::string> warnings, Shape shape,
              std::string_view message) {
  wire::Page page = Select(records, query);
  page.stale = got.stale;
  page.stale_code = got.why.wire_name();
  page.upstream = kHakuRiverName;
  wire::RecordsMeta meta;
  meta.as_of = std::chrono::duration<double>(got.taken.time_since_epoch()).count();
  meta.sources = {"hakuriver"};
  meta.warnings = std::move(warnings);
  auto encoded = query.form.csv          ? wire::EncodeCsv(records, page)
                 : shape == Shape::kList ? wire::EncodeRecords(records, meta, page, message)
                                         : wire::EncodeRecord(records, meta, page, message);
  gpu::Got age;
  age.age_seconds = got.age_seconds;
  SendMade(call, age, std::move(encoded), page, query.form.csv);
}

struct Rows {
  wire::Records records;
  std::vector<std::string> warnings = {};
};

template <class T>
struct Question {
  SharedAnswers<T>& answers;
  std::string text;
  std::span<const wire::Column> columns;
  Rows (*rows)(const T& value, gpu::CommandStyle style);
  std::string_view message;
  Shape shape = Shape::kList;
};

template <class T>
void AnswerRows(const CallPtr& call, const Question<T>& question) {
  auto query = ParseRecordQuery(question.columns, call->parameters());
  if (!query) return call->SendError(query.error());
  const bool allow_stale = query->form.allow_stale;
  question.answers.Get(question.text, allow_stale,
                       [call, question, query = *std::move(query)](Result<Shared<T>> got) {
                         if (!got) return call->SendError(got.error());
                         call->Defer([call, question, query, got = *std::move(got)] {
                           if (!call->Alive()) return;
                           Rows rows =
                               question.rows(*got.value, call->services().hakuriver->commands());
                           SendRows(*call, query, got, rows.records, std::move(rows.warnings),
                                    question.shape, question.message);
                         });
                       });
}

Rows NodeRows(const std::vector<hakuriver::Node>& nodes, gpu::CommandStyle) {
  return {RecordsOf(nodes)};
}

Rows HealthRows(const hakuriver::Health& health, gpu::CommandStyle) {
  Rows rows{RecordsOf(health)};
  if (health.stale) {
    rows.warnings.emplace_back(
        "the HakuRiver host takes samples no longer: these are the last ones; restart it");
  }
  if (!health.unsampled.empty()) {
    std::string names;
    for (const auto& node : health.unsampled) names += (names.empty() ? "" : ", ") + node.hostname;
    rows.warnings.push_back("the HakuRiver host has no samples of nodes that it lists: " + names);
  }
  return rows;
}

Rows TaskRows(const hakuriver::TaskList& list, gpu::CommandStyle style) {
  Rows rows{RecordsOf(list.tasks, style)};
  if (list.more) {
    rows.warnings.push_back("the HakuRiver host has more than these " +
                            std::to_string(list.tasks.size()) +
                            " tasks: ask with one status for others");
  }
  return rows;
}

Rows OneTask(const hakuriver::Task& task, gpu::CommandStyle style) {
  return {RecordsOf(std::vector{task}, style)};
}

Rows VpsRows(const std::vector<hakuriver::Vps>& vps, gpu::CommandStyle style) {
  return {RecordsOf(vps, style)};
}

// The one status that is asked for, which the host itself then looks for; "" for all.
std::string StatusOf(const Parameters& parameters) {
  const auto& asked = parameters.All("status");
  if (asked.size() != 1) return "";
  return IsOneOf(hakuriver::kTaskStates, asked[0]) ? asked[0] : "";
}

constexpr ParameterSpec kAllVps{
    .name = "all", .kind = ParameterKind::kFlag, .help = "Those too that have ended."};

}  // namespace

HakuRiverHost* HakuRiverHostOf(Call& call) {
  HakuRiverHost* const host = call.services().hakuriver;
  if (host == nullptr) {
    call.SendError(Status{Code::kNotFound,
                          "this server knows no HakuRiver host: HAKURIVER_URL is not set; set it "
                          "to where one answers, like http://host:8000"});
  }
  return host;
}

void GetHakuRiverNodes(const CallPtr& call) {
  if (HakuRiverHost* const host = HakuRiverHostOf(*call)) {
    AnswerRows<std::vector<hakuriver::Node>>(call,
                                             {host->nodes, "", HakuRiverNodeColumns(), NodeRows,
                                              "HakuRiver nodes retrieved successfully"});
  }
}

void GetHakuRiverHealth(const CallPtr& call) {
  if (HakuRiverHost* const host = HakuRiverHostOf(*call)) {
    AnswerRows<hakuriver::Health>(call, {host->health, "", HakuRiverHealthColumns(), HealthRows,
                                         "HakuRiver health retrieved successfully"});
  }
}

void GetHakuRiverTasks(const CallPtr& call) {
  if (HakuRiverHost* const host = HakuRiverHostOf(*call)) {
    AnswerRows<hakuriver::TaskList>(
        call, {host->tasks, StatusOf(call->parameters()), HakuRiverTaskColumns(), TaskRows,
               "HakuRiver tasks retrieved successfully"});
  }
}

void GetHakuRiverTask(const CallPtr& call) {
  if (HakuRiverHost* const host = HakuRiverHostOf(*call)) {
    AnswerRows<hakuriver::Task>(
        call, {host->task, call->path_parameters()[0], HakuRiverTaskColumns(), OneTask,
               "HakuRiver task retrieved successfully", Shape::kOne});
  }
}

void GetHakuRiverVps(const CallPtr& call) {
  if (HakuRiverHost* const host = HakuRiverHostOf(*call)) {
    AnswerRows<std::vector<hakuriver::Vps>>(
        call, {host->vps,
               call->parameters().Flag("all") ? HakuRiverHost::kAllVps : HakuRiverHost::kActiveVps,
               HakuRiverVpsColumns(), VpsRows, "HakuRiver VPS retrieved successfully"});
  }
}

std::span<const ParameterSpec> HakuRiverNodeParameters() {
  static const RecordParameters kParameters(HakuRiverNodeColumns(), {}, false);
  return kParameters.specs();
}

std::span<const ParameterSpec> HakuRiverHealthParameters() {
  static const RecordParameters kParameters(HakuRiverHealthColumns(), {}, false);
  return kParameters.specs();
}

std::span<const ParameterSpec> HakuRiverTasksParameters() {
  static const RecordParameters kParameters(HakuRiverTaskColumns(), {}, false);
  return kParameters.specs();
}

std::span<const ParameterSpec> HakuRiverTaskParameters() {
  static const ParameterList kParameters = [] {
    ParameterList list;
    for (const ParameterSpec& spec : OneRecordParameters()) {
      if (spec.name != "at" && spec.name != "partial") list.Add(spec);
    }
    return list;
  }();
  return kParameters.specs();
}

std::span<const ParameterSpec> HakuRiverVpsParameters() {
  static const RecordParameters kParameters(HakuRiverVpsColumns(), {&kAllVps, 1}, false);
  return kParameters.specs();
}

}  // namespace gpumon::handlers
