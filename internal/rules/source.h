// What one exporter's own series say, as PromQL whose results all have labels of one form.
#pragma once

#include <optional>
#include <string>

#include "internal/schema/exporter.h"
#include "models/field.h"

namespace gpumon::rules {

// A quantity that rules look at. Samples outside of `low` and `high` (base unit) are blanks that
// exporters write where they know nothing; they are left out.
struct Reading {
  models::Quantity quantity;
  double low = 0;
  double high = 0;
  bool of_instances = false;  // a MIG instance has its own; else it is the board's
};

// Results have the labels node, gpu, uuid and gpu_name, absent where the exporter does not tell;
// `node` is the host of the target's address where no series says better. nullopt: the exporter
// has no such series. Immutable; `exporter` must outlive it.
class Source {
 public:
  explicit Source(const schema::Exporter& exporter) : exporter_(exporter) {}

  // One sample per GPU, or with of_instances per (GPU, gpu_instance_id), in the base unit.
  std::optional<std::string> Measure(const Reading& reading) const;
  // Any series of the GPU, whatever its value; with the target's labels beside, and no gpu_name
  // where only an info family has it.
  std::optional<std::string> Present() const;
  // 1 for each (GPU, gpu_instance_id, namespace, pod) where that pod holds it.
  std::optional<std::string> Holders() const;
  // The targets that say themselves that what they show is old: job, instance.
  std::optional<std::string> Failed() const;
  // Labels that name one GPU or MIG instance in all of the above, comma-separated.
  std::string Key() const;

 private:
  // The exporter's labels that name a GPU, and the target's.
  std::string OwnLabels() const;
  std::string Select(const std::string& metric,
                     const std::vector<schema::Condition>& conditions) const;
  std::string Named(std::string series, bool of_instances) const;
  std::string PutNode(const std::string& series) const;
  std::string PutText(const std::string& series, models::Text text, const char* label) const;
  std::string InBaseUnit(const schema::Metric& metric, const Reading& reading) const;
  std::optional<std::string> Scaled(const Reading& reading) const;
  std::optional<std::string> Flags(const Reading& reading) const;
  std::optional<std::string> Derived(const Reading& reading) const;
  std::string HeldSeries(const std::string& metric,
                         const std::vector<schema::Condition>& conditions) const;
  const schema::Aliases* AliasesOf(models::Text text) const;

  const schema::Exporter& exporter_;
};

}  // namespace gpumon::rules
