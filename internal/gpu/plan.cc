#include "internal/gpu/plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "internal/gpu/metric_index.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

using models::Part;
using models::Quantity;
using models::Text;
using schema::Condition;
using schema::Exporter;
using schema::Metric;

// `up` of the targets of these jobs; none: of all.
std::string UpOf(const std::vector<std::string>& jobs, const std::string& matcher = "") {
  const std::string more = matcher.empty() ? "" : ',' + matcher;
  if (jobs.empty()) return matcher.empty() ? "up" : "up{" + matcher + "}";
  if (jobs.size() == 1) return "up{job=" + prom::Quote(jobs.front()) + more + "}";
  std::string any;
  for (const std::string& job : jobs) {
    any.append(any.empty() ? "" : "|").append(prom::EscapeRegex(job));
  }
  return "up{job=~" + prom::Quote(any) + more + "}";
}

std::vector<Condition> All(const std::vector<Condition>& a, const std::vector<Condition>& b) {
  std::vector<Condition> all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

auto MarksEnd(const Exporter& exporter) {
  return exporter.detect.begin() +
         static_cast<std::ptrdiff_t>(std::min(kMarks, exporter.detect.size()));
}

// What names GPUs that processes of others are on. Any mark may be the only one that it shows of
// some GPU.
std::vector<std::string> DeviceNames(const Exporter& exporter) {
  if (!exporter.info.empty()) return exporter.info;
  return {exporter.detect.begin(), MarksEnd(exporter)};
}

// timestamp() tells a sample's own time only when it is asked of a bare selector. The distinct
// times of a target: where its exposition brings none along that is the one of its `up`, which is
// written together with them.
std::string TargetTimesQuery(const std::vector<std::string>& selectors,
                             const std::vector<std::string>& jobs) {
  std::string promql;
  for (const auto& selector : selectors) {
    promql.append("count_values by(job,instance)(\"t\",timestamp(" + selector + ")) or ");
  }
  return promql + "label_replace(timestamp(" + UpOf(jobs) + R"(),"t","up","",""))";
}

// Of each series, by all of its labels. timestamp() takes the name away, and `or` pays no heed to
// one that is put back.
std::string SeriesTimesQuery(const Exporter& exporter, Part part) {
  std::vector<std::string> parts;
  const auto add = [&](const std::string& family, const std::vector<Condition>& where) {
    for (const std::string& name : WithPrefixes(exporter, {family})) {
      const std::string selector = Selector(name, All(exporter.require, where));
      std::string its = "label_replace(timestamp(" + selector + R"(),"__series__",)" +
                        prom::Quote(name) + R"(,"",""))";
      if (std::find(parts.begin(), parts.end(), its) == parts.end()) {
        parts.push_back(std::move(its));
      }
    }
  };
  const bool of_processes = part == Part::kProcesses;
  for (const Metric& metric : exporter.metrics(of_processes)) add(metric.name, metric.where);
  for (const std::string& info : exporter.infos(of_processes)) add(info, {});
  if (of_processes) {
    for (const std::string& name : DeviceNames(exporter)) add(name, {});
  }
  std::string promql;
  for (const auto& its : parts) promql.append(promql.empty() ? "" : " or ").append(its);
  return promql;
}

class Planner {
 public:
  Planner(const Subject& subject, std::size_t place, Part part, bool is_above_others,
          std::vector<PlannedQuery>& plan)
      : subject_(subject),
        exporter_(*subject.exporter),
        place_(place),
        part_(part),
        is_above_others_(is_above_others),
        plan_(plan) {}

  void Plan() {
    const auto& metrics = part_ == Part::kGpus ? exporter_.gpu : exporter_.process;
    if (metrics.empty()) return;
    std::vector<std::string> names = MetricIndex(exporter_, part_).Names();
    std::vector<std::string> timed;
    PlanSeparately(metrics, names, timed);
    const std::vector<std::string> devices = NamesOfDevices();
    if (names.empty() && !devices.empty()) {
      Add("devices", SelectorOfAny(devices, exporter_.require), PlannedQuery::Gives::kDevices);
    }
    if (!names.empty()) {  // no reason for one more query
      for (const std::string& name : devices) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
      Add("values", SelectorOfAny(names, exporter_.require), PlannedQuery::Gives::kValues);
    }
    // Of unknown jobs all targets' `up` is asked: far less than the time of each series.
    if (subject_.brings_times) {
      plan_.push_back(PlanSeriesTimes(exporter_, place_, part_));
      return;
    }
    const std::vector<std::string> more = timed.empty() ? TimedNames(metrics) : TimedInfos({});
    for (std::string& selector : SelectorsOf(exporter_, more)) timed.push_back(std::move(selector));
    Add("sample_times", TargetTimesQuery(timed, subject_.jobs), PlannedQuery::Gives::kTargetTimes);
  }

 private:
  void Add(const std::string& name, std::string promql, PlannedQuery::Gives gives,
           std::optional<std::size_t> metric = std::nullopt) {
    plan_.push_back(
        {metric ? name : exporter_.name + '/' + name, std::move(promql), gives, place_, metric});
  }

  // What comes along with processes: the names of GPUs that their series lack, and how much memory
  // they have.
  std::vector<std::string> NamesOfDevices() const {
    if (part_ != Part::kProcesses) return {};
    std::vector<std::string> names = is_above_others_ ? DeviceNames(exporter_) : exporter_.info;
    for (const Metric& metric : exporter_.gpu) {
      const bool is_total = metric.slot == static_cast<std::size_t>(Quantity::kMemoryTotal);
      if (is_total && metric.where.empty()) names.push_back(metric.name);
    }
    names = WithPrefixes(exporter_, names);
    if (!exporter_.gpu_id_metric.empty()) names.push_back(exporter_.gpu_id_metric);
    return names;
  }

  // Those that have a query of their own; their names leave `names`.
  void PlanSeparately(const std::vector<Metric>& metrics, std::vector<std::string>& names,
                      std::vector<std::string>& timed) {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      if (!metrics[i].own_query) continue;
      std::erase(names, metrics[i].name);
      timed.push_back(Selector(metrics[i].name, All(exporter_.require, metrics[i].where)));
      Add(metrics[i].name, timed.back(), PlannedQuery::Gives::kValues, i);
    }
  }

  // A target that shows none of them has the time of its `up`.
  std::vector<std::string> TimedNames(const std::vector<Metric>& metrics) const {
    if (part_ == Part::kProcesses) return TimedInfos({metrics.front().name});
    std::vector<std::string> names(exporter_.detect.begin(), MarksEnd(exporter_));
    // Another code is another series, and the one before may stand beside it, with its own time.
    for (const Metric& metric : metrics) {
      if (metric.slot == static_cast<std::size_t>(Quantity::kXidLast)) {
        names.push_back(metric.name);
      }
    }
    return TimedInfos(std::move(names));
  }
  // So is another driver.
  std::vector<std::string> TimedInfos(std::vector<std::string> names) const {
    std::vector<std::string> infos = exporter_.info;
    if (part_ == Part::kProcesses) {
      infos.insert(infos.end(), exporter_.process_info.begin(), exporter_.process_info.end());
    }
    for (std::string& info : infos) {
      if (std::find(names.begin(), names.end(), info) == names.end()) {
        names.push_back(std::move(info));
      }
    }
    return names;
  }

  const Subject& subject_;
  const Exporter& exporter_;
  const std::size_t place_;
  const Part part_;
  const bool is_above_others_;  // who tell of processes, on GPUs by this one's names
  std::vector<PlannedQuery>& plan_;
};

