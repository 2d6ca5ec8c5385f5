#include "internal/gpu/look.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "internal/gpu/addresses.h"
#include "internal/gpu/contest.h"
#include "internal/gpu/label_reader.h"
#include "internal/gpu/shown_claims.h"
#include "internal/gpu/target_checks.h"
#include "internal/gpu/value_reader.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

constexpr std::string_view kWithoutNode = "without_node";
constexpr std::string_view kFrozen = "frozen";
constexpr std::string_view kMoving = "moving";
constexpr std::string_view kSteady = "steady";
constexpr std::string_view kUnsteady = "unsteady";
constexpr std::string_view kPercent = "percent";
constexpr std::string_view kFraction = "fraction";
constexpr std::string_view kTurned = "turned";
constexpr std::string_view kDown = "down";

const std::vector<std::string>& NodeLabels(const schema::Exporter& exporter) {
  return LabelsOf(exporter, models::Text::kNode);
}

// What its series are, and that no label of them names a node. `instance` mostly is an address.
std::vector<schema::Condition> WithoutNode(const schema::Exporter& exporter) {
  std::vector<schema::Condition> conditions = exporter.require;
  for (const std::string& label : NodeLabels(exporter)) {
    if (label == "instance") continue;
    schema::Condition none{label, schema::Condition::Is::kOneOf, {""}};
    none.values.insert(none.values.end(), Addresses::kLoopback.begin(), Addresses::kLoopback.end());
    conditions.push_back(std::move(none));
  }
  return conditions;
}

std::string Labelled(const std::string& vector, std::string_view label, std::string_view value) {
  return "label_replace(" + vector + ',' + prom::Quote(label) + ',' + prom::Quote(value) +
         R"(,"",""))";
}

// `or`, between all of them.
void AppendTo(std::string& promql, const std::string& vector) {
  promql.append(promql.empty() ? "" : " or ").append(vector);
}

// Jobs of its targets that call their own pod the host: that names no node either.
std::string NamedAsPods(const schema::Exporter& exporter) {
  const auto& labels = NodeLabels(exporter);
  std::string by;
  std::string joined;
  for (const std::string label : {"Hostname", "hostname", "host", "exported_instance"}) {
    if (std::find(labels.begin(), labels.end(), label) == labels.end()) continue;
    by.append(",").append(label);
    joined.append(",").append(prom::Quote(label));
  }
  if (by.empty()) return "";
  // Series may differ in `pod` alone, and mostly have one of these labels.
  std::string promql = "group by(job)(label_join(group by(job,instance";
  promql.append(by).append(")(").append(SelectorOfMarks(exporter, exporter.require));
  promql.append(R"--(),"pod","")--").append(joined).append(") and on(job,instance,pod) up)");
  return promql;
}

// The targets that `found` tells of with that `is`; with `too`: that it tells of with that also, of
// the same metric.
std::vector<prom::LabelSet> TargetsOf(const prom::InstantVector& found, std::string_view is,
                                      std::string_view too = "") {
  const auto key = [](prom::LabelSet labels) {
    return std::pair(prom::Get(labels, "metric"), Contest::TargetOf(labels));
  };
  std::set<std::pair<std::string_view, std::size_t>> others;
  for (std::size_t i = 0; !too.empty() && i < found.size(); ++i) {
    if (prom::Get(found.labels(i), "is") == too) others.insert(key(found.labels(i)));
  }
  std::vector<prom::LabelSet> targets;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const prom::LabelSet labels = found.labels(i);
    if (prom::Get(labels, "is") != is) continue;
    if (too.empty() || others.contains(key(labels))) targets.push_back(labels);
  }
  return targets;
}

// Selects them. "" where there are none.
std::string MatcherOf(const std::vector<prom::LabelSet>& targets) {
  // More are found by their jobs alone.
  constexpr std::size_t kNamedTargets = 100;
  std::set<std::string> jobs;
  std::set<std::string> instances;
  for (const prom::LabelSet& labels : targets) {
    jobs.emplace(prom::Get(labels, "job"));
    instances.emplace(prom::Get(labels, "instance"));
  }
  if (jobs.empty()) return "";
  const auto any_of = [](std::string_view label, const std::set<std::string>& values) {
    std::string any;
    for (const std::string& value : values) {
      any.append(any.empty() ? "" : "|").append(prom::EscapeRegex(value));
    }
    return std::string(label) + "=~" + prom::Quote(any);
  };
  if (instances.size() > kNamedTargets) return any_of("job", jobs);
  return any_of("job", jobs) + ',' + any_of("instance", instances);
}

