#include "internal/gpu/range_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "internal/gpu/metric_index.h"
#include "internal/gpu/range_gaps.h"
#include "internal/gpu/range_nodes.h"
#include "internal/gpu/range_series.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

using models::Part;
using models::Quantity;
using models::Text;
using schema::Exporter;
using schema::Metric;

// PromQL's durations are whole milliseconds.
std::string Duration(double seconds) {
  return std::to_string(std::llround(seconds * 1000)) + "ms";
}

bool IsIn(const std::vector<std::string>& sorted, const std::string& text) {
  return std::binary_search(sorted.begin(), sorted.end(), text);
}

// It tells which GPU or instance a series is of.
bool NamesGpu(const Exporter& exporter, const std::string& label) {
  return std::any_of(exporter.labels.texts.begin(), exporter.labels.texts.end(),
                     [&](const auto& text) {
                       const auto& aliases = text.second;
                       return std::find(aliases.begin(), aliases.end(), label) != aliases.end();
                     });
}

// Both read the same value of a GPU, the one while nobody shares it, the other while pods do: in a
// step the one may follow the other.
bool IsOneValue(const Exporter& exporter, const Metric& metric, const Metric& other) {
  const auto alike = [](const Metric& one) {
    return std::tie(one.name, one.slot, one.rule, one.scale, one.bit);
  };
  if (alike(metric) != alike(other) || other.reduce == schema::Reduce::kSum) return false;
  const auto holders = HolderLabels(exporter, metric);
  const auto others = [&](const Metric& one) {
    auto where = one.where;
    std::erase_if(where, [&](const auto& condition) { return IsIn(holders, condition.label); });
    return where;
  };
  return others(metric) == others(other);
}

class RangePlanner {
 public:
  RangePlanner(const Subject& subject, std::size_t place, const RangePart& part, double step,
               const std::vector<std::string>& nodes, const std::vector<std::string>& instances,
               std::vector<PlannedQuery>& plan)
      : exporter_(*subject.exporter),
        place_(place),
        part_(part),
        step_(step),
        plan_(plan),
        wanted_(WithInputs(part.quantities)) {
    if (!instances.empty()) {
      matchers_.push_back(TargetsOf(part.part, instances));
      return;
    }
    // Whose nodes others tell cannot be chosen by what its series say.
    const bool of_gpus = part.part == Part::kGpus;
    if (of_gpus && SaysNode(subject) && !nodes.empty()) ReadMatchers(nodes);
  }

  void Plan() {
    if (part_.part == Part::kProcesses) return PlanProcesses();
    if (exporter_.gpu.empty()) return;
    if (part_.over != Over::kLast) PlanEach();
    PlanNames();
    const std::string times = SampleTimesQuery(exporter_, matchers_, step_ < kLookBack);
    if (!part_.without_gaps || times.empty()) return;
    plan_.push_back({"range/" + exporter_.name + "/times", times, PlannedQuery::Gives::kSeriesTimes,
                     place_, std::nullopt});
  }

  // A matcher of the targets that are asked for.
  static std::string TargetsOf(Part part, const std::vector<std::string>& instances) {
    return part == Part::kProcesses ? OnHostsOf(instances) : "instance=~" + AnyOf(instances);
  }

 private:
  // What derived values are made of is asked for too, but for extremes: those of different moments
  // make none.
  std::bitset<models::kQuantities> WithInputs(std::bitset<models::kQuantities> quantities) const {
    if (part_.over == Over::kLeast || part_.over == Over::kMost) return quantities;
    const auto at = [](Quantity quantity) { return static_cast<std::size_t>(quantity); };
    if (quantities.test(at(Quantity::kMemoryUsedPercent))) {
      quantities.set(at(Quantity::kMemoryUsed)).set(at(Quantity::kMemoryTotal));
    }
    for (int pass = 0; pass < 2; ++pass) {  // an input may be derived itself
      for (const schema::Derived& derived : exporter_.derive) {
        if (!quantities.test(at(derived.target))) continue;
        for (const auto* inputs : {&derived.sum, &derived.plus_if_there}) {
          for (const Quantity input : *inputs) quantities.set(at(input));
        }
      }
    }
    return quantities;
  }