// What labels tell a metric from another exporter's of that name; null where nothing does.
const std::vector<Condition>* OnlyWhereOf(const Exporter& exporter, const std::string& name) {
  const std::vector<Condition>* only = nullptr;
  for (const auto* metrics : {&exporter.gpu, &exporter.process}) {
    for (const Metric& metric : *metrics) {
      if (metric.name != name) continue;
      if (metric.where.empty() || (only != nullptr && *only != metric.where)) return nullptr;
      only = &metric.where;
    }
  }
  return only;
}

// `each` of the selectors of an exporter's metrics; those that the same labels tell are one.
template <class Each>
std::string UnionOf(const Exporter& exporter, const std::vector<std::string>& names,
                    const std::vector<Condition>& conditions, const std::string& matcher,
                    const Each& each) {
  std::vector<std::pair<std::vector<Condition>, std::vector<std::string>>> groups(1);
  for (const std::string& name : names) {
    const std::vector<Condition>* const where = OnlyWhereOf(exporter, name);
    const auto its = where == nullptr ? std::vector<Condition>() : *where;
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& known) { return known.first == its; });
    if (group == groups.end()) group = groups.insert(group, {its, {}});
    for (auto& full : WithPrefixes(exporter, {name})) group->second.push_back(std::move(full));
  }
  std::string promql;
  for (const auto& [where, its] : groups) {
    if (its.empty()) continue;
    promql.append(promql.empty() ? "" : " or ")
        .append(each(SelectorOfAny(its, All(conditions, where), matcher)));
  }
  return promql;
}

