#include "internal/rules/source.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "internal/base/text.h"
#include "internal/prom/promql.h"

namespace gpumon::rules {
namespace {

using models::Quantity;
using models::Text;
using schema::Condition;
using schema::Metric;

constexpr char kOfGpu[] = "node, gpu, uuid, gpu_name";
constexpr char kOfInstance[] = "node, gpu, uuid, gpu_name, gpu_instance_id";
// Of names joined with `;` the first that is there; nothing where none is.
constexpr char kFirst[] = ";*([^;]*).*";
// The same, of names of hosts: without a port.
constexpr char kFirstHost[] = ";*([^;]*?)(:[0-9]+)?(;.*)?";

std::string Matcher(const Condition& condition) {
  switch (condition.is) {
    case Condition::Is::kAbsent:
      return condition.label + "=\"\"";
    case Condition::Is::kPresent:
      return condition.label + "!=\"\"";
    case Condition::Is::kOneOf:
      break;
  }
  if (condition.values.size() == 1) {
    return condition.label + '=' + prom::Quote(condition.values.front());
  }
  std::string regex;
  for (const std::string& value : condition.values) {
    regex += (&value == &condition.values.front() ? "" : "|") + prom::EscapeRegex(value);
  }
  return condition.label + "=~" + prom::Quote(regex);
}

std::string Or(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : "\nor\n") + one;
  return text;
}

std::string By(const char* how, const std::string& labels, const std::string& series) {
  return std::string(how) + " by (" + labels + ") (\n" + series + "\n)";
}

// `label` becomes the first of `aliases` that is there, as `regex` takes it from their texts.
std::string PutJoined(const std::string& series, const char* label, const schema::Aliases& aliases,
                      const char* regex) {
  const std::string quoted = prom::Quote(label);
  std::string names;
  for (const std::string& alias : aliases) names += ", " + prom::Quote(alias);
  return "label_replace(label_join(\n" + series + ",\n" + quoted + ", \";\"" + names + "), " +
         quoted + ", \"$1\", " + quoted + ", " + prom::Quote(regex) + ')';
}

std::string Put(const std::string& series, const char* label, const schema::Aliases& aliases) {
  if (aliases.size() > 1) return PutJoined(series, label, aliases, kFirst);
  if (aliases.front() == label) return series;
  return "label_replace(\n" + series + ",\n" + prom::Quote(label) + ", \"$1\", " +
         prom::Quote(aliases.front()) + ", \"(.*)\")";
}

const char* HowOf(schema::Reduce reduce) {
  return reduce == schema::Reduce::kMin ? "min" : "max";
}

}  // namespace

const schema::Aliases* Source::AliasesOf(Text text) const {
  for (const auto& [which, aliases] : exporter_.labels.texts) {
    if (which == text && !aliases.empty()) return &aliases;
  }
  return nullptr;
}

std::string Source::Select(const std::string& metric,
                           const std::vector<Condition>& conditions) const {
  std::vector<std::string> matchers;
  std::string name = metric;
  if (exporter_.prefixes.size() > 1) {
    std::string names;
    for (const std::string& prefix : exporter_.prefixes) {
      names.append(names.empty() ? "" : "|").append(prefix).append(metric);
    }
    name.clear();
    matchers.push_back("__name__=~" + prom::Quote(names));
  }
  for (const auto* const all : {&exporter_.require, &conditions}) {
    for (const Condition& condition : *all) matchers.push_back(Matcher(condition));
  }
  std::string inside;
  for (const std::string& matcher : matchers) inside += (inside.empty() ? "" : ", ") + matcher;
  return inside.empty() ? name : name + '{' + inside + '}';
}

std::string Source::PutText(const std::string& series, Text text, const char* label) const {
  const schema::Aliases* const aliases = AliasesOf(text);
  return aliases == nullptr ? series : Put(series, label, *aliases);
}

std::string Source::PutNode(const std::string& series) const {
  schema::Aliases aliases;
  if (const auto* const known = AliasesOf(Text::kNode)) aliases = *known;
  // There the address is that of whoever tells of others' GPUs too.
  if (!exporter_.node_of_target &&
      std::find(aliases.begin(), aliases.end(), "instance") == aliases.end()) {
    aliases.emplace_back("instance");
  }
  return PutJoined(series, "node", aliases, kFirstHost);
}