  static std::string AnyOf(const std::vector<std::string>& texts, const std::string& end = "") {
    std::string any;
    for (const std::string& text : texts) {
      any.append(any.empty() ? "" : "|").append(prom::EscapeRegex(text));
    }
    return prom::Quote(end.empty() ? any : "(?:" + any + ')' + end);
  }

  // Processes may be told by an exporter of their own beside the GPUs'.
  static std::string OnHostsOf(const std::vector<std::string>& instances) {
    std::vector<std::string> hosts;
    for (const std::string& instance : instances) {
      const std::size_t colon = instance.rfind(':');
      hosts.push_back(instance.substr(0, colon));
    }
    return "instance=~" + AnyOf(hosts, "(?::[0-9]+)?");
  }

  // A series has its node in one of these labels; others that have the name in a label that does
  // not count are no harm.
  void ReadMatchers(const std::vector<std::string>& nodes) {
    const std::string matches =
        nodes.size() == 1 ? "=" + prom::Quote(nodes.front()) : "=~" + AnyOf(nodes);
    for (const auto& [text, aliases] : exporter_.labels.texts) {
      if (text != Text::kNode) continue;
      for (const std::string& label : aliases) matchers_.push_back(label + matches);
    }
  }

  // `each` of the selectors that `select` makes with each of the matchers.
  template <class Select>
  std::string Any(const Select& select) const {
    if (matchers_.empty()) return select("");
    std::string any;
    for (const std::string& matcher : matchers_) {
      any.append(any.empty() ? "" : " or ").append(select(matcher));
    }
    return any;
  }

  void Add(const std::string& name, std::string promql, std::optional<std::size_t> metric,
           PlannedQuery::Fold fold = PlannedQuery::Fold::kNone) {
    plan_.push_back({"range/" + exporter_.name + '/' + name, std::move(promql),
                     PlannedQuery::Gives::kValues, place_, metric, fold});
  }

  void PlanProcesses() {
    if (exporter_.process.empty()) return;
    std::vector<std::string> names = MetricIndex(exporter_, Part::kProcesses).Names();
    const auto memory = static_cast<std::size_t>(models::ProcessQuantity::kGpuMemory);
    const auto tells = [&](const Metric& metric) { return metric.slot == memory; };
    const auto& metrics = exporter_.process;
    if (std::any_of(metrics.begin(), metrics.end(), tells)) {  // one of them tells who is there
      for (const Metric& metric : metrics) {
        if (!tells(metric)) Drop(names, metric.name);
      }
    }
    Append(names, WithPrefixes(exporter_, exporter_.info));
    if (!exporter_.gpu_id_metric.empty()) Append(names, {exporter_.gpu_id_metric});
    Add("processes",
        SelectorOfAny(names, exporter_.require, matchers_.empty() ? "" : matchers_.front()),
        std::nullopt);
  }

  void Drop(std::vector<std::string>& names, const std::string& name) const {
    for (const std::string& full : WithPrefixes(exporter_, {name})) std::erase(names, full);
  }
  static void Append(std::vector<std::string>& names, const std::vector<std::string>& more) {
    for (const std::string& name : more) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }

  bool IsWanted(const std::string& name) const {
    return std::any_of(exporter_.gpu.begin(), exporter_.gpu.end(), [&](const Metric& metric) {
      return metric.name == name && wanted_.test(metric.slot);
    });
  }

  struct Function {
    std::string_view name;
    PlannedQuery::Fold fold;
  };
  // To take series together costs Prometheus more than all else does, so RangeFold does it.
  static std::vector<Function> FunctionsOf(Over over) {
    using Fold = PlannedQuery::Fold;
    if (over == Over::kLeast) return {{"min_over_time", Fold::kLeast}};
    if (over == Over::kMost) return {{"max_over_time", Fold::kMost}};
    return {{"sum_over_time", Fold::kSum}, {"count_over_time", Fold::kCount}};
  }