// Which targets are up, and the pods that they are.
std::string TargetsQuery(std::span<const Subject> subjects, Part part, const std::string& matcher) {
  std::set<std::string> jobs;
  std::string shown;  // of exporters whose jobs are not known
  for (const Subject& subject : subjects) {
    jobs.insert(subject.jobs.begin(), subject.jobs.end());
    if (!subject.jobs.empty() || !subject.exporter->pod_may_be_exporters) continue;
    if (part != Part::kGpus) continue;
    shown += (shown.empty() ? "" : " or ") +
             SelectorOfMarks(*subject.exporter, subject.exporter->require);
  }
  std::string promql = jobs.empty() ? "" : UpOf({jobs.begin(), jobs.end()}, matcher);
  if (!shown.empty()) {
    promql.append(promql.empty() ? "" : " or ")
        .append(UpOf({}, matcher) + " and on(job,instance) group by(job,instance)(" + shown + ")");
  }
  return promql;
}

// Somebody who stands below the `i`-th tells of processes.
bool IsAboveProcesses(std::span<const Subject> subjects, std::size_t i) {
  const auto below = subjects.subspan(i + 1);
  return std::any_of(below.begin(), below.end(),
                     [](const Subject& subject) { return !subject.exporter->process.empty(); });
}

// One series of each GPU of an exporter that has no processes: of the first mark that it shows of
// that GPU.
std::string DevicesQuery(const Exporter& exporter) {
  if (exporter.gpu.empty() || !exporter.process.empty()) return "";
  if (exporter.info.empty()) {
    const std::string on =
        " or on(" +
        LabelsWithTarget(exporter, {Text::kNode, Text::kGpuId, Text::kUuid, Text::kMigUuid,
                                    Text::kMigGpuInstance, Text::kMigComputeInstance}) +
        ") ";
    std::string promql;
    for (auto mark = exporter.detect.begin(); mark != MarksEnd(exporter); ++mark) {
      const std::string its = UnionOf(exporter, {*mark}, exporter.require, "",
                                      [](std::string selector) { return selector; });
      promql += (promql.empty() ? "" : on) + its;
    }
    return promql;
  }
  return SelectorOfAny(WithPrefixes(exporter, exporter.info), exporter.require);
}

// The times of the targets of who names the GPUs of others' processes.
PlannedQuery PlanDeviceTimes(const Subject& subject, std::size_t place) {
  const Exporter& exporter = *subject.exporter;
  const auto selectors = SelectorsOf(exporter, DeviceNames(exporter));
  return {exporter.name + "/sample_times", TargetTimesQuery(selectors, subject.jobs),
          PlannedQuery::Gives::kTargetTimes, place, std::nullopt};
}

// Of nodes, and of the pods that are targets whose series name no node.
std::string AddressesQuery(std::span<const Subject> subjects) {
  std::set<std::string> jobs;
  bool any = false;
  for (const Subject& subject : subjects) {
    if (!subject.without_node && !subject.exporter->node_may_be_address) continue;
    any = true;
    jobs.insert(subject.jobs.begin(), subject.jobs.end());
  }
  if (!any) return "";
  const std::string up = UpOf({jobs.begin(), jobs.end()});
  // The address of a pod that has ended is another's by now.
  return R"(kube_node_info or ((kube_pod_info and on(pod_ip) label_replace()" + up +
         R"(,"pod_ip","$1","instance","\\[?(.+?)\\]?:[0-9]+")) unless )"
         R"(on(namespace,pod,exported_namespace,exported_pod) )"
         R"((kube_pod_status_phase{phase=~"Succeeded|Failed"} == 1)))";
}

}  // namespace

std::string SelectorOfMarks(const Exporter& exporter, const std::vector<Condition>& conditions) {
  return UnionOf(exporter, {exporter.detect.begin(), MarksEnd(exporter)}, conditions, "",
                 [](std::string selector) { return selector; });
}

std::string SelectorOfOthers(const Exporter& exporter, const std::vector<Condition>& conditions) {
  return UnionOf(exporter, {MarksEnd(exporter), exporter.detect.end()}, conditions, "",
                 [](std::string selector) { return selector; });
}