// Names of metrics that may be a ratio or percent.
std::set<std::string> DoubtfulOf(const schema::Exporter& exporter) {
  std::set<std::string> names;
  for (const schema::Metric& metric : exporter.gpu) {
    if (metric.rule == schema::Rule::kRatioOrPercent) names.insert(metric.name);
  }
  return names;
}

// Bits by slot of the fields that a metric gives; `name` may have a prefix. By slot it is that
// metric then which showed them.
std::uint64_t FieldsOf(const schema::Exporter& exporter, const std::vector<schema::Metric>& metrics,
                       std::string_view name, TargetMemory::Metrics& shown) {
  std::uint64_t fields = 0;
  for (const schema::Metric& metric : metrics) {
    for (const std::string& prefix : exporter.prefixes) {
      if (name != prefix + metric.name) continue;
      fields |= std::uint64_t{1} << metric.slot;
      if (shown.size() <= metric.slot) shown.resize(metric.slot + 1);
      if (shown[metric.slot].empty()) shown[metric.slot] = metric.name;
    }
  }
  return fields;
}

// Its marks were: a target that seems frozen is known by its power alone.
bool IsFound(const prom::InstantVector& found, std::string_view exporter) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string_view is = prom::Get(found.labels(i), "is");
    const bool by_marks = is.empty() || is == kWithoutNode;
    if (by_marks && prom::Get(found.labels(i), "exporter") == exporter) return true;
  }
  return false;
}

// What `vector` tells of an exporter; nothing where it is "".
void AppendOf(std::string& promql, const schema::Exporter& exporter, const std::string& vector,
              std::string_view is = "") {
  if (vector.empty()) return;
  const std::string its = Labelled(vector, "exporter", exporter.name);
  AppendTo(promql, is.empty() ? its : Labelled(its, "is", is));
}

// Which jobs show the series that `selector` gives of these conditions, and which without a node.
template <class Selector>
void AppendJobs(std::string& promql, const schema::Exporter& exporter, Selector selector) {
  const auto add = [&](const std::string& series, std::string_view is) {
    if (!series.empty()) AppendOf(promql, exporter, "group by(job)(" + series + ")", is);
  };
  add(selector(exporter, exporter.require), "");
  add(selector(exporter, WithoutNode(exporter)), kWithoutNode);
}

// Bits of the texts that it may name, above those of `slots`: the past tells names of metrics
// alone.
std::uint64_t TextsOf(const schema::Labels& labels, std::size_t slots, std::size_t texts) {
  std::uint64_t bits = 0;
  for (const auto& [text, aliases] : labels.texts) {
    if (static_cast<std::size_t>(text) < texts) {
      bits |= std::uint64_t{1} << (slots + static_cast<std::size_t>(text));
    }
  }
  return bits;
}

