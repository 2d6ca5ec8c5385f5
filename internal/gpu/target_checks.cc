#include "internal/gpu/target_checks.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "internal/gpu/plan.h"
#include "models/field.h"

namespace gpumon::gpu {
namespace {

using models::Quantity;

constexpr std::array kMoving = {Quantity::kPower,   Quantity::kEnergy,      Quantity::kTemperature,
                                Quantity::kSmClock, Quantity::kUtilization, Quantity::kMemoryUsed};

void AppendWithPrefixes(const schema::Exporter& exporter, const std::string& name,
                        std::vector<std::string>& names) {
  for (const std::string& prefix : exporter.prefixes) {
    if (std::find(names.begin(), names.end(), prefix + name) == names.end()) {
      names.push_back(prefix + name);
    }
  }
}

// Of every metric that measures it.
std::vector<std::string> SelectorsOf(const schema::Exporter& exporter, Quantity quantity,
                                     const std::string& matcher = "") {
  std::vector<std::string> selectors;
  for (const schema::Metric& metric : exporter.gpu) {
    if (metric.slot != static_cast<std::size_t>(quantity)) continue;
    std::vector<schema::Condition> conditions = exporter.require;
    conditions.insert(conditions.end(), metric.where.begin(), metric.where.end());
    for (const std::string& name : WithPrefixes(exporter, {metric.name})) {
      selectors.push_back(Selector(name, conditions, matcher));
    }
  }
  return selectors;
}

// The targets of which one of these selects something.
template <class Of>
std::string Any(const std::vector<std::string>& selectors, const Of& of) {
  std::string promql;
  for (const std::string& selector : selectors) {
    promql.append(promql.empty() ? "" : " or ")
        .append("group by(job,instance)(" + of(selector) + ")");
  }
  return promql;
}

// A series that was there all the time, not one that has just begun.
std::string Lasting(const std::string& now, const std::string& selector, const char* since) {
  return now + " and " + selector + " offset " + since + " and count_over_time(" + selector +
         "[10m]) > 4";
}

std::string HasChanged(const std::string& selector) {
  return "changes(" + selector + "[10m]) > 0";
}

}  // namespace

std::string FrozenQuery(const schema::Exporter& exporter) {
  std::vector<std::string> names;
  for (const Quantity quantity : kMoving) {
    for (const schema::Metric& metric : exporter.gpu) {
      if (metric.slot != static_cast<std::size_t>(quantity)) continue;
      AppendWithPrefixes(exporter, metric.name, names);
    }
  }
  if (names.empty()) return "";
  const std::string all = SelectorOfAny(names, exporter.require);
  std::string moving;
  for (const std::string& name : names) {
    moving += (moving.empty() ? "" : " or ") + std::string("max by(job,instance)(changes(") +
              Selector(name, exporter.require) + "[15m])) > 0";
  }
  return "(group by(job,instance)(" + all + ") and group by(job,instance)(" + all +
         " offset 15m)) unless (" + moving + ")";
}

std::string StuckQuery(const schema::Exporter& exporter) {
  const std::vector<std::string> power = SelectorsOf(exporter, Quantity::kPower);
  if (power.empty()) return "";
  std::string still =
      Any(power, [](const std::string& p) { return Lasting("(" + p + " % 1 > 0)", p, "10m"); });
  std::vector<std::string> moving = power;
  if (const auto energy = SelectorsOf(exporter, Quantity::kEnergy); !energy.empty()) {
    still += " or (" + Any(energy, [](const std::string& e) { return Lasting(e, e, "10m"); }) +
             ") and (" + Any(power, [](const std::string& p) { return p + " > 0"; }) + ")";
    moving.insert(moving.end(), energy.begin(), energy.end());
  }
  return "(" + still + ") unless (" + Any(moving, HasChanged) + ")";
}

std::string SteadyQuery(const schema::Exporter& exporter) {
  const std::vector<std::string> utilization = SelectorsOf(exporter, Quantity::kUtilization);
  if (utilization.empty()) return "";
  return "(" +
         Any(utilization,
             [](const std::string& u) { return Lasting("(" + u + " >= 5 <= 95)", u, "30m"); }) +
         ") unless (" + Any(utilization, HasChanged) + ")";
}

std::string MovingQuery(const schema::Exporter& exporter, const std::string& matcher,
                        const std::string& window) {
  std::string promql;
  for (const Quantity quantity : kMoving) {
    for (const std::string& selector : SelectorsOf(exporter, quantity, matcher)) {
      promql.append(promql.empty() ? "" : " or ")
          .append("group by(job,instance)(changes(" + selector + '[' + window + "]) > 0)");
    }
  }
  return promql;
}

std::string PercentQuery(const std::string& metric) {
  // Blanks, which are large, hide all else from the first: then a look each five minutes has to do.
  return "group by(job,instance)(max_over_time(" + metric + "[1h]) >= 2 <= 100) or " +
         "group by(job,instance)(max_over_time((" + metric + " >= 2 <= 100)[1h:5m]))";
}

std::string FractionQuery(const std::string& metric) {
  // Fractions may sum to a whole number.
  return "(group by(job,instance)(sum_over_time(" + metric + "[1h]) % 1 > 0) or " +
         "group by(job,instance)(max_over_time((" + metric + " > 0 < 1)[1h:5m]))) " +
         "and on(job) max_over_time(" + metric + "[1h]) >= 2 <= 100";
}

std::string TurnedQuery(const std::string& metric, const std::string& matcher, std::size_t count) {
  constexpr std::size_t kAtOnce = 20;
  constexpr std::size_t kNamed = 100;  // more are selected by their jobs, with others
  const std::size_t step = count >= kNamed ? 60 : std::max<std::size_t>(1, count / kAtOnce);
  const auto last = [&](const char* bounds) {
    return "max by(job,instance)(max_over_time(timestamp(" + metric + '{' + matcher + '}' + bounds +
           ")[1h:" + std::to_string(step) + "s]))";
  };
  return "group by(job,instance)(" + last(" > 0 < 1") + " > " + last(" >= 2 <= 100") + ')';
}

}  // namespace gpumon::gpu