std::string PastOf(const Exporter& exporter, const std::string& matcher,
                   const std::string& labels) {
  std::set<std::string> all;
  for (const auto* metrics : {&exporter.gpu, &exporter.process}) {
    for (const Metric& metric : *metrics) all.insert(metric.name);
  }
  const std::vector<std::string> names(all.begin(), all.end());
  // The name in a label of its own: `and` and `or` pay no heed to it.
  return UnionOf(exporter, names, exporter.require, matcher, [&](const std::string& selector) {
    return "label_replace(max by(__name__," + labels + ")(last_over_time(" + selector +
           R"--([1h])),"shown","$1","__name__","(.*)"))--";
  });
}

PlannedQuery PlanSeriesTimes(const Exporter& exporter, std::size_t place, Part part) {
  return {exporter.name + "/sample_times", SeriesTimesQuery(exporter, part),
          PlannedQuery::Gives::kSeriesTimes, place, std::nullopt};
}

std::string AllTimesQuery(const Subject& subject) {
  const Exporter& exporter = *subject.exporter;
  std::vector<std::string> selectors;
  for (const auto* metrics : {&exporter.gpu, &exporter.process}) {
    for (const Metric& metric : *metrics) {
      for (const std::string& name : WithPrefixes(exporter, {metric.name})) {
        std::string selector = Selector(name, All(exporter.require, metric.where));
        if (std::find(selectors.begin(), selectors.end(), selector) == selectors.end()) {
          selectors.push_back(std::move(selector));
        }
      }
    }
  }
  for (const auto* infos : {&exporter.info, &exporter.process_info}) {
    for (std::string& info : SelectorsOf(exporter, *infos)) selectors.push_back(std::move(info));
  }
  return TargetTimesQuery(selectors, subject.jobs);
}

std::vector<PlannedQuery> PlanQueries(std::span<const Subject> subjects, Part part) {
  std::vector<PlannedQuery> plan;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    Planner(subjects[i], i, part, IsAboveProcesses(subjects, i), plan).Plan();
  }
  if (plan.empty()) return plan;
  for (std::size_t i = 0; part == Part::kProcesses && i < subjects.size(); ++i) {
    // Who has processes is asked already.
    const Exporter& exporter = *subjects[i].exporter;
    if (!exporter.process.empty() || exporter.gpu.empty()) continue;
    if (!IsAboveProcesses(subjects, i)) continue;
    plan.push_back(subjects[i].brings_times ? PlanSeriesTimes(exporter, i, part)
                                            : PlanDeviceTimes(subjects[i], i));
  }
  std::vector<PlannedQuery> around = PlanSurroundings(subjects, part, "");
  // While no job is known one query tells the times of all targets, with their labels.
  const auto times = std::find_if(plan.begin(), plan.end(), [](const PlannedQuery& query) {
    return query.gives == PlannedQuery::Gives::kTargetTimes;
  });
  const bool no_job_known = std::all_of(subjects.begin(), subjects.end(),
                                        [](const Subject& its) { return its.jobs.empty(); });
  const bool wants_pods = std::any_of(subjects.begin(), subjects.end(), [](const Subject& its) {
    return its.exporter->pod_may_be_exporters;
  });
  if (no_job_known && wants_pods && times != plan.end()) {
    times->tells_pods = true;
    std::erase_if(around, [](const PlannedQuery& query) {
      return query.gives == PlannedQuery::Gives::kTargets;
    });
  }
  std::move(around.begin(), around.end(), std::back_inserter(plan));
  return plan;
}

std::vector<PlannedQuery> PlanSurroundings(std::span<const Subject> subjects, Part part,
                                           const std::string& of_targets) {
  std::vector<PlannedQuery> plan;
  const auto add = [&](const std::string& name, std::string promql, PlannedQuery::Gives gives,
                       std::size_t exporter = 0) {
    if (!promql.empty()) plan.push_back({name, std::move(promql), gives, exporter, std::nullopt});
  };
  for (std::size_t i = 0; part == Part::kProcesses && i < subjects.size(); ++i) {
    if (!IsAboveProcesses(subjects, i)) continue;
    add(subjects[i].exporter->name + "/devices", DevicesQuery(*subjects[i].exporter),
        PlannedQuery::Gives::kDevices, i);
  }
  add("targets", TargetsQuery(subjects, part, of_targets), PlannedQuery::Gives::kTargets);
  add("addresses", AddressesQuery(subjects), PlannedQuery::Gives::kAddresses);
  return plan;
}

}  // namespace gpumon::gpu
