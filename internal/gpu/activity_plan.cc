#include "internal/gpu/activity_plan.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "internal/base/text.h"
#include "internal/gpu/range_replay.h"
#include "internal/prom/promql.h"

namespace gpumon::gpu {
namespace {

using models::Quantity;
using models::Text;
using schema::Exporter;
using schema::Metric;

constexpr double kMinute = 60;
constexpr double kHour = 3600;
constexpr char kByTarget[] = "count by(job,instance)(";

std::string Range(double seconds) {
  return std::to_string(std::llround(seconds * 1000)) + "ms";
}

std::string AnyOf(const std::set<std::string>& texts) {
  std::string any;
  for (const std::string& text : texts) {
    any.append(any.empty() ? "" : "|").append(prom::EscapeRegex(text));
  }
  return prom::Quote(any);
}

// Of the targets of these jobs; of all where there are none.
std::string UpOf(const std::set<std::string>& jobs) {
  return jobs.empty() ? "up" : "up{job=~" + AnyOf(jobs) + '}';
}

class ActivityPlanner {
 public:
  ActivityPlanner(const Subject& subject, std::size_t place, const ActivityWant& want, double cell,
                  std::vector<ActivityQuery>& plan)
      : exporter_(*subject.exporter),
        up_(UpOf({subject.jobs.begin(), subject.jobs.end()})),
        place_(place),
        want_(want),
        cell_(Range(cell)),
        // A sample right before a cell is what its first one is compared with.
        longer_(Range(cell + kLookBack)),
        plan_(plan) {}

  // Few instants tell it of all but what was there for so short a time; each costs Prometheus as
  // much as many samples.
  void PlanGone() {
    if (exporter_.gpu.empty()) return;
    const std::string after = Range(GoneAt(want_) - want_.start);
    const std::string in_day = OfMarks("max", [&](const std::string& mark) {
      return "max_over_time(timestamp(" + mark + ")[" + Range(want_.before) + ':' +
             Range(3 * kHour) + "] offset " + after + ')';
    });
    const double hour = std::min(want_.before, kHour);
    const std::string in_hour = OfMarks("max", [&](const std::string& mark) {
      return "0 * count_over_time(" + mark + '[' + Range(hour) + "] offset " + after + ") + " +
             std::to_string(std::llround(want_.start - hour));
    });
    const std::string at_start =
        OfMarks("max", [&](const std::string& mark) { return mark + " offset " + after; });
    const std::string afterwards = OfMarks("max", [&](const std::string& mark) {
      return "count_over_time(" + mark + '[' + after + "])";
    });
    Add("gone",
        "(((" + in_day + ") and on(job,instance) " + up_ + ") or " + in_hour + ") unless ((" +
            at_start + ") and (" + afterwards + "))",
        ActivityQuery::Gives::kGone);
  }

  void Plan() {
    if (exporter_.gpu.empty()) return;
    PlanSamples();
    if (want_.targets_only) return;
    for (const Metric& metric : exporter_.gpu) {
      std::string promql;
      std::vector<schema::Condition> conditions = exporter_.require;
      conditions.insert(conditions.end(), metric.where.begin(), metric.where.end());
      for (const std::string& name : WithPrefixes(exporter_, {metric.name})) {
        const std::string one = ActiveOf(metric, Selector(name, conditions));
        if (!one.empty()) promql.append(promql.empty() ? "" : " or ").append(one);
      }
      if (!promql.empty()) Add(metric.name, std::move(promql), ActivityQuery::Gives::kActive);
    }
  }

 private:
  void Add(const std::string& name, std::string promql, ActivityQuery::Gives gives) {
    plan_.push_back({"activity/" + exporter_.name + '/' + name, std::move(promql), gives, place_});
  }

  void PlanSamples() {
    Add("samples",
        OfMarks("sum",
                [this](const std::string& mark) {
                  return "count_over_time(" + mark + '[' + cell_ + "])";
                }),
        ActivityQuery::Gives::kSamples);
  }

  // One mark tells as much as all of them; which of them an exporter shows is its configuration.
  template <class Function>
  std::string OfMarks(const std::string& aggregation, const Function& function) const {
    std::set<std::string> labels = {"job", "instance"};
    for (const auto& [text, aliases] : exporter_.labels.texts) {
      if (text != Text::kNode && text != Text::kGpuId && text != Text::kUuid) continue;
      labels.insert(aliases.begin(), aliases.end());
    }
    std::string by;
    for (const std::string& label : labels) by.append(by.empty() ? "" : ",").append(label);
    const auto marks = static_cast<std::ptrdiff_t>(std::min(kMarks, exporter_.detect.size()));
    std::string promql;
    for (const std::string& name :
         WithPrefixes(exporter_, {exporter_.detect.begin(), exporter_.detect.begin() + marks})) {
      promql.append(promql.empty() ? "" : " or ")
          .append(aggregation + " by(" + by + ")(" + function(Selector(name, exporter_.require)) +
                  ')');
    }
    return promql;
  }

