#include "internal/schema/load.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "internal/base/text.h"
#include "internal/json/document.h"
#include "internal/schema/names.h"
#include "internal/schema/node.h"
#include "internal/schema/unit.h"

namespace gpumon::schema {
namespace {

using json::Value;

// Of GPUs, and as many of processes, of one exporter: a join counts them in bytes, and one stands
// for none.
constexpr std::size_t kMostMetrics = 255;

const Measured& FieldOf(const Node& node, std::span<const Measured> fields) {
  const std::string name = node.Text();
  for (const Measured& field : fields) {
    if (field.name == name) return field;
  }
  std::vector<std::string_view> names;
  for (const Measured& field : fields) names.push_back(field.name);
  node.Fail("unknown field \"" + name + '"' + DidYouMean(name, names));
}

const Unit& UnitOf(const Node& node, std::string_view field, Dimension dimension) {
  const std::string name = node.Text();
  const Unit* const unit = FindUnit(name);
  std::vector<std::string_view> fitting;
  for (const Unit& known : Units()) {
    if (known.dimension == dimension) fitting.push_back(known.name);
  }
  if (unit == nullptr) node.Fail("unknown unit \"" + name + '"' + DidYouMean(name, fitting));
  if (unit->dimension != dimension) {
    std::string allowed;
    for (const auto known : fitting) allowed.append(allowed.empty() ? "" : ", ").append(known);
    node.Fail("the unit \"" + name + "\" does not fit " + std::string(field) +
              "; allowed: " + allowed);
  }
  return *unit;
}

Reduce ReduceOf(const Node& metric) {
  const auto node = metric.Find("reduce");
  if (!node) return Reduce::kNewest;
  static constexpr std::array<std::string_view, 3> kNames = {"max", "min", "sum"};
  static constexpr std::array kValues = {Reduce::kMax, Reduce::kMin, Reduce::kSum};
  const std::string name = node->Text();
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return kValues[i];
  }
  node->Fail("unknown reduction \"" + name + '"' + DidYouMean(name, kNames));
}

Metric MetricOf(const Node& node, std::span<const Measured> fields) {
  static constexpr std::array<std::string_view, 11> kKeys = {
      "field",  "metric", "where",     "unit",     "scale", "bit",
      "reduce", "parts",  "own_query", "allotted", "note"};
  node.OnlyKeys(kKeys);
  const Measured& field = FieldOf(node.At("field"), fields);
  const Unit& unit = UnitOf(node.At("unit"), field.name, field.dimension);
  Metric metric;
  metric.name = MetricName(node.At("metric"));
  metric.where = Conditions(node.Find("where"));
  metric.slot = field.slot;
  metric.rule = unit.rule;
  metric.unit = unit.name;
  metric.scale = unit.scale;
  if (const auto scale = node.Find("scale")) {
    if (scale->Number() <= 0) scale->Fail("must be above 0");
    metric.scale *= scale->Number();
  }
  const auto bit = node.Find("bit");
  if (bit.has_value() != (unit.rule == Rule::kFlag)) {
    node.Fail("\"bit\" belongs to the unit \"flag\", and to no other");
  }
  if (bit) {
    const double number = bit->Number();
    const bool whole = number >= 1 && number <= 0x80000000 && number == std::floor(number);
    if (!whole || !std::has_single_bit(static_cast<std::uint64_t>(number))) {
      bit->Fail("must be the value of one bit, like 8");
    }
    metric.bit = static_cast<std::uint32_t>(number);
  }
  metric.reduce = ReduceOf(node);
  metric.parts = LabelNames(node.ElementsOf("parts"));
  if (!metric.parts.empty() && metric.reduce != Reduce::kSum) {
    node.Fail("\"parts\" belong to the reduction \"sum\", and to no other");
  }
  metric.own_query = node.FlagOf("own_query");
  metric.allotted = node.FlagOf("allotted");
  metric.note = node.TextOf("note");
  return metric;
}

std::vector<Metric> MetricsOf(const Node& schema, std::string_view key,
                              std::span<const Measured> fields) {
  std::vector<Metric> metrics;
  for (const Node& node : schema.ElementsOf(key)) {
    Metric metric = MetricOf(node, fields);
    for (const Metric& other : metrics) {
      if (other.name == metric.name && other.where == metric.where) {
        node.Fail("the metric " + metric.name +
                  " stands here twice; tell the two apart by \"where\"");
      }
    }
    metrics.push_back(std::move(metric));
  }
  if (metrics.size() > kMostMetrics) {
    schema.At(key).Fail("has " + std::to_string(metrics.size()) + " metrics; allowed: at most " +
                        std::to_string(kMostMetrics));
  }
  return metrics;
}

std::vector<ShareMetric> SharesOf(const Node& schema, const std::vector<Metric>& gpu) {
  static constexpr std::array<std::string_view, 6> kKeys = {"field", "metric", "where",
                                                            "unit",  "parts",  "note"};
  static constexpr std::array kFields = {
      Measured{"memory_used", static_cast<std::size_t>(Share::kMemoryUsed), Dimension::kBytes},
      Measured{"memory_limit", static_cast<std::size_t>(Share::kMemoryLimit), Dimension::kBytes},
      Measured{"utilization", static_cast<std::size_t>(Share::kUtilization), Dimension::kPercent}};
  std::vector<ShareMetric> shares;
  for (const Node& node : schema.ElementsOf("shares")) {
    node.OnlyKeys(kKeys);
    const Measured& field = FieldOf(node.At("field"), kFields);
    const Unit& unit = UnitOf(node.At("unit"), field.name, field.dimension);
    std::string name = MetricName(node.At("metric"));
    const bool needs_device = std::any_of(
        gpu.begin(), gpu.end(), [&](const Metric& metric) { return metric.name == name; });
    shares.push_back({std::move(name), Conditions(node.Find("where")),
                      static_cast<Share>(field.slot), unit.rule, unit.scale,
                      LabelNames(node.ElementsOf("parts")), needs_device});
  }
  return shares;
}

Labels LabelsOf(const std::optional<Node>& node) {
  Labels labels;
  if (!node) return labels;
  std::vector<std::string_view> known = {"pid"};
  for (const TextName& row : TextNames()) known.push_back(row.name);
  node->OnlyKeys(known);
  for (const auto& [key, value] : node->value().members()) {
    const Aliases aliases = LabelNames(Node(value, node->place() + '.' + key).Elements());
    if (key == "pid") labels.pid = aliases;
    for (const TextName& row : TextNames()) {
      if (row.name == key) labels.texts.emplace_back(row.text, aliases);
    }
  }
  return labels;
}

// A target's labels fill what its series lack: only Exporter::pod_may_be_exporters tells the two
// apart.
void CheckPods(const Node& schema, std::string_view key, const Labels& labels) {
  using models::Text;
  for (const auto& [text, aliases] : labels.texts) {
    for (const auto& [own, label] :
         {std::pair(Text::kPod, "pod"), std::pair(Text::kNamespace, "namespace"),
          std::pair(Text::kContainer, "container")}) {
      if (text != own || std::find(aliases.begin(), aliases.end(), label) == aliases.end())
        continue;
      const std::string quoted = '"' + std::string(label) + '"';
      schema.At(key).At(label).Fail(
          quoted +
          " may be the exporter's own; leave it out here and set \"pod_may_be_exporters\": "
          "true, which takes it for a workload's where it is");
    }
  }
}

// A series that nothing tells whose it is would be no GPU at all.
void CheckNamesGpus(const Node& node, const Exporter& exporter) {
  if (exporter.gpu.empty()) return;
  for (const auto& [text, aliases] : exporter.labels.texts) {
    const bool names_it = text == models::Text::kGpuId || text == models::Text::kUuid;
    if (names_it && !aliases.empty()) return;
  }
  node.Fail(R"(names no GPU; "gpu" needs a label for "gpu_id", "uuid" or both)");
}

// What a field is derived from: never from itself.
std::vector<models::Quantity> PartsOf(const Measured& derived, const std::vector<Node>& nodes) {
  std::vector<models::Quantity> quantities;
  quantities.reserve(nodes.size());
  for (const Node& node : nodes) {
    const Measured& field = FieldOf(node, MeasuredOfGpus());
    if (field.slot == derived.slot) {
      node.Fail('"' + node.Text() + "\" is what is derived; allowed: any other field");
    }
    if (field.dimension != derived.dimension) {
      node.Fail('"' + node.Text() + "\" is no part of " + std::string(derived.name) +
                ": they are measured in different units");
    }
    quantities.push_back(static_cast<models::Quantity>(field.slot));
  }
  return quantities;
}

std::vector<Derived> DerivedOf(const Node& schema) {
  static constexpr std::array<std::string_view, 4> kKeys = {"field", "sum", "plus_if_there",
                                                            "note"};
  std::vector<Derived> derived;
  for (const Node& node : schema.ElementsOf("derive")) {
    node.OnlyKeys(kKeys);
    const Measured& field = FieldOf(node.At("field"), MeasuredOfGpus());
    Derived row{static_cast<models::Quantity>(field.slot),
                PartsOf(field, node.At("sum").Elements()),
                PartsOf(field, node.ElementsOf("plus_if_there"))};
    if (row.sum.empty()) node.At("sum").Fail("must name a field");
    derived.push_back(std::move(row));
  }
  return derived;
}

void ReadBlanks(const Node& schema, Exporter& exporter) {
  for (const Node& node : schema.ElementsOf("blanks")) {
    if (const std::string* const text = node.value().AsString(); text && *text == "NaN") {
      exporter.nan_is_blank = true;
      continue;
    }
    if (!node.value().is_array() || node.value().size() != 2) {
      node.Fail("must be [lowest, highest], or \"NaN\"");
    }
    const auto ends = node.Elements();
    if (ends[0].Number() > ends[1].Number()) node.Fail("must be [lowest, highest]");
    exporter.blanks.emplace_back(ends[0].Number(), ends[1].Number());
  }
}

std::vector<SuccessMetric> SuccessOf(const Node& schema) {
  static constexpr std::array<std::string_view, 4> kKeys = {"metric", "where", "of", "note"};
  std::vector<SuccessMetric> rows;
  for (const Node& node : schema.ElementsOf("success")) {
    node.OnlyKeys(kKeys);
    SuccessMetric row{MetricName(node.At("metric")), Conditions(node.Find("where"))};
    if (const auto of = node.Find("of")) {
      static constexpr std::array<std::string_view, 2> kParts = {"gpus", "processes"};
      const std::string part = of->Text();
      if (std::find(kParts.begin(), kParts.end(), part) == kParts.end()) {
        of->Fail("unknown part \"" + part + '"' + DidYouMean(part, kParts));
      }
      row.of_gpus = part == "gpus";
      row.of_processes = !row.of_gpus;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void ReadIdentity(const Node& node, Exporter& exporter) {
  exporter.name = node.At("name").Text();
  if (!IsSchemaName(exporter.name)) node.At("name").Fail("must be [a-z0-9_]{1,32}");
  exporter.title = node.At("title").Text();
  exporter.vendor = node.TextOf("vendor");
  const double priority = node.At("priority").Number();
  if (priority != std::floor(priority) || std::abs(priority) > 1e6) {
    node.At("priority").Fail("must be a whole number");
  }
  exporter.priority = static_cast<int>(priority);
  exporter.detect = MetricNames(node.At("detect").Elements());
  if (exporter.detect.empty()) node.At("detect").Fail("must name a metric");
  exporter.require = Conditions(node.Find("require"));
  if (const auto prefixes = node.Find("prefixes")) {
    exporter.prefixes.clear();
    for (const Node& prefix : prefixes->Elements()) {
      const std::string text = prefix.Text();
      if (!text.empty() && !IsMetricName(text)) {
        prefix.Fail('"' + text + "\" is no prefix of a" + kMetricNames);
      }
      exporter.prefixes.push_back(text);
    }
    if (exporter.prefixes.empty()) prefixes->Fail("must name a prefix, if only \"\"");
  }
}

// A query for one metric alone asks for one name, and for one metric of that name.
void CheckOwnQueries(const Node& node, const Exporter& exporter) {
  std::map<std::string, int> uses;
  for (const auto& metric : exporter.gpu) ++uses[metric.name];
  for (const auto& metric : exporter.process) ++uses[metric.name];
  for (const auto& share : exporter.shares) ++uses[share.name];
  for (const auto& success : exporter.success) ++uses[success.name];
  for (const auto* infos : {&exporter.info, &exporter.process_info, &exporter.mig_mode}) {
    for (const auto& name : *infos) ++uses[name];
  }
  ++uses[exporter.gpu_id_metric];
  for (const auto* metrics : {&exporter.gpu, &exporter.process}) {
    for (const Metric& metric : *metrics) {
      if (!metric.own_query) continue;
      if (uses[metric.name] > 1)
        node.Fail("\"own_query\" of " + metric.name + ", which stands here twice");
      if (exporter.prefixes != std::vector<std::string>{""}) {
        node.Fail("\"own_query\" of " + metric.name + ", whose name has prefixes");
      }
    }
  }
}

Exporter ExporterOf(const Node& node) {
  static constexpr std::array<std::string_view, 23> kKeys = {
      "name",         "title",    "vendor",        "priority",
      "detect",       "require",  "prefixes",      "pod_may_be_exporters",
      "labels",       "mig_mode", "gpu_id_metric", "node_may_be_address",
      "gpu",          "process",  "info",          "process_labels",
      "process_info", "shares",   "derive",        "gpu_name_prefix",
      "blanks",       "success",  "node_of_target"};
  node.OnlyKeys(kKeys);
  Exporter exporter;
  ReadIdentity(node, exporter);
  exporter.pod_may_be_exporters = node.FlagOf("pod_may_be_exporters");
  exporter.node_may_be_address = node.FlagOf("node_may_be_address");
  exporter.node_of_target = node.FlagOf("node_of_target");
  if (const auto metric = node.Find("gpu_id_metric")) exporter.gpu_id_metric = MetricName(*metric);
  exporter.gpu_name_prefix = node.TextOf("gpu_name_prefix");
  exporter.labels = LabelsOf(node.At("labels"));
  exporter.process_labels = LabelsOf(node.Find("process_labels"));
  CheckPods(node, "labels", exporter.labels);
  CheckPods(node, "process_labels", exporter.process_labels);
  exporter.gpu = MetricsOf(node, "gpu", MeasuredOfGpus());
  CheckNamesGpus(node.At("labels"), exporter);
  exporter.process = MetricsOf(node, "process", MeasuredOfProcesses());
  if (!exporter.process.empty() && exporter.process_labels.pid.empty()) {
    node.Fail(R"("process" needs a label for "pid" in "process_labels")");
  }
  exporter.info = MetricNames(node.ElementsOf("info"));
  exporter.mig_mode = MetricNames(node.ElementsOf("mig_mode"));
  exporter.process_info = MetricNames(node.ElementsOf("process_info"));
  exporter.shares = SharesOf(node, exporter.gpu);
  exporter.derive = DerivedOf(node);
  ReadBlanks(node, exporter);
  exporter.success = SuccessOf(node);
  CheckOwnQueries(node, exporter);
  if (exporter.gpu.empty() && exporter.process.empty())
    node.Fail("measures nothing: \"gpu\" and \"process\" are empty");
  return exporter;
}

}  // namespace

Result<std::vector<Exporter>> Load(std::string_view text, std::string_view origin) {
  const auto document = json::ParseDocument(text);
  if (!document) {
    return Error(Code::kInvalidParameter, std::string(origin) + ": " + document.error().message);
  }
  try {
    std::vector<Exporter> exporters;
    const Node root(*document, std::string(origin));
    if (!document->is_array()) {
      exporters.push_back(ExporterOf(root));
    } else {
      for (const Node& node : root.Elements()) exporters.push_back(ExporterOf(node));
      if (exporters.empty()) root.Fail("has no schema");
    }
    return exporters;
  } catch (const Mistake& mistake) {
    return Error(Code::kInvalidParameter, mistake.text);
  }
}

}  // namespace gpumon::schema
