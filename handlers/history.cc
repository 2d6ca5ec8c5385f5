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
#include "internal/base/text.h"
#include "internal/fleet/history.h"
#include "internal/fleet/host_history.h"
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
    Column{"gpus", Type::kInteger, "", "", "GPUs that gave any value; null of machines."},
    Column{"window_avg", Type::kNumber, "", "", "Mean of avg."},
    Column{"window_min", Type::kNumber, "", "", "Least of min."},
    Column{"window_max", Type::kNumber, "", "", "Most of max."},
    Column{"avg", Type::kNumbers, "", "",
           "Mean of the samples of each step; null where there is none. The first step begins at "
           "meta.window.start. Of several GPUs the mean of those that are known. Of machines a "
           "gauge is that of the step's end."},
    Column{"min", Type::kNumbers, "", "", "The least sample of each step; null of machines."},
    Column{"max", Type::kNumbers, "", "", "The largest sample of each step; null of machines."},
    Column{"sum", Type::kNumbers, "", "",
           "Sum of the means of the GPUs, or of the machines, that are known."},
    Column{"known", Type::kNumbers, "", "", "How many these are."},
};

// Of machines: fields of /api/v1/gpu/nodes.
struct HostMetric {
  std::string_view name;
  models::NodeQuantity quantity;
  std::string_view unit;
};
constexpr std::array kHostMetrics = {
    HostMetric{"cpu", models::NodeQuantity::kCpu, "%"},
    HostMetric{"load1", models::NodeQuantity::kLoad1, ""},
    HostMetric{"host_memory_used_percent", models::NodeQuantity::kMemoryUsedPercent, "%"},
    HostMetric{"network_rx", models::NodeQuantity::kNetworkRx, "bytes/s"},
    HostMetric{"network_tx", models::NodeQuantity::kNetworkTx, "bytes/s"},
    HostMetric{"host_temperature", models::NodeQuantity::kTemperature, "°C"},
};