  void PlanEach() {
    std::vector<bool> planned(exporter_.gpu.size(), false);
    for (std::size_t i = 0; i < exporter_.gpu.size(); ++i) {
      const Metric& metric = exporter_.gpu[i];
      if (planned[i] || !wanted_.test(metric.slot)) continue;
      std::vector<const Metric*> together = {&metric};
      for (std::size_t k = i + 1; k < exporter_.gpu.size(); ++k) {
        if (planned[k] || !IsOneValue(exporter_, metric, exporter_.gpu[k])) continue;
        planned[k] = true;
        together.push_back(&exporter_.gpu[k]);
      }
      for (const Function& function : FunctionsOf(part_.over)) {
        std::string promql;
        for (const Metric* one : together) {
          promql.append(promql.empty() ? "" : " or ").append(AppliedTo(*one, function.name));
        }
        Add(metric.name, std::move(promql), i, function.fold);
      }
    }
  }

  std::string AppliedTo(const Metric& metric, std::string_view function) const {
    std::vector<schema::Condition> conditions = exporter_.require;
    conditions.insert(conditions.end(), metric.where.begin(), metric.where.end());
    return Applied(function, WithPrefixes(exporter_, {metric.name}), conditions);
  }

  std::string Applied(std::string_view function, const std::vector<std::string>& names,
                      const std::vector<schema::Condition>& conditions) const {
    std::string promql;
    for (const std::string& name : names) {
      promql.append(promql.empty() ? "" : " or ").append(Any([&](const std::string& matcher) {
        return std::string(function) + '(' + Selector(name, conditions, matcher) + '[' +
               Duration(step_) + "])";
      }));
    }
    return promql;
  }

  // Families whose samples say by their names what they are.
  void PlanNames() {
    std::vector<std::string> names;
    const bool last = part_.over == Over::kLast;
    for (const Metric& metric : exporter_.gpu) {
      if (last && wanted_.test(metric.slot)) Append(names, {metric.name});
    }
    // The texts of GPUs, whoever shows their values; a wanted metric tells them itself.
    Append(names, exporter_.info);
    Append(names, exporter_.mig_mode);
    for (const schema::SuccessMetric& success : exporter_.success) {
      if (success.of_gpus) Append(names, {success.name});
    }
    if (exporter_.info.empty() && !IsWanted(exporter_.detect.front())) {
      Append(names, {exporter_.detect.front()});
    }
    if (!exporter_.gpu_id_metric.empty()) Append(names, {exporter_.gpu_id_metric});
    if (names.empty()) return;
    names = WithPrefixes(exporter_, names);
    const auto series = [&](const std::string& matcher) {
      return SelectorOfAny(names, exporter_.require, matcher);
    };
    if (last) return Add("values", Any(series), std::nullopt);
    Add("texts", Any([&](const std::string& matcher) { return WithPast(series(matcher)); }),
        std::nullopt);
  }

  // `series` at the step's end, and of GPUs that were there within the step and then are not, at
  // another place neither, those that they had.
  std::string WithPast(const std::string& series) const {
    const auto unless = [&](std::initializer_list<Text> texts) {
      const std::string labels = LabelsWithTarget(exporter_, texts);
      return labels.empty() ? "" : " unless on(" + labels + ") " + series;
    };
    return series + " or (last_over_time(" + series + '[' + Duration(step_) + "])" +
           unless({Text::kNode, Text::kGpuId, Text::kMigGpuInstance, Text::kMigComputeInstance}) +
           unless({Text::kUuid, Text::kMigUuid}) + ')';
  }

  const Exporter& exporter_;
  const std::size_t place_;
  const RangePart& part_;
  const double step_;
  std::vector<PlannedQuery>& plan_;
  const std::bitset<models::kQuantities> wanted_;
  std::vector<std::string> matchers_;
};