// What a target that is down showed; `most`: the largest value of that metric, which tells blanks.
void ReadPast(prom::LabelSet labels, double most, LabelReader& reader, Subject& subject) {
  const std::string_view shown = prom::Get(labels, "shown");
  const Identity identity = reader.Read(labels);
  const std::string_view node = identity.text(models::Text::kNode);
  DownTargets::Shown& past = subject.down[Contest::TargetOf(labels)];
  past.name = TargetName(labels);
  past.job = prom::Get(labels, "job");
  past.instance = prom::Get(labels, "instance");
  const schema::Exporter& exporter = *subject.exporter;
  if (const std::uint64_t fields = FieldsOf(exporter, exporter.gpu, shown, past.gpu_metrics);
      fields != 0) {
    const auto [known, is_new] = past.gpus.try_emplace(std::string(node));
    TargetMemory::Fields& its = known->second;
    if (is_new) its.lacking_of_gpus = its.lacking_of_instances = ~std::uint64_t{0};
    // Where the largest is none nobody knows of the others.
    const std::uint64_t told = IsBlank(exporter, most) || std::isnan(most) ? 0 : fields;
    // Where no label tells instances, any of them may be one's.
    const bool tells = !LabelsOf(exporter, models::Text::kMigGpuInstance).empty();
    const bool of_instance = !identity.text(models::Text::kMigGpuInstance).empty();
    const std::uint64_t all =
        fields | TextsOf(exporter.labels, models::kQuantities, models::kGpuTexts);
    if (!tells || of_instance) {
      its.of_instances |= all;
      its.lacking_of_instances &= ~told;
    }
    if (!tells || !of_instance) {
      its.of_gpus |= all;
      its.lacking_of_gpus &= ~told;
    }
    AddDerived(exporter, its, past.gpu_metrics);
  }
  if (const std::uint64_t fields =
          FieldsOf(exporter, exporter.process, shown, past.process_metrics);
      fields != 0) {
    constexpr std::size_t kSlots = models::kProcessQuantities;
    TargetMemory::Fields& its = past.processes[std::string(node)];
    its.lacking_of_gpus = ~std::uint64_t{0};
    its.of_gpus |= fields | TextsOf(exporter.labels, kSlots, models::kProcessTexts) |
                   TextsOf(exporter.process_labels, kSlots, models::kProcessTexts);
  }
  subject.without_node |= node.empty();
}

using Targets = std::map<std::size_t, std::string>;

// What one sample tells of a target. True: the exporter is there.
bool ReadTarget(prom::LabelSet labels, double value, LabelReader& reader, Targets& steady,
                Subject& subject) {
  const std::string_view is = prom::Get(labels, "is");
  const std::size_t target = Contest::TargetOf(labels);
  const auto units = [&]() -> UnitEvidence::Shown& {
    return subject.units[std::string(prom::Get(labels, "metric"))];
  };
  if (is == kFrozen) {
    subject.frozen.emplace(target, TargetName(labels));
  } else if (is == kMoving) {
    subject.frozen.erase(target);  // these come after those
  } else if (is == kSteady) {
    steady.emplace(target, TargetName(labels));
  } else if (is == kUnsteady) {
    steady.erase(target);
  } else if (is == kPercent) {
    units().percent.emplace(target, prom::Get(labels, "job"));
  } else if (is == kFraction) {
    units().fraction.emplace(target, prom::Get(labels, "job"));
  } else if (is == kTurned) {
    units().turned.insert(target);
  } else {
    subject.without_node |= is == kWithoutNode;
    if (!prom::Get(labels, "shown").empty()) ReadPast(labels, value, reader, subject);
    return true;
  }
  return false;
}

}  // namespace

std::string LookQuery(const schema::Registry& registry) {
  std::string promql;
  for (const auto& exporter : registry.exporters()) {
    AppendJobs(promql, *exporter, SelectorOfMarks);
    if (const std::string named = NamedAsPods(*exporter); !named.empty()) {
      AppendOf(promql, *exporter, '(' + named + ')', kWithoutNode);
    }
    AppendOf(promql, *exporter, StuckQuery(*exporter), kFrozen);
    AppendOf(promql, *exporter, SteadyQuery(*exporter), kSteady);
    for (const std::string& metric : DoubtfulOf(*exporter)) {
      AppendOf(promql, *exporter, Labelled(PercentQuery(metric), "metric", metric), kPercent);
      AppendOf(promql, *exporter, Labelled(FractionQuery(metric), "metric", metric), kFraction);
    }
  }
  AppendTo(promql, Labelled("min by(job,instance)(up) == 0", "is", kDown));
  return promql;
}