  std::string ActiveOf(const Metric& metric, const std::string& selector) const {
    const auto above = [&](const std::string& comparison) {
      return kByTarget + ("max_over_time(" + selector + '[' + cell_ + "])") + comparison + ')';
    };
    // A count that grew, or a series that began with one.
    const std::string changed =
        kByTarget + ("changes(" + selector + '[' + longer_ + "]) > 0)") + " or " + kByTarget;
    switch (static_cast<Quantity>(metric.slot)) {
      case Quantity::kTemperature:
        return above(" > " + FormatNumber(want_.temperature / metric.scale));
      case Quantity::kThrottleReasons:
        if (metric.rule == schema::Rule::kFlag) {
          return (want_.throttle_bits & metric.bit) != 0 ? above(" > 0") : "";
        }
        // Of a mask no more can be asked than whether it may have such a bit.
        return above(" >= " + std::to_string(want_.throttle_bits & -want_.throttle_bits));
      case Quantity::kEccCorrectedVolatile:
      case Quantity::kEccUncorrectedVolatile:
        return changed + "(" + selector + " > 0) unless " + selector + " offset " + cell_ + ')';
      case Quantity::kXidLast:
        // A code may be a series of its own, and one that is gone when the cell ends.
        return changed + "(max_over_time(" + selector + '[' + cell_ + "]) > 0) unless (" +
               selector + " offset " + cell_ + " > 0)) or " + Interrupted(selector);
      default:
        return "";
    }
  }

  // A code that is a series of its own may go and come back within a cell: such a series has fewer
  // samples than its target has scrapes.
  std::string Interrupted(const std::string& selector) const {
    return kByTarget + ("count_over_time(" + selector) + '[' + cell_ +
           "]) < on(job,instance) group_left max by(job,instance)(count_over_time(" + up_ + '[' +
           cell_ + "])) and max_over_time(" + selector + '[' + cell_ + "]) > 0)";
  }

  const Exporter& exporter_;
  const std::string up_;
  const std::size_t place_;
  const ActivityWant& want_;
  const std::string cell_;
  const std::string longer_;
  std::vector<ActivityQuery>& plan_;
};

}  // namespace

bool JobsAreKnown(std::span<const Subject> subjects) {
  return std::none_of(subjects.begin(), subjects.end(),
                      [](const Subject& subject) { return subject.jobs.empty(); });
}

std::vector<ActivityQuery> PlanActivity(std::span<const Subject> subjects, const ActivityWant& want,
                                        double cell) {
  std::vector<ActivityQuery> plan;
  std::set<std::string> jobs;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    ActivityPlanner(subjects[i], i, want, cell, plan).Plan();
    jobs.insert(subjects[i].jobs.begin(), subjects[i].jobs.end());
  }
  if (plan.empty()) return plan;
  if (!JobsAreKnown(subjects)) jobs.clear();
  const std::string range = UpOf(jobs) + '[' + Range(cell) + ']';
  plan.push_back({"activity/up", "sum by(job,instance)(count_over_time(" + range + "))",
                  ActivityQuery::Gives::kUp});
  plan.push_back({"activity/up_and_well", "sum by(job,instance)(sum_over_time(" + range + "))",
                  ActivityQuery::Gives::kUpAndWell});
  if (want.targets_only) return plan;
  // In the densest minutes, and in the last ones: a cell may be longer than there is a past.
  const auto scrapes = [&](double within) {
    return "count_over_time(" + UpOf(jobs) + '[' + Range(within) + "])";
  };
  plan.push_back({"activity/scrapes",
                  "max(max_over_time(" + scrapes(kShortestCell) + '[' + Range(cell) + ':' +
                      Range(kShortestCell) + "]))",
                  ActivityQuery::Gives::kMostScrapes});
  plan.push_back({"activity/last_scrapes", "max(" + scrapes(kShortestCell) + ")",
                  ActivityQuery::Gives::kMostScrapes});
  plan.push_back({"activity/scrapes_of_minute", "max(" + scrapes(kMinute) + ")",
                  ActivityQuery::Gives::kMostInMinute});
  return plan;
}

std::vector<ActivityQuery> PlanGone(std::span<const Subject> subjects, const ActivityWant& want) {
  std::vector<ActivityQuery> plan;
  if (want.before <= 0) return plan;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    ActivityPlanner(subjects[i], i, want, 0, plan).PlanGone();
  }
  return plan;
}

double GoneAt(const ActivityWant& want) {
  return want.start + std::min(kShortestCell, want.end - want.start);
}

std::string YoungOfInstances(const std::vector<std::string>& instances, double starting) {
  return "time() - max by(job,instance)(process_start_time_seconds{instance=~" +
         AnyOf({instances.begin(), instances.end()}) + "}) < " + FormatNumber(starting);
}

std::string UpOfInstances(const std::vector<std::string>& instances) {
  return "max by(job,instance)(up{instance=~" + AnyOf({instances.begin(), instances.end()}) + "})";
}

}  // namespace gpumon::gpu