// The model first: all-smi has it in a label that is called gpu.
std::string Source::Named(std::string series, bool of_instances) const {
  series = PutText(series, Text::kGpuName, "gpu_name");
  series = PutText(series, Text::kUuid, "uuid");
  series = PutText(series, Text::kGpuId, "gpu");
  if (of_instances) series = PutText(series, Text::kMigGpuInstance, "gpu_instance_id");
  return PutNode(series);
}

std::string Source::InBaseUnit(const Metric& metric, const Reading& reading) const {
  const std::string raw = Select(metric.name, metric.where);
  const std::string bounds =
      " >= " + FormatNumber(reading.low) + " <= " + FormatNumber(reading.high);
  if (metric.rule == schema::Rule::kRatioOrPercent) {
    // A ratio is never above 1; where some GPU of the job was within an hour it is percent.
    const std::string percent = "on (job) max by (job) (max_over_time(" + raw + "[1h])) > 1";
    return "(" + raw + " * 100 unless " + percent + "\nor " + raw + " and " + percent + ')' +
           bounds;
  }
  return raw + (metric.scale == 1 ? "" : " * " + FormatNumber(metric.scale)) + bounds;
}

std::optional<std::string> Source::Scaled(const Reading& reading) const {
  const std::string by = reading.of_instances ? kOfInstance : kOfGpu;
  std::vector<std::string> choices;
  std::vector<std::string> summands;
  std::string parts;
  for (const Metric& metric : exporter_.gpu) {
    if (metric.slot != static_cast<std::size_t>(reading.quantity) || metric.allotted) continue;
    if (metric.rule == schema::Rule::kFlag) continue;
    const std::string named = Named(InBaseUnit(metric, reading), reading.of_instances);
    if (metric.reduce != schema::Reduce::kSum) {
      choices.push_back(By(HowOf(metric.reduce), by, named));
      continue;
    }
    parts.clear();
    for (const std::string& part : metric.parts) parts += ", " + part;
    // The same part of two targets is one part; the parts of two metrics are no sum here.
    summands.push_back(By("max", by + parts, named));
  }
  for (const std::string& summand : summands) choices.push_back(By("sum", by, summand));
  if (choices.empty()) return std::nullopt;
  return Or(choices);
}

// Nothing where one of the flags is not there: a mask is known as a whole.
std::optional<std::string> Source::Flags(const Reading& reading) const {
  std::string sum;
  for (const Metric& metric : exporter_.gpu) {
    if (metric.slot != static_cast<std::size_t>(reading.quantity)) continue;
    if (metric.rule != schema::Rule::kFlag) continue;
    const std::string flag = By("max", kOfGpu, Named(Select(metric.name, metric.where), false));
    sum +=
        (sum.empty() ? "" : "\n+ ") + ("(" + flag + " > bool 0) * " + std::to_string(metric.bit));
  }
  if (sum.empty()) return std::nullopt;
  return sum;
}

std::optional<std::string> Source::Derived(const Reading& reading) const {
  for (const schema::Derived& row : exporter_.derive) {
    if (row.target != reading.quantity) continue;
    std::string needed;
    for (const Quantity quantity : row.sum) {
      const auto part = Scaled({quantity, 0, reading.high, reading.of_instances});
      if (!part) return std::nullopt;
      needed += (needed.empty() ? "" : " + ") + ("(\n" + *part + "\n)");
    }
    std::string more;
    for (const Quantity quantity : row.plus_if_there) {
      const auto part = Scaled({quantity, 0, reading.high, reading.of_instances});
      if (part) more += " + (\n" + *part + "\n)";
    }
    return more.empty() ? needed : needed + more + "\nor\n" + needed;
  }
  return std::nullopt;
}

std::optional<std::string> Source::Measure(const Reading& reading) const {
  std::vector<std::string> choices;
  for (const auto way : {&Source::Scaled, &Source::Flags, &Source::Derived}) {
    if (auto choice = (this->*way)(reading)) choices.push_back(*std::move(choice));
  }
  if (choices.empty()) return std::nullopt;
  return Or(choices);
}

std::string Source::OwnLabels() const {
  std::vector<std::string> labels = {"job", "instance"};
  for (const Text text : {Text::kNode, Text::kGpuId, Text::kGpuName, Text::kUuid}) {
    const schema::Aliases* const aliases = AliasesOf(text);
    if (aliases == nullptr) continue;
    for (const std::string& alias : *aliases) {
      if (std::find(labels.begin(), labels.end(), alias) == labels.end()) labels.push_back(alias);
    }
  }
  std::string all;
  for (const std::string& label : labels) all += (all.empty() ? "" : ", ") + label;
  return all;
}