// What turned between two instants meant percent at the first of them: its samples tell when.
void MergeUnits(Subject& into, const Subject& from) {
  for (const auto& [metric, shown] : from.units) {
    UnitEvidence::Shown& its = into.units[metric];
    its.fraction.insert(shown.fraction.begin(), shown.fraction.end());
    for (const auto& [target, job] : shown.percent) {
      const bool was_turned = its.turned.contains(target);
      const bool is_new = its.percent.emplace(target, job).second;
      if (shown.turned.contains(target) && (is_new || was_turned)) {
        its.turned.insert(target);
      } else {
        its.turned.erase(target);
      }
    }
  }
}

void Merge(Subject& into, const Subject& from) {
  if (into.jobs.empty() || from.jobs.empty()) {
    into.jobs.clear();  // all are asked about
  } else {
    std::set<std::string> jobs(into.jobs.begin(), into.jobs.end());
    jobs.insert(from.jobs.begin(), from.jobs.end());
    into.jobs.assign(jobs.begin(), jobs.end());
  }
  into.without_node |= from.without_node;
  MergeUnits(into, from);
}

}  // namespace

bool SaysNode(const Subject& subject) {
  const Exporter& exporter = *subject.exporter;
  return !subject.without_node && !exporter.node_may_be_address && !exporter.node_of_target;
}

std::vector<std::string> PodLabels(const Exporter& exporter) {
  std::vector<std::string> names = {"container", "namespace", "pod", "pod_uid"};
  for (const auto& [text, aliases] : exporter.labels.texts) {
    const bool is_pods = text == Text::kNamespace || text == Text::kPod || text == Text::kContainer;
    if (is_pods) names.insert(names.end(), aliases.begin(), aliases.end());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<std::string> HolderLabels(const Exporter& exporter, const Metric& metric) {
  std::vector<std::string> names = PodLabels(exporter);
  if (metric.reduce == schema::Reduce::kSum) return names;
  for (const schema::ShareMetric& share : exporter.shares) {
    if (!share.needs_device) continue;
    for (const std::string& label : share.parts) {
      const bool names_gpu = NamesGpu(exporter, label);
      const bool is_needed = std::any_of(
          metric.where.begin(), metric.where.end(),
          [&](const auto& condition) { return condition.label == label && !condition.Holds(""); });
      if (!is_needed && !names_gpu) names.push_back(label);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<PlannedQuery> PlanRange(std::span<const Subject> subjects, const RangePart& part,
                                    double step, const std::vector<std::string>& nodes,
                                    const std::vector<std::string>& instances) {
  if (part.part == models::Part::kNodes) return PlanNodesRange(subjects, part, step);
  std::vector<PlannedQuery> plan;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    RangePlanner(subjects[i], i, part, step, nodes, instances, plan).Plan();
  }
  if (plan.empty()) return plan;
  const std::string targets =
      instances.empty() ? "" : RangePlanner::TargetsOf(part.part, instances);
  for (PlannedQuery& query : PlanSurroundings(subjects, part.part, targets)) {
    query.name.insert(0, "range/");
    plan.push_back(std::move(query));
  }
  return plan;
}

std::vector<Subject> SubjectsOfBoth(
    std::span<const std::shared_ptr<const schema::Exporter>> exporters,
    const std::vector<Subject>& one, const std::vector<Subject>& other) {
  std::vector<Subject> both;
  for (const auto& exporter : exporters) {
    bool is_there = false;
    for (const auto* subjects : {&one, &other}) {
      for (const Subject& subject : *subjects) {
        if (subject.exporter != exporter.get()) continue;
        if (is_there) {
          Merge(both.back(), subject);
          continue;
        }
        is_there = true;
        both.push_back(subject);
        both.back().frozen.clear();
        both.back().down.clear();
        both.back().brings_times = false;
      }
    }
  }
  return both;
}

}  // namespace gpumon::gpu
