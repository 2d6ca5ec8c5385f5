#include "handlers/history.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "handlers/list_answer.h"
#include "handlers/records.h"
#include "handlers/window.h"
#include "internal/fleet/history.h"
#include "internal/wire/table.h"

namespace gpumon::handlers {
namespace {

using fleet::HistoryBy;
using fleet::HistoryLine;
using models::FieldSpec;
using models::NullReason;
using models::Quantity;
using wire::Column;
using wire::Value;
using Type = Column::Type;

constexpr std::array kColumns = {
    Column{"metric", Type::kText, "", "", "What was measured."},
    Column{"unit", Type::kText, "", "", "Its unit."},
    Column{"node_name", Type::kText, "", "", "With aggregate=none and node."},
    Column{"gpu_id", Type::kText, "", "", "With aggregate=none."},
    Column{"gpu_name", Type::kText, "", "", "With aggregate=none and model."},
    Column{"uuid", Type::kText, "", "", "With aggregate=none: of the GPU."},
    Column{"mig_uuid", Type::kText, "", "", "Of the MIG instance that the row is about."},
    Column{"gpus", Type::kInteger, "", "", "GPUs that gave any value."},
    Column{"window_avg", Type::kNumber, "", "", "Mean of avg."},
    Column{"window_min", Type::kNumber, "", "", "Least of min."},
    Column{"window_max", Type::kNumber, "", "", "Most of max."},
    Column{"avg", Type::kNumbers, "", "",
           "Mean of the samples of each step; null where there is none. The first step begins at "
           "meta.window.start. Of several GPUs the mean of those that are known."},
    Column{"min", Type::kNumbers, "", "", "The least sample of each step."},
    Column{"max", Type::kNumbers, "", "", "The largest sample of each step."},
    Column{"sum", Type::kNumbers, "", "", "Sum of the means of the GPUs that are known."},
    Column{"known", Type::kNumbers, "", "", "How many these are."},
};

// The fields of GPUs that have a mean.
std::vector<const FieldSpec*> Metrics() {
  std::vector<const FieldSpec*> metrics;
  for (const FieldSpec& field : wire::FieldsOf(models::Part::kGpus)) {
    if (field.from == models::From::kReading) metrics.push_back(&field);
  }
  return metrics;
}

const FieldSpec& MetricOf(const std::string& name) {
  const auto metrics = Metrics();
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const FieldSpec* field) { return field->name == name; });
  return found == metrics.end() ? *metrics.front() : **found;
}

std::span<const ParameterSpec> OwnParameters() {
  static const std::string kWords = [] {
    std::string words;
    for (const FieldSpec* const field : Metrics()) {
      words.append(words.empty() ? "" : "|").append(field->name);
    }
    return words;
  }();
  static const std::vector<ParameterSpec> kAll = [] {
    std::vector<ParameterSpec> all = {
        {.name = "metric",
         .kind = ParameterKind::kWord,
         .help = "A field of /api/v1/gpu/metrics; utilization where it is not given.",
         .words = kWords},
        {.name = "aggregate",
         .kind = ParameterKind::kWord,
         .help = "One row for each GPU (or MIG instance), node or model, or one for the cluster.",
         .words = "none|node|model|cluster"}};
    all.insert(all.end(), kWindowParameters.begin(), kWindowParameters.end());
    all.insert(all.end(), kGpuFilterParameters.begin(), kGpuFilterParameters.end());
    return all;
  }();
  return kAll;
}

HistoryBy ByOf(const std::string& word) {
  return word == "node"      ? HistoryBy::kNode
         : word == "model"   ? HistoryBy::kModel
         : word == "cluster" ? HistoryBy::kFleet
                             : HistoryBy::kGpu;
}

// What the numbers that are known come to.
template <class Fold>
double Over(const std::vector<double>& numbers, Fold fold) {
  double all = std::numeric_limits<double>::quiet_NaN();
  for (const double number : numbers) {
    if (!std::isnan(number)) all = std::isnan(all) ? number : fold(all, number);
  }
  return all;
}