std::string SecondLookQuery(const schema::Registry& registry, const prom::InstantVector& found) {
  const std::string down = MatcherOf(TargetsOf(found, kDown));
  const std::string frozen = MatcherOf(TargetsOf(found, kFrozen));
  const std::string steady = MatcherOf(TargetsOf(found, kSteady));
  // Whose fractions stand alone has proved what it means.
  const auto both = TargetsOf(found, kFraction, kPercent);
  const std::string mixed = MatcherOf(both);
  std::string promql;
  for (const auto& exporter : registry.exporters()) {
    std::string labels = "job,instance";
    for (const models::Text text : {models::Text::kNode, models::Text::kMigGpuInstance}) {
      for (const std::string& label : LabelsOf(*exporter, text)) {
        if (label != "instance") labels += ',' + label;
      }
    }
    const std::string past = down.empty() ? "" : PastOf(*exporter, down, labels);
    if (!past.empty()) {
      AppendOf(promql, *exporter,
               '(' + past + ") and on(job,instance) (min by(job,instance)(up) == 0)");
    }
    if (!IsFound(found, exporter->name)) AppendJobs(promql, *exporter, SelectorOfOthers);
    for (const auto& [targets, window, is] :
         {std::tuple(&frozen, "10m", kMoving), std::tuple(&steady, "30m", kUnsteady)}) {
      if (targets->empty()) continue;
      AppendOf(promql, *exporter, MovingQuery(*exporter, *targets, window), is);
    }
    for (const std::string& metric :
         mixed.empty() ? std::set<std::string>() : DoubtfulOf(*exporter)) {
      const std::string turned = TurnedQuery(metric, mixed, both.size());
      AppendOf(promql, *exporter, Labelled(turned, "metric", metric), kTurned);
    }
  }
  return promql;
}

std::vector<Subject> ReadLook(const schema::Registry& registry, const prom::InstantVector& found,
                              const prom::InstantVector* second) {
  static const prom::InstantVector kNone;
  std::vector<Subject> subjects;
  std::map<std::string, std::size_t> rank;
  std::set<std::string> there;
  for (const auto& exporter : registry.exporters()) {
    rank.emplace(exporter->name, rank.size());
    if (IsFound(found, exporter->name)) there.insert(exporter->name);
  }
  const ShownClaims claims(second != nullptr ? *second : kNone, there);
  for (const auto& exporter : registry.exporters()) {
    Subject subject;
    subject.exporter = exporter.get();
    LabelReader reader(*exporter, models::kGpuTexts, false);
    std::set<std::string> jobs;
    Targets steady;
    bool is_there = false;
    for (const auto* vector : {&found, second != nullptr ? second : &kNone}) {
      for (std::size_t i = 0; i < vector->size(); ++i) {
        const prom::LabelSet labels = vector->labels(i);
        if (prom::Get(labels, "exporter") != exporter->name) continue;
        const bool is_past = !prom::Get(labels, "shown").empty();
        if (is_past && !claims.IsOf(Contest::TargetOf(labels), exporter->name, rank)) continue;
        if (!ReadTarget(labels, vector->point(i).value, reader, steady, subject)) continue;
        is_there = true;
        if (const auto job = prom::Get(labels, "job"); !job.empty()) jobs.emplace(job);
      }
    }
    if (!is_there) continue;
    subject.without_marks = there.count(exporter->name) == 0;
    subject.frozen.merge(steady);
    if (second == nullptr) subject.frozen.clear();  // it is not proven
    subject.jobs.assign(jobs.begin(), jobs.end());
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

std::string LastSeenQuery(const schema::Registry& registry, const std::vector<Subject>& found,
                          double seconds) {
  std::string promql;
  // An instant sees what lies no further back than the grid is wide.
  const std::string grid = "[" + std::to_string(std::llround(seconds)) + "s:5m]";
  for (const auto& exporter : registry.exporters()) {
    const bool is_found = std::any_of(found.begin(), found.end(), [&](const Subject& subject) {
      return subject.exporter == exporter.get();
    });
    if (is_found) continue;
    std::string series = SelectorOfMarks(*exporter, exporter->require);
    if (const std::string others = SelectorOfOthers(*exporter, exporter->require);
        !others.empty()) {
      series += " or " + others;
    }
    series.insert(0, "max_over_time(timestamp(group(");
    series.append("))").append(grid).append(")");
    AppendOf(promql, *exporter, series);
  }
  return promql;
}

}  // namespace gpumon::gpu