std::optional<std::string> Source::Present() const {
  constexpr Quantity kTelling[] = {Quantity::kUtilization, Quantity::kMemoryUsed,
                                   Quantity::kMemoryTotal, Quantity::kTemperature,
                                   Quantity::kPower};
  std::vector<std::pair<std::vector<Condition>, std::string>> names;  // by what is required
  for (const Metric& metric : exporter_.gpu) {
    const bool tells = std::any_of(std::begin(kTelling), std::end(kTelling), [&](Quantity q) {
      return static_cast<std::size_t>(q) == metric.slot;
    });
    if (!tells || metric.allotted) continue;
    auto same = std::find_if(names.begin(), names.end(),
                             [&](const auto& row) { return row.first == metric.where; });
    if (same == names.end()) same = names.insert(names.end(), {metric.where, ""});
    for (const std::string& prefix : exporter_.prefixes) {
      same->second.append(same->second.empty() ? "" : "|").append(prefix).append(metric.name);
    }
  }
  std::vector<std::string> series;
  for (const auto& [conditions, metrics] : names) {
    std::string selector = "{__name__=~" + prom::Quote(metrics);
    for (const auto* const all : {&exporter_.require, &conditions}) {
      for (const Condition& condition : *all) selector += ", " + Matcher(condition);
    }
    series.push_back(selector + '}');
  }
  if (series.empty()) return std::nullopt;
  // Once for each GPU, not for each of its series: labels are dear.
  return Named(By("group", OwnLabels(), Or(series)), false);
}

// What names a pod in labels of its own, and what has the target's place filled by one.
std::string Source::HeldSeries(const std::string& metric,
                               const std::vector<Condition>& conditions) const {
  std::vector<Condition> more = conditions;
  std::vector<std::string> choices;
  for (const std::string& alias : *AliasesOf(Text::kPod)) {
    more.push_back({alias, Condition::Is::kPresent});
    choices.push_back(Select(metric, more));
    more.back().is = Condition::Is::kAbsent;
  }
  if (exporter_.pod_may_be_exporters) {
    more.push_back({"pod", Condition::Is::kPresent});
    choices.push_back("(" + Select(metric, more) +
                      " unless on (job, instance, namespace, pod) up)");
  }
  return Or(choices);
}

std::optional<std::string> Source::Holders() const {
  if (AliasesOf(Text::kPod) == nullptr) return std::nullopt;
  std::vector<std::string> series;
  const auto add = [&](std::string more) {
    if (std::find(series.begin(), series.end(), more) == series.end()) {
      series.push_back(std::move(more));
    }
  };
  for (const Metric& metric : exporter_.gpu) {
    if (metric.allotted) continue;
    if (metric.slot == static_cast<std::size_t>(Quantity::kUtilization) ||
        metric.slot == static_cast<std::size_t>(Quantity::kMemoryUsed)) {
      add(HeldSeries(metric.name, metric.where));
    }
  }
  for (const schema::ShareMetric& share : exporter_.shares) {
    add(HeldSeries(share.name, share.where));
  }
  schema::Aliases pods = *AliasesOf(Text::kPod);
  schema::Aliases spaces;
  if (const auto* const known = AliasesOf(Text::kNamespace)) spaces = *known;
  if (exporter_.pod_may_be_exporters) {
    pods.emplace_back("pod");
    spaces.emplace_back("namespace");
  }
  std::string named = Named(Or(series), true);
  named = Put(named, "pod", pods);
  if (!spaces.empty()) named = Put(named, "namespace", spaces);
  return By("group", Key() + ", namespace, pod", named);
}

std::optional<std::string> Source::Failed() const {
  std::vector<std::string> choices;
  for (const schema::SuccessMetric& success : exporter_.success) {
    if (success.of_gpus) choices.push_back(Select(success.name, success.where) + " == 0");
  }
  if (choices.empty()) return std::nullopt;
  return By("max", "job, instance", Or(choices));
}

std::string Source::Key() const {
  return exporter_.node_of_target ? "uuid, gpu_instance_id" : "node, gpu, uuid, gpu_instance_id";
}

}  // namespace gpumon::rules