std::vector<Value> RowOf(const FieldSpec& metric, HistoryLine line) {
  std::vector<Value> row = {std::string(metric.name), wire::TextOrNull(metric.unit)};
  for (const std::string* text :
       {&line.node, &line.gpu_id, &line.gpu_name, &line.uuid, &line.mig_uuid}) {
    row.push_back(wire::TextOrNull(*text));
  }
  const auto known = std::count_if(line.mean.begin(), line.mean.end(),
                                   [](double number) { return !std::isnan(number); });
  row.emplace_back(static_cast<std::int64_t>(line.gpus));
  row.emplace_back(Over(line.mean, [](double a, double b) { return a + b; }) /
                   static_cast<double>(known));
  row.emplace_back(Over(line.least, [](double a, double b) { return std::min(a, b); }));
  row.emplace_back(Over(line.most, [](double a, double b) { return std::max(a, b); }));
  for (auto* const numbers : {&line.mean, &line.least, &line.most, &line.sum, &line.known}) {
    row.emplace_back(std::move(*numbers));
  }
  return row;
}

// A step's samples are those since the step before: windows begin where whole steps fit.
Window WholeSteps(Window window) {
  const std::int64_t steps = (window.end - window.start) / window.step;
  window.start = window.end - steps * window.step;
  return window;
}

gpu::RangeWant WantOf(const Window& window, const GpuFilter& filter, Quantity quantity) {
  gpu::RangeWant want;
  const wire::Span span = window.span();
  want.start = span.start + span.step;  // of the first step's end
  want.step = span.step;
  want.steps = window.instants();
  want.nodes = filter.ExactNodes();
  want.parts = fleet::HistoryParts(quantity);
  return want;
}

struct Books {
  const FieldSpec& metric;
  RecordQuery query;
  Window window;
  fleet::History history;
};

void Send(Call& call, Books& books, gpu::RangeEnd end) {
  wire::Records records{kColumns, {}};
  for (HistoryLine& line : books.history.Finish()) {
    records.rows.push_back(RowOf(books.metric, std::move(line)));
  }
  wire::RecordsMeta meta;
  meta.window = books.window.span();
  meta.as_of = meta.window->end;
  meta.sources = std::move(end.sources);
  meta.warnings = std::move(end.warnings);
  if (records.rows.empty()) {
    meta.warnings.push_back("no sample of " + std::string(books.metric.name) +
                            " in this window; /api/v1/gpu/schema says what would give it");
  }
  const wire::Page page = Select(records, books.query);
  const bool csv = books.query.form.csv;
  auto encoded =
      csv ? wire::EncodeCsv(records, page)
          : wire::EncodeRecords(records, meta, page, "GPU history retrieved successfully");
  SendMade(call, gpu::Got{}, std::move(encoded), page, csv);
}

}  // namespace

void GetHistory(const CallPtr& call) {
  auto query = ParseRecordQuery(kColumns, call->parameters());
  if (!query) return call->SendError(query.error());
  const GpuFilter filter = ParseGpuFilter(call->parameters());
  constexpr WindowDefaults kDefaults{.lists = 3};
  WithWindow(call, kDefaults, filter, [call, filter, query = *std::move(query)](Window asked) {
    const Window window = WholeSteps(asked);
    const FieldSpec& metric = MetricOf(call->parameters().Text("metric"));
    const auto quantity = static_cast<Quantity>(metric.slot);
    const auto books = std::make_shared<Books>(Books{
        metric, query, window,
        fleet::History(ByOf(call->parameters().Text("aggregate")), quantity, metric.scale,
                       window.instants(),
                       [filter](const models::GpuMetrics& row) { return filter.Passes(row); })});
    call->services().walk(
        WantOf(window, filter, quantity), call->deadline(),
        [call, books](std::size_t i, std::span<const models::SnapshotPtr> snapshots) {
          books->history.Add(i, snapshots);
          return call->Alive();
        },
        [call, books](Result<gpu::RangeEnd> end) {
          if (!end) return call->SendError(end.error());
          Send(*call, *books, *std::move(end));
        });
  });
}

std::span<const ParameterSpec> HistoryParameters() {
  static const RecordParameters kParameters(kColumns, OwnParameters());
  return kParameters.specs();
}

std::span<const wire::Column> HistoryColumns() {
  return kColumns;
}

}  // namespace gpumon::handlers
