// The tables that rules are made of: one row per rule. Expressions are templates (terms.h).
#pragma once

#include <span>
#include <string_view>

namespace gpumon::rules {

// A recorded series gpu_monitoring:NAME. In order: a row may use those before it, and itself. Of
// several rows of one name the first that the exporter can feed is taken.
struct RecordRow {
  std::string_view name;
  std::string_view expr;
  std::string_view help;
};
std::span<const RecordRow> RecordRows();

// What an alert is about, in docs/RUNBOOKS.md too.
struct AlertRow {
  std::string_view name;
  std::string_view severity;  // critical, warning, info
  std::string_view wait;      // how long it must hold
  std::string_view expr;
  std::string_view summary;      // Prometheus's templates
  std::string_view description;  // likewise
  std::string_view meaning;      // runbook: what it says, and when it may be wrong
  std::string_view act;          // runbook: what to do, in order
};
std::span<const AlertRow> GpuAlertRows();
// Of the server itself, from its /metrics: plain PromQL.
std::span<const RecordRow> ApiRecordRows();
std::span<const AlertRow> ApiAlertRows();

}  // namespace gpumon::rules
