// What one exporter generation calls things: metrics, units, labels. Loaded from data, not code.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/field.h"

namespace gpumon::schema {

// What a label of a series has to be.
struct Condition {
  enum class Is : std::uint8_t { kAbsent, kPresent, kOneOf };  // an empty label is an absent one

  std::string label;
  Is is = Is::kOneOf;
  std::vector<std::string> values = {};  // kOneOf; "": or absent

  bool operator==(const Condition&) const = default;
  bool Holds(std::string_view text) const {
    if (is != Is::kOneOf) return (is == Is::kPresent) == !text.empty();
    return std::find(values.begin(), values.end(), text) != values.end();
  }
};

// What becomes of several series that measure one thing: the newest counts, or all together. A sum
// goes over the metrics of one field and scale that say so, and over their parts.
enum class Reduce : std::uint8_t { kNewest, kMax, kMin, kSum };

// How a sample becomes the field's base unit.
enum class Rule : std::uint8_t {
  kScale,           // base = sample * scale
  kRatioOrPercent,  // one name with two meanings: 0..1 or 0..100, decided from evidence
  kFlag,            // not 0: sets `bit`
};

// One metric family that measures one field.
struct Metric {
  std::string name;
  std::vector<Condition> where;
  std::size_t slot = 0;  // models::Quantity or models::ProcessQuantity
  Rule rule = Rule::kScale;
  double scale = 1;
  std::uint32_t bit = 0;
  Reduce reduce = Reduce::kNewest;
  std::vector<std::string> parts;  // kSum: labels that tell its parts apart
  bool own_query = false;          // asked for apart from the others
  bool allotted = false;           // what a scheduler hands out: where nothing is measured
  std::string unit;                // as exported
  std::string note;
};

// What a pod has of a GPU that several share.
enum class Share : std::uint8_t { kMemoryUsed, kMemoryLimit, kUtilization };
struct ShareMetric {
  std::string name;
  std::vector<Condition> where;
  Share share = Share::kMemoryUsed;
  Rule rule = Rule::kScale;
  double scale = 1;
  std::vector<std::string> parts;  // labels that tell apart what one pod has of a GPU
  // A metric of the GPU has this name too: where the GPU has no series of it, those of its pods may
  // repeat its value.
  bool needs_device = false;
};

// A field that is computed where no metric gave it.
struct Derived {
  models::Quantity target;
  std::vector<models::Quantity> sum;            // all of them needed
  std::vector<models::Quantity> plus_if_there;  // 0 where absent
};

// 0: what this target shows is old.
struct SuccessMetric {
  std::string name;
  std::vector<Condition> where;
  bool of_gpus = true;       // that what it shows of GPUs is
  bool of_processes = true;  // that what it shows of processes is
};

// Label names in order of trust: the first that a series has, and that is not empty, wins.
using Aliases = std::vector<std::string>;

// By models::Text; the pid beside them.
struct Labels {
  std::vector<std::pair<models::Text, Aliases>> texts;
  Aliases pid;
};

// Immutable once loaded. Metrics stand in order of preference: of several that measure one field
// of one GPU the first wins.
struct Exporter {
  std::string name;  // the rows' `source`
  std::string title;
  std::string vendor;
  int priority = 0;                 // the lowest wins between exporters
  std::vector<std::string> detect;  // any of them: it is there
  std::vector<Condition> require;   // every series of it
  std::vector<std::string> prefixes{""};
  bool pod_may_be_exporters = false;
  bool node_may_be_address = false;  // it calls its node by an address
  bool node_of_target = false;  // series without a node are of the one that others of their target
                                // name
  Labels labels;
  Labels process_labels;  // what differs for processes
  std::vector<Metric> gpu;
  std::vector<Metric> process;
  std::vector<std::string> info;          // families that carry a GPU's texts alone
  std::vector<std::string> process_info;  // a process's
  std::vector<std::string> mig_mode;      // 1: the GPU is divided, if only by its driver's setting
  std::vector<ShareMetric> shares;
  std::vector<Derived> derive;
  std::vector<std::pair<double, double>> blanks;  // raw values that mean "not supported"
  bool nan_is_blank = false;                      // NaN is one of them
  std::string gpu_id_metric;                      // its value is the GPU's id; may be empty
  std::string gpu_name_prefix;                    // that is no part of the GPU's name
  std::vector<SuccessMetric> success;

  const std::vector<Metric>& metrics(bool of_processes) const {
    return of_processes ? process : gpu;
  }
  const std::vector<std::string>& infos(bool of_processes) const {
    return of_processes ? process_info : info;
  }
};

}  // namespace gpumon::schema