// null: it is none of machines.
const HostMetric* HostMetricOf(const std::string& name) {
  const auto found = std::find_if(kHostMetrics.begin(), kHostMetrics.end(),
                                  [&](const HostMetric& metric) { return metric.name == name; });
  return found == kHostMetrics.end() ? nullptr : &*found;
}

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
    for (const HostMetric& metric : kHostMetrics) words.append("|").append(metric.name);
    return words;
  }();
  static const std::vector<ParameterSpec> kAll = [] {
    std::vector<ParameterSpec> all = {
        {.name = "metric",
         .kind = ParameterKind::kWord,
         .help = "A field of /api/v1/gpu/metrics, or one of machines of /api/v1/gpu/nodes; "
                 "utilization where it is not given.",
         .words = kWords},
        {.name = "aggregate",
         .kind = ParameterKind::kWord,
         .help =
             "One row for each GPU (or MIG instance), node or model, or one for the cluster; of "
             "machines one for each node or for the cluster.",
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

struct Shown {
  std::string_view metric;
  std::string_view unit;
  bool of_hosts = false;
};

std::vector<Value> RowOf(const Shown& shown, HistoryLine line) {
  std::vector<Value> row = {std::string(shown.metric), wire::TextOrNull(shown.unit)};
  for (const std::string* text :
       {&line.node, &line.gpu_id, &line.gpu_name, &line.uuid, &line.mig_uuid}) {
    row.push_back(wire::TextOrNull(*text));
  }
  const auto known = std::count_if(line.mean.begin(), line.mean.end(),
                                   [](double number) { return !std::isnan(number); });
  shown.of_hosts ? row.emplace_back(NullReason::kNone)
                 : row.emplace_back(static_cast<std::int64_t>(line.gpus));
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

gpu::RangeWant WantOf(const Window& window, const GpuFilter& filter,
                      std::vector<gpu::RangePart> parts) {
  gpu::RangeWant want;
  const wire::Span span = window.span();
  want.start = span.start + span.step;  // of the first step's end
  want.step = span.step;
  want.steps = window.instants();
  want.nodes = filter.ExactNodes();
  want.parts = std::move(parts);
  return want;
}

// `history` is a fleet::History or a fleet::HostHistory.
template <class History>
struct Books {
  Shown shown;
  RecordQuery query;
  Window window;
  History history;
};

template <class History>
void Send(Call& call, Books<History>& books, gpu::RangeEnd end) {
  wire::Records records{kColumns, {}};
  for (HistoryLine& line : books.history.Finish()) {
    records.rows.push_back(RowOf(books.shown, std::move(line)));
  }
  wire::RecordsMeta meta;
  meta.window = books.window.span();
  meta.as_of = meta.window->end;
  meta.sources = std::move(end.sources);
  meta.warnings = std::move(end.warnings);
  if (records.rows.empty()) {
    meta.warnings.push_back("no sample of " + std::string(books.shown.metric) +
                            " in this window; /api/v1/gpu/" +
                            (books.shown.of_hosts ? "nodes shows which exporters tell of a machine"
                                                  : "schema says what would give it"));
  }
  const wire::Page page = Select(records, books.query);
  const bool csv = books.query.form.csv;
  auto encoded =
      csv ? wire::EncodeCsv(records, page)
          : wire::EncodeRecords(records, meta, page, "GPU history retrieved successfully");
  SendMade(call, gpu::Got{}, std::move(encoded), page, csv);
}

template <class History, class Add>
void Walk(const CallPtr& call, gpu::RangeWant want, const std::shared_ptr<Books<History>>& books,
          Add add) {
  call->services().walk(
      want, call->deadline(),
      [call, books, add](std::size_t i, std::span<const models::SnapshotPtr> snapshots) {
        add(books->history, i, snapshots);
        return call->Alive();
      },
      [call, books](Result<gpu::RangeEnd> end) {
        if (!end) return call->SendError(end.error());
        Send(*call, *books, *std::move(end));
      });
}

void WalkGpus(const CallPtr& call, const RecordQuery& query, const GpuFilter& filter,
              const Window& window) {
  const FieldSpec& metric = MetricOf(call->parameters().Text("metric"));
  const auto quantity = static_cast<Quantity>(metric.slot);
  const auto books = std::make_shared<Books<fleet::History>>(Books<fleet::History>{
      {metric.name, metric.unit, false},
      query,
      window,
      fleet::History(ByOf(call->parameters().Text("aggregate")), quantity, metric.scale,
                     window.instants(),
                     [filter](const models::GpuMetrics& row) { return filter.Passes(row); })});
  Walk(call, WantOf(window, filter, fleet::HistoryParts(quantity)), books,
       [](fleet::History& history, std::size_t i, std::span<const models::SnapshotPtr> snapshots) {
         history.Add(i, snapshots);
       });
}

void WalkHosts(const CallPtr& call, const RecordQuery& query, const GpuFilter& filter,
               const Window& window, const HostMetric& metric) {
  const HistoryBy by =
      call->parameters().Text("aggregate") == "cluster" ? HistoryBy::kFleet : HistoryBy::kNode;
  const auto passes = [nodes = filter.nodes](std::string_view node) {
    return nodes.empty() || std::any_of(nodes.begin(), nodes.end(), [node](const auto& pattern) {
             return GlobMatch(pattern, node);
           });
  };
  const auto books = std::make_shared<Books<fleet::HostHistory>>(Books<fleet::HostHistory>{
      {metric.name, metric.unit, true},
      query,
      window,
      fleet::HostHistory(by, metric.quantity, window.instants(), passes)});
  gpu::RangePart part;
  part.part = models::Part::kNodes;
  part.of_nodes.set(static_cast<std::size_t>(metric.quantity));
  Walk(call, WantOf(window, filter, {part}), books,
       [](fleet::HostHistory& history, std::size_t i,
          std::span<const models::SnapshotPtr> snapshots) { history.Add(i, *snapshots[0]); });
}

// What tells GPUs apart says nothing of a machine.
Result<void> CheckHostQuestion(const Call& call, const HostMetric& metric) {
  for (const char* const name : {"gpu", "uuid", "model"}) {
    if (call.parameters().All(name).empty()) continue;
    return Error(Code::kInvalidParameter,
                 "'" + std::string(name) + "' does not go with metric=" + std::string(metric.name) +
                     ", which is of machines; allowed: node");
  }
  if (call.parameters().Text("aggregate") == "model") {
    return Error(Code::kInvalidParameter,
                 "'aggregate' is model, and metric=" + std::string(metric.name) +
                     " is of machines; allowed: node, cluster");
  }
  return {};
}

}  // namespace

void GetHistory(const CallPtr& call) {
  auto query = ParseRecordQuery(kColumns, call->parameters());
  if (!query) return call->SendError(query.error());
  const GpuFilter filter = ParseGpuFilter(call->parameters());
  constexpr WindowDefaults kDefaults{.lists = 3, .points = 200'000};
  const HostMetric* const host = HostMetricOf(call->parameters().Text("metric"));
  if (host != nullptr) {
    if (auto good = CheckHostQuestion(*call, *host); !good) return call->SendError(good.error());
  }
  WithWindow(call, kDefaults, filter,
             [call, filter, host, query = *std::move(query)](Window asked) {
               const Window window = WholeSteps(asked);
               host != nullptr ? WalkHosts(call, query, filter, window, *host)
                               : WalkGpus(call, query, filter, window);
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
